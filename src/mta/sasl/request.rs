//! The lines that a mail transfer agent sends: words separated by tabs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::pop3::Line;

/// The protocol's version that is spoken here; the second number does not matter.
const MAJOR: &[u8] = b"1";

/// The longest name of a service that is logged, in octets.
const LONGEST_SERVICE: usize = 32;

/// One line.
pub(super) enum SaslRequest {
    /// `AUTH <id> <mechanism> <parameters>`
    Begin(LoginRequest),
    /// `CONT <id> <response>`
    Continue(u32, Line),
    /// `CANCEL <id>`
    Cancel(u32),
    /// A line that needs no answer.
    Other,
}

/// A login begins.
pub(super) struct LoginRequest {
    /// Distinguishes it from others on the same connection.
    pub(super) id: u32,
    pub(super) mechanism: String,
    pub(super) origin: LoginOrigin,
    /// The initial response, in base64; none if the client sent none.
    pub(super) initial: Option<Line>,
}

/// Where a login comes from, as the mail transfer agent says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginOrigin {
    /// The service, such as `smtp`.
    pub(super) service: String,
    /// Its client's address; 0.0.0.0 if it says none. Port 0 if it says none.
    pub(super) client: SocketAddr,
    /// The client's connection is protected by TLS.
    pub(super) is_secured: bool,
}

/// Why a line cannot be understood; nothing on the connection can be understood after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaslRequestFault {
    /// Another major version of the protocol.
    Version,
    /// An id that is not a number, or none.
    Id,
}

/// Parses a line. Unknown commands and parameters are ignored, so that newer mail transfer agents can be served.
pub(super) fn parse(line: &[u8]) -> Result<SaslRequest, SaslRequestFault> {
    let mut words = line.split(|octet| *octet == b'\t');
    match words.next() {
        Some(b"VERSION") if words.next() != Some(MAJOR) => Err(SaslRequestFault::Version),
        Some(b"AUTH") => Ok(SaslRequest::Begin(login(words)?)),
        Some(b"CONT") => {
            let id = id(words.next())?;
            Ok(SaslRequest::Continue(id, Line::new(words.next().unwrap_or_default().to_vec())))
        }
        Some(b"CANCEL") => Ok(SaslRequest::Cancel(id(words.next())?)),
        _ => Ok(SaslRequest::Other),
    }
}

fn id(word: Option<&[u8]>) -> Result<u32, SaslRequestFault> {
    let text = word.and_then(|word| std::str::from_utf8(word).ok());
    text.and_then(|text| text.parse().ok()).ok_or(SaslRequestFault::Id)
}

fn login<'l>(mut words: impl Iterator<Item = &'l [u8]>) -> Result<LoginRequest, SaslRequestFault> {
    let id = id(words.next())?;
    let mechanism = String::from_utf8_lossy(words.next().unwrap_or_default()).to_ascii_uppercase();
    let (mut service, mut address, mut port, mut is_secured, mut initial) = (None, None, 0, false, None);
    for word in words {
        let (name, value) = match word.iter().position(|octet| *octet == b'=') {
            Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..).unwrap_or_default()),
            None => (word, &b""[..]),
        };
        let text = std::str::from_utf8(value).unwrap_or_default();
        match name {
            b"service" => service = Some(text).filter(|text| is_service(text)),
            b"rip" => address = text.parse().ok().map(|address: IpAddr| address.to_canonical()),
            b"rport" => port = text.parse().unwrap_or_default(),
            b"secured" => is_secured = true,
            // Nothing after it is a parameter of the client; an empty one means that there is none.
            b"resp" => initial = (!value.is_empty()).then(|| Line::new(value.to_vec())),
            _ => {}
        }
    }
    let client = SocketAddr::new(address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), port);
    let origin = LoginOrigin { service: service.unwrap_or("smtp").to_owned(), client, is_secured };
    Ok(LoginRequest { id, mechanism, origin, initial })
}

fn is_service(text: &str) -> bool {
    let is_word = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    !text.is_empty() && text.len() <= LONGEST_SERVICE && text.bytes().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(line: &str) -> LoginRequest {
        let Ok(SaslRequest::Begin(login)) = parse(line.as_bytes()) else { panic!("{line}") };
        login
    }

    #[test]
    fn logins_of_postfix_and_exim_are_understood() {
        let postfix = begun("AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=127.0.0.1\trip=192.0.2.7\tresp=AGE=");
        assert_eq!((postfix.id, &*postfix.mechanism), (1, "PLAIN"));
        assert_eq!(postfix.initial.unwrap().as_slice(), b"AGE=");
        let client = "192.0.2.7:0".parse().unwrap();
        assert_eq!(postfix.origin, LoginOrigin { service: "smtp".to_owned(), client, is_secured: false });
        let exim = begun("AUTH\t7\tlogin\tservice=smtp\tsecured\trip=::ffff:192.0.2.7\tlip=::1\tnologin\tresp=");
        assert_eq!((exim.id, &*exim.mechanism, exim.initial.is_none()), (7, "LOGIN", true));
        assert_eq!((exim.origin.client, exim.origin.is_secured), (client, true));
        assert_eq!(begun("AUTH\t1\tPLAIN\tresp==").initial.unwrap().as_slice(), b"=");
        let bare = begun("AUTH\t4294967295\tPLAIN\tservice=a b\trip=nonsense\trport=77\tfuture=1");
        let client = "0.0.0.0:77".parse().unwrap();
        assert_eq!(bare.origin, LoginOrigin { service: "smtp".to_owned(), client, is_secured: false });
    }

    #[test]
    fn other_lines_are_ignored_or_end_the_connection() {
        for line in ["VERSION\t1\t9", "CPID\t77", "", "FUTURE\t1"] {
            assert!(matches!(parse(line.as_bytes()), Ok(SaslRequest::Other)), "{line}");
        }
        assert!(matches!(parse(b"CANCEL\t3"), Ok(SaslRequest::Cancel(3))));
        assert!(
            matches!(parse(b"CONT\t3\tYWRh"), Ok(SaslRequest::Continue(3, response)) if response.as_slice() == b"YWRh")
        );
        assert!(matches!(parse(b"CONT\t3"), Ok(SaslRequest::Continue(3, response)) if response.is_empty()));
        for (line, fault) in [
            ("VERSION\t2\t0", SaslRequestFault::Version),
            ("VERSION", SaslRequestFault::Version),
            ("AUTH\t-1\tPLAIN", SaslRequestFault::Id),
            ("AUTH\t4294967296\tPLAIN", SaslRequestFault::Id),
            ("AUTH", SaslRequestFault::Id),
            ("CONT\tx", SaslRequestFault::Id),
        ] {
            assert_eq!(parse(line.as_bytes()).err(), Some(fault), "{line}");
        }
    }
}
