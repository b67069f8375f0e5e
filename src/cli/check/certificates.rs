//! What `check` reports about certificates, authorities and revocation lists.

use std::time::SystemTime;

use crate::certificate::CertificateFinding;
use crate::config::Configuration;
use crate::directory::system_authorities;
use crate::server::{self, ClientTrust, FileFinding, TlsPolicies, authorities_of, inspect_authorities};

/// What was found.
#[derive(Default)]
pub(super) struct CertificateFindings {
    /// What is wrong.
    pub(super) faults: Vec<String>,
    /// What an administrator may want to know, though it is not necessarily wrong.
    pub(super) notes: Vec<String>,
}

impl CertificateFindings {
    fn add(&mut self, key: &str, found: impl IntoIterator<Item = FileFinding>) {
        for (file, finding) in found {
            let named = |text| format!("{key}: {}: {text}", file.display());
            match finding {
                CertificateFinding::Fault(text) => self.faults.push(named(text)),
                CertificateFinding::Note(text) => self.notes.push(named(text)),
            }
        }
    }
}

/// Looks at everything that has to do with TLS.
pub(super) fn inspect(configuration: &Configuration) -> CertificateFindings {
    let mut findings = CertificateFindings::default();
    inspect_server(configuration, &mut findings);
    inspect_clients(&configuration.server, &mut findings);
    for (directory, file) in &configuration.directory_authorities {
        let found = inspect_authorities(file, SystemTime::now());
        findings.add(&format!("directory {directory}: ca"), found.into_iter().map(|finding| (file.clone(), finding)));
    }
    findings
}

/// The server's own certificates.
fn inspect_server(configuration: &Configuration, findings: &mut CertificateFindings) {
    let server = &configuration.server;
    let Some(certificates) = &server.certificates else { return };
    let policies = TlsPolicies::new(certificates.clone(), server.client_trust.clone(), server.hostname.clone());
    findings.faults.extend(policies.err().map(|fault| format!("tls: {fault}")));
    // An organisation's own authority signs for its directory and its people as well as for its mail server.
    let own = configuration.directory_authorities.iter().map(|(_, file)| file.as_path());
    let own = own.chain(server.client_trust.as_ref().map(ClientTrust::authorities_file)).flat_map(authorities_of);
    let known: Vec<_> = system_authorities().into_iter().chain(own).collect();
    findings.add("tls.certificates", certificates.inspect(&known, SystemTime::now()));
    if let Some(host) = &server.hostname
        && let Some(hosts) = certificates.lacks_host(host)
    {
        let hosts = if hosts.is_empty() { "no host at all" } else { &hosts };
        findings.faults.push(format!(
            "tls.certificates: none is valid for {host}, the `hostname` of this file, but for {hosts}; expected a \
             certificate for {host}, or the `hostname` under which clients reach this server"
        ));
    }
}

/// The authorities and revocation lists for clients.
fn inspect_clients(server: &server::Settings, findings: &mut CertificateFindings) {
    let Some(trust) = &server.client_trust else { return };
    findings.notes.extend(trust.names_left_out().map(|note| format!("tls.client_ca: {note}")));
    let (authorities, lists): (Vec<_>, Vec<_>) =
        trust.inspect(SystemTime::now()).into_iter().partition(|(file, _)| file == trust.authorities_file());
    findings.add("tls.client_ca", authorities);
    findings.add("tls.crls", lists);
}
