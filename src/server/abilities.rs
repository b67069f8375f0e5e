//! Which of the server's certificates a client can verify, as far as its first message says.

use tokio_rustls::rustls::server::ClientHello;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{CipherSuite, NamedGroup, SignatureScheme};

/// What a client can verify.
pub(super) struct Abilities<'h> {
    /// Signatures of the handshake that it accepts.
    schemes: Vec<SignatureScheme>,
    /// The curves that its server's key may lie on; none if it does not limit them.
    curves: Option<&'h [NamedGroup]>,
}

impl<'h> Abilities<'h> {
    pub(super) fn of(hello: &ClientHello<'h>) -> Self {
        let mut schemes = hello.signature_schemes().to_vec();
        let is_tls13 = hello.cipher_suites().iter().any(|suite| is_of_tls13(*suite));
        if is_tls13 {
            // "RSASSA-PKCS1-v1_5 algorithms: … These values refer solely to signatures which appear in certificates … and are
            // not defined for use in signed TLS handshake messages" (RFC 8446 §4.2.3)
            schemes.retain(|scheme| !is_pkcs1(*scheme));
        }
        // "Servers participating in an ECDHE_ECDSA key exchange MUST ensure that … the server's public key is on a curve
        // supported by the client" (RFC 8422 §5.3); TLS 1.3 knows the extension for the key exchange alone.
        let curves = if is_tls13 { None } else { hello.named_groups() };
        Self { schemes, curves }
    }

    pub(super) fn can_verify(&self, certified: &CertifiedKey) -> bool {
        let Some(signer) = certified.key.choose_scheme(&self.schemes) else { return false };
        match (curve_of(signer.scheme()), self.curves) {
            (Some(curve), Some(curves)) => curves.contains(&curve),
            _ => true,
        }
    }
}

/// A client that offers one of these speaks TLS 1.3, and so does this server.
fn is_of_tls13(suite: CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS13_AES_256_GCM_SHA384
            | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
    )
}

fn is_pkcs1(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::RSA_PKCS1_SHA256 | SignatureScheme::RSA_PKCS1_SHA384 | SignatureScheme::RSA_PKCS1_SHA512
    )
}

/// The curve of a key that signs so; each ECDSA key signs by the scheme of its own curve alone.
fn curve_of(scheme: SignatureScheme) -> Option<NamedGroup> {
    match scheme {
        SignatureScheme::ECDSA_NISTP256_SHA256 => Some(NamedGroup::secp256r1),
        SignatureScheme::ECDSA_NISTP384_SHA384 => Some(NamedGroup::secp384r1),
        SignatureScheme::ECDSA_NISTP521_SHA512 => Some(NamedGroup::secp521r1),
        _ => None,
    }
}
