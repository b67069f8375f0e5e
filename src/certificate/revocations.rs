//! What a revocation list says about itself (RFC 5280 §5).

use std::time::SystemTime;

use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use super::fields::{X509Name, moment};
use super::{CertificateFields, MalformedCertificate};

/// A revocation list: whose it is, and until when it is valid. What it revokes is evaluated where certificates are
/// verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// When the next list is due at the latest; none if it does not say.
    pub next_update: Option<SystemTime>,
    issuer: X509Name,
}

impl RevocationList {
    /// Reads a list in DER.
    ///
    /// # Errors
    /// The octets are not a revocation list in DER.
    pub fn read(octets: &[u8]) -> Result<Self, MalformedCertificate> {
        let (_, parsed) = CertificateRevocationList::from_der(octets).map_err(MalformedCertificate::of)?;
        Ok(Self { next_update: parsed.next_update().map(moment), issuer: X509Name::of(parsed.issuer()) })
    }

    /// Whether it is the list of that authority.
    #[must_use]
    pub fn is_of(&self, authority: &CertificateFields) -> bool {
        self.issuer == *authority.subject()
    }

    /// How messages name its issuer.
    #[must_use]
    pub fn issuer_name(&self) -> String {
        self.issuer.quoted()
    }
}
