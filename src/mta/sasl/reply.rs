//! The lines that the service sends. Mail transfer agents undo no escapes, so no value may hold a tab, a line end or
//! 0x01.

use std::fmt;

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SaslReply {
    pub(super) id: u32,
    pub(super) answer: SaslAnswer,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SaslAnswer {
    /// The client must send a further response to this challenge, in base64.
    Challenge(&'static str),
    /// The credentials are right; the account's name.
    Accepted(String),
    /// They are not, for whatever reason; the name as typed, for the mail transfer agent's log.
    Refused(String),
    /// It cannot be known now.
    Temporary,
    /// What was sent is not a message of the mechanism.
    Malformed,
}

/// All that is sent when a connection begins. Exim sends nothing before it has read the end of it.
pub(super) fn handshake(takes_tokens: bool, process: u32, connection: u64) -> String {
    let tokens = if takes_tokens { "MECH\tOAUTHBEARER\tplaintext\nMECH\tXOAUTH2\tplaintext\n" } else { "" };
    // SPID before the first MECH would make Postfix take this for another of Dovecot's services.
    format!(
        "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n{tokens}SPID\t{process}\nCUID\t{connection}\nDONE\n"
    )
}

impl SaslAnswer {
    /// The word for the metrics; none for a challenge, which ends nothing.
    pub(super) fn word(&self) -> Option<&'static str> {
        match self {
            Self::Challenge(_) => None,
            Self::Accepted(_) => Some("accepted"),
            Self::Refused(_) => Some("refused"),
            Self::Temporary => Some("temporary"),
            Self::Malformed => Some("malformed"),
        }
    }
}

impl fmt::Display for SaslReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        match &self.answer {
            // The tab stays even if nothing follows: without it, Exim sends its client "NULL".
            SaslAnswer::Challenge(challenge) => writeln!(f, "CONT\t{id}\t{challenge}"),
            // Exim reads the first sixteen fields only, so the name comes first.
            SaslAnswer::Accepted(user) => writeln!(f, "OK\t{id}\tuser={user}"),
            SaslAnswer::Refused(login) => writeln!(f, "FAIL\t{id}\tuser={}", printable(login)),
            SaslAnswer::Temporary => writeln!(f, "FAIL\t{id}\tcode=temp_fail"),
            SaslAnswer::Malformed => writeln!(f, "FAIL\t{id}\tcode=invalid_base64"),
        }
    }
}

fn printable(login: &str) -> String {
    login.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_what_postfix_and_exim_accept() {
        assert_eq!(
            handshake(false, 7, 1),
            "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t7\nCUID\t1\nDONE\n"
        );
        let mechanisms = handshake(true, 7, 1);
        assert_eq!(mechanisms.matches("MECH\t").count(), 4);
        assert!(mechanisms.find("MECH").unwrap() < mechanisms.find("SPID").unwrap());
    }

    #[test]
    fn a_reply_is_one_line() {
        for (answer, line) in [
            (SaslAnswer::Challenge(""), "CONT\t3\t\n"),
            (SaslAnswer::Accepted("ada".to_owned()), "OK\t3\tuser=ada\n"),
            (SaslAnswer::Refused("a\tb\nOK\u{1}".to_owned()), "FAIL\t3\tuser=a?b?OK?\n"),
            (SaslAnswer::Temporary, "FAIL\t3\tcode=temp_fail\n"),
            (SaslAnswer::Malformed, "FAIL\t3\tcode=invalid_base64\n"),
        ] {
            assert_eq!(SaslReply { id: 3, answer }.to_string(), line);
        }
    }
}
