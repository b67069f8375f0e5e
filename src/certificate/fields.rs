//! What decides whether others accept a certificate: its names, its validity, its key, who issued it (RFC 5280).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use x509_parser::time::ASN1Time;

use super::weakness::{weak_key, weak_signature};
use super::{HostMatch, MalformedCertificate, host_match, subject};

/// What one certificate says about itself and its issuer. None of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFields {
    /// The first moment at which it is valid.
    pub valid_from: SystemTime,
    /// The last one.
    pub valid_until: SystemTime,
    /// Whether it may sign other certificates (basicConstraints).
    pub is_authority: bool,
    /// Whether a server may show it (extendedKeyUsage; without that extension it may).
    pub is_for_servers: bool,
    /// The host names among the subject alternative names, in lower case.
    pub host_names: Vec<String>,
    /// The IP addresses among them.
    pub addresses: Vec<IpAddr>,
    /// Why clients reject its key or its signature, whatever else it says: what is wrong, and what is expected.
    pub weakness: Option<String>,
    subject: X509Name,
    issuer: X509Name,
    key_id: Option<Vec<u8>>,
    issuer_key_id: Option<Vec<u8>>,
}

/// A distinguished name: as people read it, and as certificates compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct X509Name {
    text: String,
    der: Vec<u8>,
}

impl CertificateFields {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// The octets are not a certificate in DER.
    pub fn read(octets: &[u8]) -> Result<Self, MalformedCertificate> {
        let (_, parsed) = X509Certificate::from_der(octets).map_err(MalformedCertificate::of)?;
        let constraints = parsed.basic_constraints().map_err(MalformedCertificate::of)?;
        let usage = parsed.extended_key_usage().map_err(MalformedCertificate::of)?;
        let mut fields = Self {
            valid_from: moment(parsed.validity().not_before),
            valid_until: moment(parsed.validity().not_after),
            is_authority: constraints.is_some_and(|constraints| constraints.value.ca),
            is_for_servers: usage.is_none_or(|usage| usage.value.server_auth || usage.value.any),
            host_names: Vec::new(),
            addresses: Vec::new(),
            weakness: weak_key(parsed.public_key()),
            subject: X509Name::of(parsed.subject()),
            issuer: X509Name::of(parsed.issuer()),
            key_id: None,
            issuer_key_id: None,
        };
        for extension in parsed.extensions() {
            fields.take(extension.parsed_extension());
        }
        // Nobody verifies the signature by which a root vouches for itself.
        if !fields.is_self_issued() {
            let signature = weak_signature(&parsed.signature_algorithm.algorithm);
            fields.weakness = fields.weakness.or(signature);
        }
        Ok(fields)
    }

    fn take(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::SubjectKeyIdentifier(id) => self.key_id = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(issuer) => {
                self.issuer_key_id = issuer.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                for name in &names.general_names {
                    self.take_name(name);
                }
            }
            _ => {}
        }
    }

    fn take_name(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(host) => self.host_names.push(host.to_lowercase()),
            GeneralName::IPAddress(octets) => self.addresses.extend(address(octets)),
            _ => {}
        }
    }

    /// How messages name it: the subject in quotes, or its first host name if the subject is empty.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.subject.text.as_str(), self.host_names.first()) {
            ("", Some(host)) => format!("\"{host}\""),
            _ => self.subject.quoted(),
        }
    }

    /// How messages name its issuer.
    #[must_use]
    pub fn issuer_name(&self) -> String {
        self.issuer.quoted()
    }

    /// Its subject's distinguished name.
    pub(super) fn subject(&self) -> &X509Name {
        &self.subject
    }

    /// Whether it names itself as its issuer, as roots do.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject.der == self.issuer.der
    }

    /// Whether it names another one as its issuer: by name, and by key where both say which (RFC 5280 §4.2.1.1).
    #[must_use]
    pub fn is_issued_by(&self, other: &Self) -> bool {
        let has_its_key = match (&self.issuer_key_id, &other.key_id) {
            (Some(issuer), Some(key)) => issuer == key,
            _ => true,
        };
        self.issuer.der == other.subject.der && has_its_key
    }

    /// Whether clients accept it for a host name or an IP address.
    #[must_use]
    pub fn is_for_host(&self, host: &str) -> bool {
        match host.parse::<IpAddr>() {
            Ok(address) => self.addresses.contains(&address),
            Err(_) => host_match(&self.host_names, &host.to_lowercase()) != HostMatch::None,
        }
    }

    /// The host names and addresses that it is for, as a list for people.
    #[must_use]
    pub fn hosts(&self) -> String {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        self.host_names.iter().cloned().chain(addresses).collect::<Vec<_>>().join(", ")
    }
}

impl X509Name {
    pub(super) fn of(name: &x509_parser::x509::X509Name<'_>) -> Self {
        Self { text: subject::text(name).unwrap_or_default(), der: name.as_raw().to_vec() }
    }

    pub(super) fn quoted(&self) -> String {
        format!("\"{}\"", self.text)
    }
}

pub(super) fn moment(time: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = || Some(IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)));
    let v6 = || Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)));
    v4().or_else(v6)
}
