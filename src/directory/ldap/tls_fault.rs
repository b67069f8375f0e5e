//! Why TLS with a directory's server failed, and what to do about it.

use std::io;

use ldap3::LdapError;
use tokio_rustls::rustls::{CertificateError, Error};

/// A failure to connect, for the log.
pub(super) fn describe(fault: &LdapError) -> String {
    let text = fault.to_string();
    let advice = match fault {
        LdapError::Io { source } => of_io(source),
        LdapError::Rustls { source } => of_tls(source),
        _ => None,
    };
    match advice {
        Some(advice) => format!("{advice} ({text})"),
        None => text,
    }
}

fn of_io(fault: &io::Error) -> Option<&'static str> {
    let is_end = fault.kind() == io::ErrorKind::UnexpectedEof;
    let tls = fault.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let at_end = is_end.then_some("the server closed the connection during TLS: is this an LDAPS port?");
    tls.map_or(at_end, of_tls)
}

fn of_tls(fault: &Error) -> Option<&'static str> {
    use CertificateError as Of;
    match fault {
        Error::InvalidCertificate(Of::UnknownIssuer) => Some(
            "the server's certificate is signed by an authority that is not trusted here: directories[].ca must name the \
             PEM file of that authority",
        ),
        Error::InvalidCertificate(Of::NotValidForName | Of::NotValidForNameContext { .. }) => {
            Some("the server's certificate is for another name: directories[].urls must name the server as it does")
        }
        Error::InvalidCertificate(Of::BadSignature) => Some(
            "the server's certificate is signed by an authority that has the name of a trusted one and another key: \
             directories[].ca must name the PEM file of the authority that signs now",
        ),
        Error::InvalidCertificate(Of::Expired | Of::ExpiredContext { .. }) => Some(
            "the server's certificate, or an authority's between it and that of directories[].ca, has expired: a renewed \
             one is needed on the server",
        ),
        Error::InvalidCertificate(Of::NotValidYet | Of::NotValidYetContext { .. }) => Some(
            "the server's certificate, or an authority's between it and that of directories[].ca, is not valid yet: are \
             the clocks right?",
        ),
        Error::InvalidMessage(_) => Some("the server does not speak TLS there: is this an LDAPS port?"),
        _ => None,
    }
}
