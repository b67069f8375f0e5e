//! What a header of version 2 says about the TLS that the proxy terminated (`PP2_TYPE_SSL`, §2.2.6).

use ppp::v2;
use rustls_pki_types::CertificateDer;

use super::fault::HeaderFault;
use crate::connection::ForwardedCertificate;

/// The TLS that a proxy terminated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct TerminatedTls {
    /// Its version, in the words of the log.
    pub(in crate::server) version: &'static str,
    /// What the proxy says about the client's certificate.
    pub(in crate::server) certificate: ForwardedCertificate,
}

/// `PP2_CLIENT_SSL`: "The client connected over SSL/TLS".
const CLIENT_SSL: u8 = 1;

/// `PP2_CLIENT_CERT_CONN` and `PP2_CLIENT_CERT_SESS`: "Client provided a certificate over the current connection", or
/// "at least once over the TLS session".
const CLIENT_CERT: u8 = 2 | 4;

/// `PP2_SUBTYPE_SSL_CLIENT_CERT`: the client's own certificate, DER.
const WHOLE_CERTIFICATE: u8 = 0x28;

/// `<client>` and `<verify>`, before the fields inside of `PP2_TYPE_SSL`.
const SSL_FIXED: usize = 5;

impl TerminatedTls {
    /// Reads the value of `PP2_TYPE_SSL`; none if there is no TLS, or an old one.
    pub(super) fn read(ssl: &[u8]) -> Result<Option<Self>, HeaderFault> {
        let (fixed, fields) = ssl.split_at_checked(SSL_FIXED).ok_or(HeaderFault::Malformed)?;
        let [client, verify @ ..] = fixed else { return Err(HeaderFault::Malformed) };
        let (mut version, mut whole) = (Some("TLS at the proxy"), None);
        for field in v2::TypeLengthValues::from(fields) {
            let field = field.map_err(|_| HeaderFault::Malformed)?;
            if field.kind == v2::Type::SSLVersion as u8 {
                version = match &*field.value {
                    // As OpenSSL and as Go call them.
                    b"TLSv1.2" | b"TLS 1.2" => Some("TLS 1.2 at the proxy"),
                    b"TLSv1.3" | b"TLS 1.3" => Some("TLS 1.3 at the proxy"),
                    _ => None,
                };
            } else if field.kind == WHOLE_CERTIFICATE {
                whole = Some(CertificateDer::from(field.value.into_owned()));
            }
        }
        // "The <verify> field will be zero if the client presented a certificate and it was successfully verified": it is
        // zero without a certificate, too.
        let certificate = match whole {
            _ if client & CLIENT_CERT == 0 => ForwardedCertificate::NotSent,
            _ if verify.iter().any(|octet| *octet != 0) => ForwardedCertificate::Unverified,
            None => ForwardedCertificate::NameOnly,
            Some(whole) => ForwardedCertificate::Whole(whole),
        };
        let version = version.filter(|_| client & CLIENT_SSL != 0);
        Ok(version.map(|version| Self { version, certificate }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of `PP2_TYPE_SSL`.
    fn ssl(client: u8, verify: u8, fields: &[(u8, &[u8])]) -> Vec<u8> {
        let field = |(kind, value): &(u8, &[u8])| [&[*kind, 0, u8::try_from(value.len()).unwrap()], *value].concat();
        let fields: Vec<u8> = fields.iter().flat_map(field).collect();
        [vec![client, 0, 0, 0, verify], fields].concat()
    }

    fn certificate(client: u8, verify: u8, fields: &[(u8, &[u8])]) -> ForwardedCertificate {
        TerminatedTls::read(&ssl(client, verify, fields)).unwrap().unwrap().certificate
    }

    #[test]
    fn the_tls_of_the_proxy_counts_from_1_2() {
        for (client, version, tls) in [
            (1, "TLSv1.3", Some("TLS 1.3 at the proxy")),
            (7, "TLSv1.2", Some("TLS 1.2 at the proxy")),
            (1, "TLS 1.3", Some("TLS 1.3 at the proxy")),
            (1, "TLSv1.1", None),
            (1, "TLS 1.1", None),
            (1, "SSLv3", None),
            (0, "TLSv1.3", None),
            (6, "TLSv1.3", None),
        ] {
            let read = TerminatedTls::read(&ssl(client, 0, &[(0x21, version.as_bytes()), (0x22, b"somebody")]));
            assert_eq!(read.unwrap().map(|tls| tls.version), tls, "{client} {version}");
        }
        assert_eq!(TerminatedTls::read(&[1, 0, 0, 0, 0]).unwrap().unwrap().version, "TLS at the proxy");
        assert_eq!(TerminatedTls::read(&[1, 0, 0, 0]), Err(HeaderFault::Malformed));
    }

    #[test]
    fn a_certificate_counts_only_if_the_client_sent_it_and_the_proxy_verified_it() {
        let both: &[(u8, &[u8])] = &[(0x22, b"Alan Jones"), (0x28, b"whole")];
        let whole = ForwardedCertificate::Whole(CertificateDer::from(b"whole".to_vec()));
        for client in [3, 5, 7] {
            assert_eq!(certificate(client, 0, both), whole, "{client}");
            assert_eq!(certificate(client, 1, both), ForwardedCertificate::Unverified, "{client}");
            assert_eq!(certificate(client, 0, &both[..1]), ForwardedCertificate::NameOnly, "{client}");
            assert_eq!(certificate(client, 0, &[]), ForwardedCertificate::NameOnly, "{client}");
        }
        assert_eq!(certificate(1, 0, both), ForwardedCertificate::NotSent);
        assert_eq!(TerminatedTls::read(&ssl(6, 0, both)), Ok(None));
    }
}
