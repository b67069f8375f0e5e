//! Commands: "Commands in the POP3 consist of a case-insensitive keyword, possibly followed by one or more arguments."
//! (RFC 1939 §3)

use zeroize::Zeroizing;

use super::{Line, MessageNumber};

/// One command of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    User(Vec<u8>),
    Pass(Line),
    Auth(Option<Auth>),
    Stls,
    Capa,
    /// With the language range, if there is one (RFC 6856 §3).
    Lang(Option<Vec<u8>>),
    Utf8,
    Stat,
    List(Option<MessageNumber>),
    Uidl(Option<MessageNumber>),
    Retr(MessageNumber),
    Top(MessageNumber, u64),
    Dele(MessageNumber),
    Noop,
    Rset,
    Quit,
}

/// `"AUTH" SP mechanism [SP initial-response]` (RFC 5034 §4).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Auth {
    pub(super) mechanism: String,
    pub(super) initial_response: Option<Line>,
}

/// Why a line is not a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misread {
    Unknown,
    /// The keyword is known, but its arguments are wrong; with the usage.
    Usage(&'static str),
}

impl Command {
    pub(super) fn parse(line: &[u8]) -> Result<Self, Misread> {
        let (keyword, argument) = split_word(line);
        match keyword.to_ascii_uppercase().as_slice() {
            // "Since the PASS command has exactly one argument, a POP3 server may treat spaces in the argument as part
            // of the password, instead of as argument separators." (RFC 1939 §7) A name may hold spaces as well.
            b"USER" => user(argument),
            b"PASS" => Ok(Self::Pass(Zeroizing::new(argument.unwrap_or_default().to_vec()))),
            b"AUTH" => Ok(Self::Auth(argument.and_then(auth))),
            b"STLS" => bare(argument, Self::Stls, "STLS"),
            b"CAPA" => bare(argument, Self::Capa, "CAPA"),
            b"LANG" => {
                Ok(Self::Lang(argument.map(<[u8]>::trim_ascii).filter(|range| !range.is_empty()).map(<[u8]>::to_vec)))
            }
            b"UTF8" => bare(argument, Self::Utf8, "UTF8"),
            b"STAT" => bare(argument, Self::Stat, "STAT"),
            b"LIST" => Ok(Self::List(optional_number(argument, "LIST [message-number]")?)),
            b"UIDL" => Ok(Self::Uidl(optional_number(argument, "UIDL [message-number]")?)),
            b"RETR" => Ok(Self::Retr(number(argument, "RETR message-number")?)),
            b"TOP" => top(argument),
            b"DELE" => Ok(Self::Dele(number(argument, "DELE message-number")?)),
            b"NOOP" => bare(argument, Self::Noop, "NOOP"),
            b"RSET" => bare(argument, Self::Rset, "RSET"),
            b"QUIT" => bare(argument, Self::Quit, "QUIT"),
            _ => Err(Misread::Unknown),
        }
    }
}

/// The octets before the first space, and those after it.
fn split_word(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = line.splitn(2, |octet| *octet == b' ');
    (parts.next().unwrap_or_default(), parts.next())
}

fn bare(argument: Option<&[u8]>, command: Command, usage: &'static str) -> Result<Command, Misread> {
    if argument.is_some_and(|rest| !rest.trim_ascii().is_empty()) {
        return Err(Misread::Usage(usage));
    }
    Ok(command)
}

/// "Arguments: a string identifying a mailbox (required)" (RFC 1939 §7). Without one the reply is always the same, so
/// it does not reveal who exists.
fn user(argument: Option<&[u8]>) -> Result<Command, Misread> {
    let name = argument.filter(|name| !name.trim_ascii().is_empty()).ok_or(Misread::Usage("USER name"))?;
    Ok(Command::User(name.to_vec()))
}

