//! What `check` says of certificates and of the files that say whose count.

use crate::server::{ClientTrust, Settings, TlsPolicies};

/// What came to light.
#[derive(Default)]
pub(super) struct Findings {
    /// What is wrong.
    pub(super) faults: Vec<String>,
    /// What an administrator may want to know, though it may be right as it is.
    pub(super) notes: Vec<String>,
}

/// Looks at everything that has to do with TLS towards clients.
pub(super) fn inspect(server: &Settings) -> Findings {
    let mut findings = Findings::default();
    let Some(certificates) = &server.certificates else { return findings };
    let policies = TlsPolicies::new(certificates.clone(), server.client_trust.clone());
    findings.faults.extend(policies.err().map(|fault| format!("tls: {fault}")));
    let names = server.client_trust.as_ref().and_then(ClientTrust::names_left_out);
    findings.notes.extend(names.map(|note| format!("tls.client_ca: {note}")));
    findings
}
