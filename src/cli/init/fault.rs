//! Why no configuration was written, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::certificate::Sha256Fingerprint;
use crate::cli::ExitStatus;
use crate::config::Faults;
use crate::directory::Fault;

/// Why no configuration was written.
pub(super) enum InitFault {
    /// A file to be written is there.
    Exists(PathBuf),
    /// A file cannot be written.
    Write(PathBuf, io::Error),
    /// An option has a value that cannot be used: the option, and a sentence.
    Option(&'static str, String),
    /// What could not be found out, and the option that says it.
    Missing { what: String, flag: &'static str },
    /// Somebody answered no.
    Declined(&'static str),
    /// The terminal, a temporary file, or a thread.
    Io(io::Error),
    /// The server, its certificate, or its answer to the bind.
    Server(ServerFault),
    /// The server names no tree that may hold people; who asked.
    NoNamingContext(String),
    /// Nobody was found: where, who asked, and what is there instead.
    Nobody { places: String, who: String, instead: String },
    /// A search failed.
    Search(Fault),
    /// The mail root cannot be used.
    MailRoot(String),
    /// What was found makes no configuration.
    Draft(Faults),
}

/// What is wrong with the server, its certificate, or its answer to the bind.
pub(super) enum ServerFault {
    /// There is no connection, or no TLS; the server.
    Unreachable(String, Fault),
    /// The server does not begin TLS on an `ldap://` connection.
    NoStartTls(String, Fault),
    /// The presented chain is not signed by the authorities given.
    OtherAuthority { ca: PathBuf, signed_by: String },
    /// The presented chain ends before its authority: who that is.
    AuthorityNotPresented(String),
    /// The presented certificate is for other names.
    OtherName { host: String, hosts: String },
    /// The presented certificate cannot be used; why.
    Certificate(String),
    /// The authority presented has another fingerprint than the one accepted.
    OtherFingerprint { accepted: Sha256Fingerprint, presented: Sha256Fingerprint },
    /// The service's entry may not log in; its DN.
    BindRefused(String, Fault),
}

impl InitFault {
    /// How the command ends.
    pub(super) fn status(&self) -> ExitStatus {
        match self {
            Self::Option(..) | Self::Missing { .. } => ExitStatus::UsageError,
            _ => ExitStatus::ProblemFound,
        }
    }
}

impl From<ServerFault> for InitFault {
    fn from(fault: ServerFault) -> Self {
        Self::Server(fault)
    }
}

impl From<io::Error> for InitFault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

impl fmt::Display for InitFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(file) => write!(
                f,
                "{} exists and is not overwritten; move it away, or give another file by --output",
                file.display()
            ),
            Self::Write(file, fault) => write!(f, "{} cannot be written: {fault}", file.display()),
            Self::Option(flag, what) => write!(f, "{flag}: {what}"),
            Self::Missing { what, flag } => {
                write!(f, "{what}, and standard input is not a terminal to ask on: give {flag}")
            }
            Self::Declined(what) => write!(f, "{what}: nothing was written"),
            Self::Io(fault) => write!(f, "{fault}"),
            Self::NoNamingContext(who) => write!(
                f,
                "the server names no naming context to {who}\nGive the DN below which people are by --base; or an entry that \
                 may read the root DSE by --bind"
            ),
            Self::Nobody { places, who, instead } => write!(
                f,
                "no people found below {places} by {who}: {instead}\nGive an entry that may read people by --bind, their DN \
                 by --base, or what makes an entry a person by --schema"
            ),
            Self::Search(fault) => write!(f, "{fault}"),
            Self::MailRoot(why) => write!(f, "{why}\nGive the directory below which the Maildirs are by --mail-root"),
            Self::Draft(faults) => write!(f, "what was found makes no configuration:\n{faults}"),
            Self::Server(fault) => write!(f, "{fault}"),
        }
    }
}

impl fmt::Display for ServerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(url, fault) => write!(
                f,
                "{fault}\nIs the server running, is {url} right, and does a firewall let this machine connect? \
                 `ldapsearch -x -H {url} -s base -b ''` asks the same server"
            ),
            Self::NoStartTls(url, fault) => write!(
                f,
                "{url} begins no TLS: {fault}\nGive the server's ldaps:// URL; or --clear-text, if everybody on the way to \
                 the directory may read passwords"
            ),
            Self::OtherAuthority { ca, signed_by } => write!(
                f,
                "the server's certificate is signed by {signed_by}, which is not in {}\nGive the PEM file of that authority \
                 by --ca; without --ca, the authority that the server presents is shown for confirmation",
                ca.display()
            ),
            Self::AuthorityNotPresented(authority) => write!(
                f,
                "the server's certificate is signed by {authority}, whose certificate is neither trusted by this system nor \
                 presented by the server in a form that can be trusted\nAsk whoever runs the directory for the certificate \
                 of that authority, and give its PEM file by --ca"
            ),
            Self::OtherName { host, hosts } => write!(
                f,
                "the server's certificate is for {hosts}, not for {host}\nGive the URL with a name that the certificate has"
            ),
            Self::Certificate(why) => write!(
                f,
                "the server's certificate cannot be used: {why}\nIt has to be replaced on the directory server; are both \
                 clocks right?"
            ),
            Self::OtherFingerprint { accepted, presented } => write!(
                f,
                "the authority that the server presents has the fingerprint {presented}, not {accepted}\nCompare it with the \
                 certificate on the directory server (openssl x509 -noout -fingerprint -sha256 -in FILE); if it differs \
                 there too, this is another server"
            ),
            Self::BindRefused(dn, fault) => {
                write!(f, "{fault}\nIs {dn} the DN of the entry (--bind), and its password right (--password-file)?")
            }
        }
    }
}
