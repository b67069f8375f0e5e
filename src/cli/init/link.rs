//! The connection to the directory: TLS and whom it trusts.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::arguments::InitArgs;
use super::fault::{InitFault, ServerFault};
use super::interview::Interview;
use super::trial::{self, ServerAddress};
use crate::certificate::{CertificateFields, Sha256Fingerprint, pem, top_of_chain};
use crate::cli::sanitized;
use crate::directory::{self, Directory, Distrust, LdapUrl, PresentedChain, ServiceBind};

/// A base for questions that have none; nothing is searched there.
const ANY_BASE: &str = "dc=example";

/// How to reach the directory; every directory that is asked is made from it.
pub(super) struct DirectoryLink {
    pub(super) url: LdapUrl,
    pub(super) starttls: bool,
    pub(super) trusted: TrustedBy,
    pub(super) service: Option<ServiceBind>,
    /// Holds the accepted authority until it is saved.
    folder: TempDir,
    pub(super) runtime: Runtime,
}

/// Why the server is trusted.
pub(super) enum TrustedBy {
    /// There is no TLS. Whether nothing leaves this machine.
    Nothing { is_local: bool },
    /// The authorities of this system.
    System,
    /// Those in a file.
    File(PathBuf),
    /// One that the server presented, and the administrator accepted, in DER.
    Accepted(Vec<u8>),
}

impl DirectoryLink {
    /// Finds out whether the server is trusted. Without trust, nothing is sent to it.
    pub(super) fn establish(arguments: &InitArgs, interview: &Interview) -> Result<Self, InitFault> {
        let url = LdapUrl::parse(&arguments.url).map_err(|why| InitFault::Option("URL", why))?;
        let is_plain = matches!(url, LdapUrl::Tcp { tls: false, .. });
        let is_clear = arguments.clear_text || (url.is_loopback() && !arguments.starttls);
        let starttls = is_plain && !is_clear;
        if arguments.starttls && !is_plain {
            return Err(InitFault::Option("--starttls", format!("{url} does not begin with ldap://")));
        }
        let is_local = url.is_loopback();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let trusted = TrustedBy::Nothing { is_local };
        let mut link = Self { url, starttls, trusted, service: None, folder: tempfile::tempdir()?, runtime };
        if !link.url.is_ldaps() {
            link.require_answer(starttls)?;
        }
        if starttls || link.url.is_ldaps() {
            link.trusted = link.judge(arguments, interview)?;
        } else if arguments.ca.is_some() {
            return Err(InitFault::Option("--ca", format!("has no effect: {} has no TLS", link.url)));
        }
        Ok(link)
    }

    /// The directory with this base and schema, and this filter in place of the schema's.
    pub(super) fn directory(&self, base: &str, schema: &str, filter: Option<&str>) -> Result<Directory, InitFault> {
        self.directory_reading(base, schema, filter, &[])
    }

    /// The same, and further attributes are read of people.
    pub(super) fn directory_reading(
        &self,
        base: &str,
        schema: &str,
        filter: Option<&str>,
        further: &[&str],
    ) -> Result<Directory, InitFault> {
        let mut settings = trial::directory(self.address(), base, schema, filter)?;
        settings.bind.clone_from(&self.service);
        settings.further_attributes.extend(further.iter().map(|name| (*name).to_owned()));
        settings.tls = directory::trust(self.ca_file().as_deref()).map_err(|why| InitFault::Option("--ca", why))?;
        Ok(Directory::new(settings))
    }

