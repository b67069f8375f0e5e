//! What an X.509 certificate says (RFC 5280). This module only reads certificates; whether one is trusted is decided
//! elsewhere.
//!
//! The only module that knows the X.509 library: the server uses it for the host names and chains of its own
//! certificates, the identity map for the names and keys of client certificates.
//!
//! | file | rule |
//! |---|---|
//! | `fields` | validity, names and key of a certificate |
//! | `chain` | a server's chain as clients judge it |
//! | `fingerprint` | SHA-256 over a whole certificate, as people compare it |
//! | `pem` | a certificate as files have it |
//! | `host` | whether a certificate is for a host name |
//! | `weakness` | keys and signatures that clients reject |
//! | `subject` | a subject as text (RFC 4514) |
//! | `revocations` | whose a revocation list is, and until when it is valid |

mod chain;
mod fields;
mod fingerprint;
mod host;
mod pem;
mod revocations;
mod subject;
mod weakness;

use std::fmt;

use x509_parser::asn1_rs::{Any, FromDer as _};
use x509_parser::prelude::{GeneralName, X509Certificate};

pub use chain::{CertificateFinding, inspect_chain, is_in_order, top_of_chain};
pub use fields::CertificateFields;
pub use fingerprint::Sha256Fingerprint;
pub use host::{HostMatch, host_match};
pub use pem::pem;
pub use revocations::RevocationList;

/// Active Directory's user principal name among the subject alternative names.
const PRINCIPAL_NAME: &str = "1.3.6.1.4.1.311.20.2.3";

/// What one certificate says about its subject.
///
/// Values with control characters in them are left out: no such name exists, and none may be mistaken for another one
/// that ends before a NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The subject's distinguished name in the form of RFC 4514; empty if the certificate has none that can be written
    /// so.
    pub subject: String,
    /// The subject's common names.
    pub common_names: Vec<String>,
    /// The subject's `emailAddress` attributes, as old certificates have them.
    pub subject_mails: Vec<String>,
    /// The mail addresses among the subject alternative names (rfc822Name).
    pub mails: Vec<String>,
    /// Active Directory's user principal names among the subject alternative names.
    pub principal_names: Vec<String>,
    /// The host names among the subject alternative names, in lower case.
    pub host_names: Vec<String>,
    /// The subjectPublicKeyInfo, DER.
    key: Vec<u8>,
    /// All of it, DER.
    octets: Vec<u8>,
}

/// The octets are not a certificate or a revocation list in DER; the parser's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedCertificate(String);

impl MalformedCertificate {
    fn of(fault: impl fmt::Display) -> Self {
        Self(fault.to_string())
    }
}

impl fmt::Display for MalformedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MalformedCertificate {}

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// The octets are not a certificate in DER.
    pub fn read(octets: &[u8]) -> Result<Self, MalformedCertificate> {
        let (_, parsed) = X509Certificate::from_der(octets).map_err(MalformedCertificate::of)?;
        let mut certificate = Self {
            subject: subject::text(parsed.subject()).unwrap_or_default(),
            common_names: texts(parsed.subject().iter_common_name().map(|name| name.as_str().ok())),
            subject_mails: texts(parsed.subject().iter_email().map(|mail| mail.as_str().ok())),
            mails: Vec::new(),
            principal_names: Vec::new(),
            host_names: Vec::new(),
            key: parsed.public_key().raw.to_vec(),
            octets: octets.to_vec(),
        };
        let alternative = parsed.subject_alternative_name().map_err(MalformedCertificate::of)?;
        for name in alternative.iter().flat_map(|extension| &extension.value.general_names) {
            certificate.take(name);
        }
        Ok(certificate)
    }

    /// Whether both hold the same public key, as a renewed certificate and the one before it may.
    #[must_use]
    pub fn has_key_of(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// The certificate itself, DER.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn take(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::RFC822Name(mail) => self.mails.extend(texts([Some(*mail)])),
            GeneralName::DNSName(host) => self.host_names.extend(texts([Some(*host)]).iter().map(|h| h.to_lowercase())),
            GeneralName::OtherName(kind, value) if kind.to_id_string() == PRINCIPAL_NAME => {
                self.principal_names.extend(texts([principal_name(value)]));
            }
            _ => {}
        }
    }
}

/// The values without control characters.
fn texts<'t>(values: impl IntoIterator<Item = Option<&'t str>>) -> Vec<String> {
    let is_sound = |value: &&str| !value.is_empty() && !value.chars().any(char::is_control);
    values.into_iter().flatten().filter(is_sound).map(str::to_owned).collect()
}

/// `value [0] EXPLICIT ANY DEFINED BY type-id` (RFC 5280 §4.2.1.6), which is a `UTF8String` here.
fn principal_name(value: &[u8]) -> Option<&str> {
    let (_, explicit) = Any::from_der(value).ok()?;
    let (_, inner) = Any::from_der(explicit.data).ok()?;
    std::str::from_utf8(inner.data).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, OtherNameValue, SanType};

    use super::*;

    fn made(change: impl FnOnce(&mut CertificateParams), key: &KeyPair) -> Certificate {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        change(&mut params);
        Certificate::read(params.self_signed(key).unwrap().der()).unwrap()
    }

    #[test]
    fn reads_every_name_of_its_subject() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let names = |params: &mut CertificateParams| {
            let subject = &mut params.distinguished_name;
            subject.push(DnType::from_oid(&[0, 9, 2342, 19_200_300, 100, 1, 25]), "example");
            subject.push(DnType::OrganizationalUnitName, "R&D, \"East\"+x");
            subject.push(DnType::CommonName, "#Jürgen ");
            subject.push(DnType::from_oid(&[1, 2, 840, 113_549, 1, 9, 1]), "jm@example.org");
            params.subject_alt_names = vec![
                SanType::Rfc822Name("juergen@example.org".try_into().unwrap()),
                SanType::DnsName("Mail.Example.org".try_into().unwrap()),
                SanType::OtherName((
                    vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3],
                    OtherNameValue::Utf8String("jm@AD.EXAMPLE".to_owned()),
                )),
            ];
        };
        let certificate = made(names, &key);
        assert_eq!(certificate.subject, r#"emailAddress=jm@example.org,CN=\#Jürgen\ ,OU=R&D\, \"East\"\+x,DC=example"#);
        assert_eq!(certificate.common_names, ["#Jürgen "]);
        assert_eq!(certificate.subject_mails, ["jm@example.org"]);
        assert_eq!(certificate.mails, ["juergen@example.org"]);
        assert_eq!(certificate.principal_names, ["jm@AD.EXAMPLE"]);
        assert_eq!(certificate.host_names, ["mail.example.org"]);
        assert!(certificate.has_key_of(&made(|_| {}, &key)));
        assert!(!certificate.has_key_of(&made(names, &other)));
    }

    #[test]
    fn a_name_with_a_nul_is_ignored() {
        let key = KeyPair::generate().unwrap();
        let certificate = made(|params| params.distinguished_name.push(DnType::CommonName, "ajones\0x"), &key);
        assert_eq!((certificate.subject.as_str(), certificate.common_names.len()), ("", 0));
        assert!(Certificate::read(b"\x30\x03abc").is_err());
    }
}