fn number(argument: Option<&[u8]>, usage: &'static str) -> Result<MessageNumber, Misread> {
    argument.and_then(|digits| MessageNumber::parse(digits.trim_ascii())).ok_or(Misread::Usage(usage))
}

fn optional_number(argument: Option<&[u8]>, usage: &'static str) -> Result<Option<MessageNumber>, Misread> {
    match argument.map(<[u8]>::trim_ascii) {
        None | Some([]) => Ok(None),
        digits => number(digits, usage).map(Some),
    }
}

fn top(argument: Option<&[u8]>) -> Result<Command, Misread> {
    const USAGE: &str = "TOP message-number lines";
    let (first, lines) = split_word(argument.unwrap_or_default().trim_ascii());
    let message = number(Some(first), USAGE)?;
    let lines = lines.unwrap_or_default().trim_ascii();
    if lines.is_empty() || !lines.iter().all(u8::is_ascii_digit) {
        return Err(Misread::Usage(USAGE));
    }
    // More lines than a u64 can count are all lines.
    let lines = std::str::from_utf8(lines).ok().and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX);
    Ok(Command::Top(message, lines))
}

fn auth(argument: &[u8]) -> Option<Auth> {
    let (mechanism, response) = split_word(argument.trim_ascii());
    if mechanism.is_empty() {
        return None;
    }
    Some(Auth {
        mechanism: String::from_utf8_lossy(mechanism).to_ascii_uppercase(),
        initial_response: response.map(|response| Zeroizing::new(response.to_vec())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, Misread> {
        Command::parse(line.as_bytes())
    }

    fn message(digits: &str) -> MessageNumber {
        MessageNumber::parse(digits.as_bytes()).unwrap()
    }

    #[test]
    fn a_password_keeps_its_spaces() {
        assert_eq!(parse("PASS  two  spaces "), Ok(Command::Pass(Zeroizing::new(b" two  spaces ".to_vec()))));
        assert_eq!(parse("user Alan Jones"), Ok(Command::User(b"Alan Jones".to_vec())));
    }

    #[test]
    fn keywords_know_no_case_and_numbers_no_signs() {
        assert_eq!(parse("rEtR 7"), Ok(Command::Retr(message("7"))));
        assert_eq!(parse("LIST"), Ok(Command::List(None)));
        assert_eq!(parse("LIST "), Ok(Command::List(None)));
        assert_eq!(parse("UIDL 3 "), Ok(Command::Uidl(Some(message("3")))));
        assert_eq!(parse("TOP 2 0"), Ok(Command::Top(message("2"), 0)));
        for wrong in [
            "USER",
            "USER ",
            "user  \t",
            "RETR",
            "RETR 0",
            "RETR -1",
            "RETR +1",
            "RETR 1 2",
            "RETR x",
            "TOP 1",
            "TOP 1 -1",
            "TOP 1 2 3",
            "DELE",
            "STAT 1",
            "LIST 0",
        ] {
            assert!(matches!(parse(wrong), Err(Misread::Usage(_))), "{wrong}");
        }
        assert_eq!(parse("APOP a b"), Err(Misread::Unknown));
        assert_eq!(parse(""), Err(Misread::Unknown));
    }

    #[test]
    fn a_number_beyond_counting_is_still_a_number() {
        assert!(matches!(parse("RETR 99999999999999999999999"), Ok(Command::Retr(_))));
        assert_eq!(parse("TOP 1 99999999999999999999999"), Ok(Command::Top(message("1"), u64::MAX)));
    }

    #[test]
    fn auth_has_a_mechanism_and_perhaps_a_response() {
        assert_eq!(parse("AUTH"), Ok(Command::Auth(None)));
        assert_eq!(parse("AUTH "), Ok(Command::Auth(None)));
        let Ok(Command::Auth(Some(auth))) = parse("auth plain =") else { panic!() };
        assert_eq!((auth.mechanism.as_str(), auth.initial_response.unwrap().as_slice()), ("PLAIN", b"=".as_slice()));
    }
}
