//! Certificates for clients, and lists of those that were revoked.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

const DAY: Duration = Duration::from_secs(86_400);

/// Signs certificates for people.
pub struct ClientAuthority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Its own certificate and those above it but the root's, which clients show with theirs.
    shown: Vec<CertificateDer<'static>>,
}

/// What is asked of an authority.
pub struct Request {
    /// The names and the key usage.
    pub params: CertificateParams,
    /// Its place in a revocation list.
    pub serial: u64,
}

/// A certificate with its key.
pub struct ClientCertificate {
    pub own: CertificateDer<'static>,
    pub between: Vec<CertificateDer<'static>>,
    pub key: Arc<KeyPair>,
}

impl Request {
    /// For a client of that common name, from yesterday to tomorrow.
    pub fn named(common_name: &str) -> Self {
        Self::of(&[(DnType::CommonName, common_name)])
    }

    /// For a client of that distinguished name, the root's part first.
    pub fn of(parts: &[(DnType, &str)]) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = (SystemTime::now() - DAY).into();
        params.not_after = (SystemTime::now() + DAY).into();
        Self { params, serial: 1 }
    }

    /// For a server at `localhost`, from yesterday to tomorrow.
    pub fn of_server() -> Self {
        let mut request = Self::named("localhost").and(SanType::DnsName("localhost".try_into().unwrap()));
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        request
    }

    /// With another alternative name.
    pub fn and(mut self, name: SanType) -> Self {
        self.params.subject_alt_names.push(name);
        self
    }

    /// With a mail address as alternative name.
    pub fn mail(self, address: &str) -> Self {
        self.and(SanType::Rfc822Name(address.try_into().unwrap()))
    }

    /// That begins at another time.
    pub fn from(mut self, begin: SystemTime) -> Self {
        self.params.not_before = begin.into();
        self
    }

    /// That ends at another time.
    pub fn until(mut self, end: SystemTime) -> Self {
        self.params.not_after = end.into();
        self
    }

    /// With another number.
    pub fn numbered(self, serial: u64) -> Self {
        Self { serial, ..self }
    }
}

impl ClientAuthority {
    /// A fresh one.
    pub fn new(name: &str) -> Self {
        let issuer = CertifiedIssuer::self_signed(Self::params(name), KeyPair::generate().unwrap()).unwrap();
        Self { issuer, shown: Vec::new() }
    }

    /// A fresh one that this one signs for.
    pub fn below(&self, name: &str, serial: u64) -> Self {
        self.below_by(name, serial, |_| {})
    }

    /// The same, which ends at that time.
    pub fn below_until(&self, name: &str, serial: u64, end: SystemTime) -> Self {
        self.below_by(name, serial, |params| params.not_after = end.into())
    }

    fn below_by(&self, name: &str, serial: u64, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = Self::params(name);
        change(&mut params);
        params.serial_number = Some(SerialNumber::from(serial));
        params.use_authority_key_identifier_extension = true;
        let issuer = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.issuer).unwrap();
        Self { shown: vec![issuer.der().clone()], issuer }
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }

    /// Its own certificate.
    pub fn own(&self) -> &CertificateDer<'static> {
        self.issuer.der()
    }

    /// The same.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Signs for a fresh key.
    pub fn sign(&self, request: Request) -> ClientCertificate {
        self.sign_key(request, &Arc::new(KeyPair::generate().unwrap()))
    }

    /// Signs for a key.
    pub fn sign_key(&self, request: Request, key: &Arc<KeyPair>) -> ClientCertificate {
        let mut params = request.params;
        params.serial_number = Some(SerialNumber::from(request.serial));
        let own = params.signed_by(&**key, &self.issuer).unwrap().der().clone();
        ClientCertificate { own, between: self.shown.clone(), key: key.clone() }
    }

    /// A list of the revoked numbers, which is out of date after a while.
    pub fn revocations(&self, serials: &[u64], until: SystemTime) -> String {
        let before = SystemTime::now() - 2 * DAY;
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: before.into(),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: before.into(),
            next_update: until.into(),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

impl ClientCertificate {
    /// As a line of LDIF.
    pub fn ldif(&self) -> String {
        format!("userCertificate;binary:: {}\n", STANDARD.encode(&self.own))
    }

    /// It and those between it and the root's, PEM.
    pub fn chain(&self) -> String {
        std::iter::once(&self.own).chain(&self.between).map(pem).collect()
    }

    /// Writes `NAME.pem` and `NAME.key`.
    pub fn write(&self, folder: &Path, name: &str) {
        fs::write(folder.join(format!("{name}.pem")), pem(&self.own)).unwrap();
        fs::write(folder.join(format!("{name}.key")), self.key.serialize_pem()).unwrap();
    }
}

/// A certificate as files have it.
pub fn pem(certificate: &CertificateDer<'_>) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate))
}

/// TLS as a client that trusts one authority (a PEM file), and shows a certificate if it has one. Each has a memory of its
/// own for sessions to resume.
pub fn showing(authority: &Path, certificate: Option<&ClientCertificate>) -> Arc<ClientConfig> {
    showing_by(rustls::DEFAULT_VERSIONS, authority, certificate)
}

/// The same, by some versions of TLS only.
pub fn showing_by(
    versions: &[&'static SupportedProtocolVersion],
    authority: &Path,
    certificate: Option<&ClientCertificate>,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let builder = builder.with_root_certificates(roots);
    Arc::new(match certificate {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { own, between, key }) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let chain = std::iter::once(own).chain(between).cloned().collect();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    })
}

/// Whether a server goes on talking after the handshake, which a client of TLS 1.3 learns only then.
pub fn is_served(server: SocketAddr, stls: bool, config: &Arc<ClientConfig>) -> bool {
    use std::io::{BufRead, BufReader, Read, Write};
    let mut stream = std::net::TcpStream::connect(server).unwrap();
    if stls {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        lines.read_line(&mut String::new()).unwrap();
        stream.write_all(b"STLS\r\n").unwrap();
        lines.read_line(&mut String::new()).unwrap();
    }
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(config.clone(), name).unwrap(), stream);
    let mut talk = || -> io::Result<usize> {
        tls.write_all(b"CAPA\r\n")?;
        tls.read(&mut [0; 1])
    };
    talk().is_ok_and(|count| count > 0)
}
