//! When the certificates that the server shows expire, as reports say it: a chain when the first of it does.

use super::Certificates;
use crate::certificate::CertificateFields;
use crate::ledger::OwnCertificate;

impl Certificates {
    /// Each certificate that clients may be shown, in the order of the configuration.
    pub(super) fn own(&self) -> Vec<OwnCertificate> {
        let own = self.keys.iter().filter_map(|named| {
            let fields = CertificateFields::read(named.key.cert.first()?).ok()?;
            let name = if named.names.is_empty() { fields.name() } else { named.names.join(", ") };
            Some(OwnCertificate { file: named.chain.display().to_string(), name, valid_until: named.valid_until? })
        });
        own.collect()
    }
}
