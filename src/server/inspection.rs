//! What an administrator should know about certificates before clients find out: chains that clients reject, certificates
//! that have expired, authorities and revocation lists that make no certificate valid.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::{CertificateError as Of, Error, RootCertStore, crypto};

use super::Certificates;
use super::certificates::ServerCertificate;
use super::client_trust::{ClientTrust, lists_of};
use super::pem::certificates_of;
use crate::certificate::{CertificateFields, CertificateFinding, RevocationList, inspect_chain, top_of_chain};
use crate::date::Date;

/// What was found in one file.
pub type FileFinding = (PathBuf, CertificateFinding);

impl Certificates {
    /// What is wrong with each certificate and its chain. `known` are authorities that clients may trust.
    #[must_use]
    pub fn inspect(&self, known: &[CertificateDer<'static>], now: SystemTime) -> Vec<FileFinding> {
        let authorities = readable(known);
        let mut findings: Vec<FileFinding> = Vec::new();
        for (number, named) in self.keys.iter().enumerate() {
            let found = named.inspect(known, &authorities, now);
            let hidden = self.keys.iter().take(number).find(|before| before.hides(named)).map(|before| {
                let before = before.chain.display();
                CertificateFinding::Note(format!(
                    "is never shown: {before} is for the same hosts, has a key of the same kind, and comes first"
                ))
            });
            findings.extend(found.into_iter().chain(hidden).map(|finding| (named.chain.clone(), finding)));
        }
        findings
    }

    /// If none of them is for this host name: which names they are for.
    #[must_use]
    pub fn lacks_host(&self, host: &str) -> Option<String> {
        let all: Vec<CertificateFields> =
            self.keys.iter().filter_map(|named| named.fields().ok()?.first().cloned()).collect();
        let is_there = all.iter().any(|own| own.is_for_host(host));
        (!is_there).then(|| all.iter().map(CertificateFields::hosts).collect::<Vec<_>>().join(", "))
    }
}

impl ServerCertificate {
    fn inspect(
        &self,
        known: &[CertificateDer<'static>],
        authorities: &[CertificateFields],
        now: SystemTime,
    ) -> Vec<CertificateFinding> {
        let chain = match self.fields() {
            Ok(chain) => chain,
            Err(fault) => return vec![CertificateFinding::Fault(fault)],
        };
        let mut findings = inspect_chain(&chain, authorities, now);
        let has_fault = findings.iter().any(|finding| matches!(finding, CertificateFinding::Fault(_)));
        if !has_fault {
            findings.extend(self.rejected(&chain, known));
        }
        findings
    }

    /// Why a client that trusts the end of the chain would reject it, signatures included. Whether it is for the right
    /// host is checked elsewhere.
    pub(super) fn rejected(
        &self,
        chain: &[CertificateFields],
        known: &[CertificateDer<'static>],
    ) -> Option<CertificateFinding> {
        let own = chain.first().filter(|own| !own.is_self_issued())?;
        let (leaf, above) = self.key.cert.split_first()?;
        let top = top_of_chain(chain).filter(|top| *top > 0).and_then(|top| self.key.cert.get(top));
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(known.iter().chain(top).cloned());
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let client = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
        let host = ServerName::try_from(own.host_names.first()?.replace('*', "host")).ok()?;
        let fault = client.verify_server_cert(leaf, above, &host, &[], UnixTime::now()).err()?;
        if let Error::InvalidCertificate(Of::NotValidForName | Of::NotValidForNameContext { .. }) = fault {
            return None;
        }
        let right = "expected a chain in which each certificate is signed by the next one";
        Some(CertificateFinding::Fault(format!("clients reject the chain of {}: {fault}; {right}", own.name())))
    }

    /// Whether every client to which the other one could be shown is shown this one.
    fn hides(&self, other: &Self) -> bool {
        let all = crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes();
        let kind = |named: &Self| named.key.key.choose_scheme(&all).map(|signer| signer.scheme());
        kind(self) == kind(other) && !other.names.is_empty() && other.names.iter().all(|name| self.names.contains(name))
    }
}

impl ClientTrust {
    /// What is wrong with the authorities and with their revocation lists.
    #[must_use]
    pub fn inspect(&self, now: SystemTime) -> Vec<FileFinding> {
        let file = self.authorities_file();
        let of_authorities = inspect_authorities(file, now).into_iter().map(|finding| (file.to_owned(), finding));
        of_authorities.chain(self.inspect_lists(now)).collect()
    }

    fn inspect_lists(&self, now: SystemTime) -> Vec<FileFinding> {
        let mut lists = Vec::new();
        for file in self.list_files() {
            let read = lists_of(file).unwrap_or_default();
            lists.extend(read.iter().filter_map(|list| Some((file, RevocationList::read(list).ok()?))));
        }
        let outdated = lists.iter().filter_map(|(file, list)| {
            let due = list.next_update.filter(|due| *due < now)?;
            let (issuer, due) = (list.issuer_name(), Date::of(due).of_log());
            let what = format!("the list of {issuer} is out of date since {due}: no certificate of that issuer counts");
            Some(((*file).clone(), CertificateFinding::Fault(format!("{what}; expected its current list"))))
        });
        let mut findings: Vec<FileFinding> = outdated.collect();
        let authorities = readable(&authorities_of(self.authorities_file()));
        let unlisted = authorities.iter().filter(|authority| !lists.iter().any(|(_, list)| list.is_of(authority)));
        if !self.list_files().is_empty() {
            findings.extend(unlisted.map(|authority| (self.authorities_file().to_owned(), without_list(authority))));
        }
        findings
    }
}

fn without_list(authority: &CertificateFields) -> CertificateFinding {
    let name = authority.name();
    CertificateFinding::Fault(format!(
        "{name} has no revocation list among tls.crls, so no certificate that it signed counts; expected its list \
         there, or this authority left out"
    ))
}

/// What is wrong with the certificates of a PEM file, each of which should be an authority's.
#[must_use]
pub fn inspect_authorities(file: &Path, now: SystemTime) -> Vec<CertificateFinding> {
    let authorities = readable(&authorities_of(file));
    let is_over = |authority: &CertificateFields| authority.valid_until < now;
    // Bundles keep the old certificate of an authority beside the new one for a while.
    let all_are_over = authorities.iter().all(is_over);
    let mut findings = Vec::new();
    for authority in &authorities {
        findings.extend(authority.inspect(now).into_iter().map(|finding| match finding {
            CertificateFinding::Fault(text) if is_over(authority) && !all_are_over => CertificateFinding::Note(text),
            other => other,
        }));
        if !authority.is_authority && !authority.is_self_issued() {
            let (name, issuer) = (authority.name(), authority.issuer_name());
            let what = format!("{name} is not an authority's certificate, so it certifies nobody");
            findings.push(CertificateFinding::Fault(format!("{what}; expected that of {issuer}, which issued it")));
        }
    }
    findings
}

/// The certificates of a PEM file; none if it cannot be read.
#[must_use]
pub fn authorities_of(file: &Path) -> Vec<CertificateDer<'static>> {
    certificates_of(file).unwrap_or_default()
}

fn readable(certificates: &[CertificateDer<'_>]) -> Vec<CertificateFields> {
    certificates.iter().filter_map(|certificate| CertificateFields::read(certificate).ok()).collect()
}
