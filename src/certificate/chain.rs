//! A server's certificate chain as clients judge it: "The sender's certificate MUST come in the first … Each following
//! certificate SHOULD directly certify the one immediately preceding it." (RFC 8446 §4.4.2)

use std::time::{Duration, SystemTime};

use super::CertificateFields;
use crate::date::Date;

/// A finding about certificates, as a sentence: what is wrong, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFinding {
    /// Clients, or some of them, will not accept it.
    Fault(String),
    /// It may be intended; the administrator knows.
    Note(String),
}

/// The end of a certificate is announced in the last of this many equal parts of its validity.
const LAST_PART: u32 = 10;

/// What is wrong with a chain, the server's own certificate first. `known` are authorities that may have issued its last
/// certificate.
#[must_use]
pub fn inspect_chain(
    chain: &[CertificateFields],
    known: &[CertificateFields],
    now: SystemTime,
) -> Vec<CertificateFinding> {
    let Some(own) = chain.first() else { return Vec::new() };
    let each = chain.iter().flat_map(|certificate| certificate.inspect(now));
    own.inspect_as_servers().into_iter().chain(each).chain(inspect_order(own, chain, known)).collect()
}

impl CertificateFields {
    /// What is wrong with it wherever it is used: its time, its key.
    #[must_use]
    pub fn inspect(&self, now: SystemTime) -> Vec<CertificateFinding> {
        let weakness =
            self.weakness.as_ref().map(|weakness| CertificateFinding::Fault(format!("{} {weakness}", self.name())));
        self.inspect_validity(now).into_iter().chain(weakness).collect()
    }

    /// Whether it is valid now, and how long it will be.
    #[must_use]
    pub fn inspect_validity(&self, now: SystemTime) -> Option<CertificateFinding> {
        let (name, from, until) = (self.name(), self.valid_from, self.valid_until);
        if until < now {
            let what = format!("{name} expired at {}; expected its renewed certificate", Date::of(until).of_log());
            return Some(CertificateFinding::Fault(what));
        }
        if now < from {
            let (from, now) = (Date::of(from).of_log(), Date::of(now).of_log());
            let right = "expected one that is valid now, or a clock that is right";
            return Some(CertificateFinding::Fault(format!(
                "{name} is not valid before {from}, and it is {now} here; {right}"
            )));
        }
        let left = until.duration_since(now).unwrap_or_default();
        let life = until.duration_since(from).unwrap_or_default();
        (left < life / LAST_PART).then(|| {
            CertificateFinding::Note(format!(
                "{name} expires at {}, {} from now",
                Date::of(until).of_log(),
                in_words(left)
            ))
        })
    }

    /// What is wrong with it as a server's own.
    fn inspect_as_servers(&self) -> Vec<CertificateFinding> {
        let name = self.name();
        let mut findings = Vec::new();
        if self.is_authority {
            findings.push(format!(
                "{name} is an authority's certificate, which many clients do not accept as a server's; expected one \
                 with basicConstraints CA:FALSE"
            ));
        }
        if !self.is_for_servers {
            findings.push(format!(
                "{name} is not for servers (extended key usage); expected one with serverAuth among its usages"
            ));
        }
        if self.host_names.is_empty() && self.addresses.is_empty() {
            findings.push(format!(
                "{name} is for no host: clients ignore the common name; expected the host names among its subject \
                 alternative names"
            ));
        }
        findings.into_iter().map(CertificateFinding::Fault).collect()
    }
}

/// Whether each certificate of a chain is followed by its issuer's, as far as these are there.
#[must_use]
pub fn is_in_order(chain: &[CertificateFields]) -> bool {
    chain.first().is_none_or(|own| path(own, chain).iter().zip(chain).all(|(right, found)| std::ptr::eq(*right, found)))
}

/// Whether each certificate is followed by its issuer's, up to an authority that clients may know.
fn inspect_order(
    own: &CertificateFields,
    chain: &[CertificateFields],
    known: &[CertificateFields],
) -> Vec<CertificateFinding> {
    let path = path(own, chain);
    let mut findings: Vec<CertificateFinding> = inspect_end(&path, known).into_iter().collect();
    if !is_in_order(chain) {
        let right = path.iter().map(|certificate| certificate.name()).collect::<Vec<_>>().join(", then ");
        let what = "the certificates are in the wrong order, and some clients reject that";
        findings.push(CertificateFinding::Fault(format!("{what}; expected {right}")));
    }
    let is_needless = |certificate: &&CertificateFields| !path.iter().any(|needed| std::ptr::eq(*needed, *certificate));
    findings.extend(chain.iter().filter(is_needless).map(|certificate| {
        CertificateFinding::Note(format!(
            "{} does not belong to the chain, but is sent to each client",
            certificate.name()
        ))
    }));
    findings
}

/// The index of the last certificate on the path from the server's own towards its root.
#[must_use]
pub fn top_of_chain(chain: &[CertificateFields]) -> Option<usize> {
    let top = *path(chain.first()?, chain).last()?;
    chain.iter().position(|certificate| std::ptr::eq(certificate, top))
}

/// The server's certificate, its issuer's, that one's issuer's and so on, as far as they are there.
fn path<'c>(own: &'c CertificateFields, chain: &'c [CertificateFields]) -> Vec<&'c CertificateFields> {
    let mut path = vec![own];
    let mut last = own;
    while !last.is_self_issued() {
        let is_new = |one: &CertificateFields| !path.iter().any(|known| std::ptr::eq(*known, one));
        let Some(issuer) = chain.iter().find(|one| last.is_issued_by(one) && is_new(one)) else { break };
        path.push(issuer);
        last = issuer;
    }
    path
}

/// Whether clients can continue from the last certificate on the path.
fn inspect_end(path: &[&CertificateFields], known: &[CertificateFields]) -> Option<CertificateFinding> {
    let (top, below) = path.split_last()?;
    if top.is_self_issued() {
        let what = "is self-signed: each client must be configured to trust it";
        return below.is_empty().then(|| CertificateFinding::Note(format!("{} {what}", top.name())));
    }
    if known.iter().any(|authority| top.is_issued_by(authority)) {
        return None;
    }
    let (name, issuer) = (top.name(), top.issuer_name());
    if !below.is_empty() {
        let what = "is no authority that this system knows: that is fine if the clients trust it";
        return Some(CertificateFinding::Note(format!("{issuer}, which issued {name}, {what}")));
    }
    Some(CertificateFinding::Fault(format!(
        "the certificate of {issuer}, which issued {name}, is missing, and this system knows no such authority, so clients \
         cannot verify the chain; expected the server's certificate followed by the intermediate ones up to the root \
         (certbot's fullchain.pem); if {issuer} is itself a root that the clients trust, put it there as well"
    )))
}

fn in_words(left: Duration) -> String {
    match (left.as_secs() / 86_400, left.as_secs() / 3_600) {
        (0, hours) => format!("{hours} hours"),
        (1, _) => "1 day".to_owned(),
        (days, _) => format!("{days} days"),
    }
}