    /// How the server is reached.
    pub(super) fn address(&self) -> ServerAddress<'_> {
        ServerAddress { url: &self.url, starttls: self.starttls }
    }

    /// The directory for questions about the server itself.
    pub(super) fn server(&self) -> Result<Directory, InitFault> {
        self.directory(ANY_BASE, "inet_org_person", None)
    }

    fn ca_file(&self) -> Option<PathBuf> {
        match &self.trusted {
            TrustedBy::File(file) => Some(file.clone()),
            TrustedBy::Accepted(_) => Some(self.accepted_file()),
            TrustedBy::Nothing { .. } | TrustedBy::System => None,
        }
    }

    fn accepted_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Asks the server for its root DSE, before TLS and without a bind.
    fn require_answer(&mut self, starttls: bool) -> Result<(), InitFault> {
        self.starttls = false;
        let answer = self.runtime.block_on(self.server()?.root_dse());
        self.starttls = starttls;
        match answer {
            Err(fault @ directory::Fault::Unavailable { .. }) => {
                Err(ServerFault::Unreachable(self.url.to_string(), fault).into())
            }
            // A server may want TLS before it shows anything.
            Ok(_) | Err(directory::Fault::Misconfigured(_)) => Ok(()),
        }
    }

    fn presented(&self, ca: Option<&Path>) -> Result<PresentedChain, InitFault> {
        let url = self.url.to_string();
        let no_chain = if self.starttls { ServerFault::NoStartTls } else { ServerFault::Unreachable };
        self.runtime.block_on(self.server()?.presented_chain(ca)).map_err(|fault| no_chain(url, fault).into())
    }

    fn judge(&self, arguments: &InitArgs, interview: &Interview) -> Result<TrustedBy, InitFault> {
        let ca = arguments.ca.as_deref().map(std::path::absolute).transpose()?;
        directory::trust(ca.as_deref()).map_err(|why| InitFault::Option("--ca", why))?;
        let chain = self.presented(ca.as_deref())?;
        match (&chain.distrust, ca) {
            (None, Some(ca)) => Ok(TrustedBy::File(ca)),
            (None, None) => Ok(TrustedBy::System),
            (Some(Distrust::UnknownAuthority), Some(ca)) => {
                Err(ServerFault::OtherAuthority { ca, signed_by: sanitized(&signer(&fields(&chain)?)) }.into())
            }
            (Some(Distrust::UnknownAuthority), None) => self.accept(&chain, arguments, interview),
            (Some(distrust), _) => Err(self.refused(&chain, distrust).into()),
        }
    }

    /// Lets the administrator compare the fingerprint of the authority that the server presents. Whoever is on the way
    /// can present any chain, so nothing less makes it trusted.
    fn accept(
        &self,
        chain: &PresentedChain,
        arguments: &InitArgs,
        interview: &Interview,
    ) -> Result<TrustedBy, InitFault> {
        let read = fields(chain)?;
        let top = top_of_chain(&read).unwrap_or_default();
        let (Some(authority), Some(of_authority)) = (chain.certificates.get(top), read.get(top)) else {
            return Err(ServerFault::Certificate("the server presents none".to_owned()).into());
        };
        fs::write(self.accepted_file(), pem(authority))?;
        let again = self.presented(Some(&self.accepted_file()))?;
        match &again.distrust {
            None => {}
            Some(Distrust::UnknownAuthority) => {
                return Err(ServerFault::AuthorityNotPresented(sanitized(&signer(&read))).into());
            }
            Some(distrust) => return Err(self.refused(chain, distrust).into()),
        }
        let fingerprint = Sha256Fingerprint::of(authority);
        describe(chain, &read);
        match arguments.accept_fingerprint {
            Some(accepted) if accepted == fingerprint => {}
            Some(accepted) => return Err(ServerFault::OtherFingerprint { accepted, presented: fingerprint }.into()),
            None => {
                let question = format!(
                    "Compare it with the certificate on the directory server. Is {fingerprint} the fingerprint of {}?",
                    of_authority.name()
                );
                let what = format!(
                    "no trusted authority has signed the server's certificate, and nobody has confirmed the fingerprint of \
                     the one that it presents, {}",
                    sanitized(&of_authority.name())
                );
                if !interview.confirm(&question, &what, "--ca or --accept-fingerprint")? {
                    return Err(InitFault::Declined("the authority of the directory's certificate is not trusted"));
                }
            }
        }
        Ok(TrustedBy::Accepted(authority.clone()))
    }

    fn refused(&self, chain: &PresentedChain, distrust: &Distrust) -> ServerFault {
        let host = match &self.url {
            LdapUrl::Tcp { host, .. } => host.clone(),
            LdapUrl::Local(path) => path.display().to_string(),
        };
        let hosts = fields(chain).ok().and_then(|read| read.first().map(CertificateFields::hosts)).unwrap_or_default();
        match distrust {
            Distrust::OtherName => ServerFault::OtherName { host, hosts: sanitized(&hosts) },
            Distrust::NotValidNow => ServerFault::Certificate("it, or its authority's, is not valid now".to_owned()),
            Distrust::UnknownAuthority => ServerFault::Certificate("no trusted authority has signed it".to_owned()),
            Distrust::Other(why) => ServerFault::Certificate(why.clone()),
        }
    }
}

fn fields(chain: &PresentedChain) -> Result<Vec<CertificateFields>, InitFault> {
    let read = chain.certificates.iter().map(|own| CertificateFields::read(own));
    read.collect::<Result<_, _>>().map_err(|fault| ServerFault::Certificate(fault.to_string()).into())
}

/// Who has signed the last certificate on the path from the server's own.
fn signer(read: &[CertificateFields]) -> String {
    let top = top_of_chain(read).and_then(|top| read.get(top));
    top.map(CertificateFields::issuer_name).unwrap_or_default()
}

#[allow(clippy::print_stdout, reason = "the report of the command")]
fn describe(chain: &PresentedChain, read: &[CertificateFields]) {
    println!("The server presents these certificates; no authority of this system has signed them:");
    for (certificate, read) in chain.certificates.iter().zip(read) {
        println!("  {}, signed by {}", sanitized(&read.name()), sanitized(&read.issuer_name()));
        println!("    SHA-256 {}", Sha256Fingerprint::of(certificate));
    }
}
