//! What the answer to a bind as a person means.

use std::fmt;

use ldap3::LdapResult;

use super::Fault;
use super::fault::told;

/// The directory's judgement of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this person's password, and they may use it.
    Proven,
    /// It is not, or they may not.
    Refused(Refusal),
}

/// Why a bind was refused, as far as the directory tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not this person's password.
    WrongPassword,
    /// The entry is gone, or moved.
    NoSuchEntry,
    /// Not at this hour, or not from this machine.
    NotHereNotNow,
    /// The password is too old.
    PasswordExpired,
    /// The account is switched off.
    Disabled,
    /// The account's time is over.
    AccountExpired,
    /// The password must be changed first.
    MustChange,
    /// The account is locked.
    Locked,
    /// Something else; in the directory's own words.
    Other(String),
}

/// Judges the result of a bind as a person.
///
/// 389 Directory Server answers a disabled account with 53 and a locked one with 19: that is the person, not an outage.
pub(super) fn judge(result: &LdapResult) -> Result<Verdict, Fault> {
    match result.rc {
        0 => Ok(Verdict::Proven),
        49 => Ok(Verdict::Refused(sub_code(&result.text).unwrap_or(Refusal::WrongPassword))),
        32 | 34 => Ok(Verdict::Refused(Refusal::NoSuchEntry)),
        19 | 48 | 53 => Ok(Verdict::Refused(Refusal::Other(told(result)))),
        _ => Err(Fault::of_result("bind as the person", result)),
    }
}

/// Active Directory's sub-code stands in the text behind `data`, in hexadecimal:
/// `80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data 52e, v4563`.
fn sub_code(text: &str) -> Option<Refusal> {
    let (_, rest) = text.split_once("data ")?;
    let code = rest.split(|character: char| !character.is_ascii_hexdigit()).next()?;
    match code {
        "525" => Some(Refusal::NoSuchEntry),
        "52e" => Some(Refusal::WrongPassword),
        "530" | "531" => Some(Refusal::NotHereNotNow),
        "532" => Some(Refusal::PasswordExpired),
        "533" => Some(Refusal::Disabled),
        "701" => Some(Refusal::AccountExpired),
        "773" => Some(Refusal::MustChange),
        "775" => Some(Refusal::Locked),
        _ => None,
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongPassword => "wrong password",
            Self::NoSuchEntry => "the entry is gone",
            Self::NotHereNotNow => "not allowed at this hour or from this machine",
            Self::PasswordExpired => "password expired",
            Self::Disabled => "account disabled",
            Self::AccountExpired => "account expired",
            Self::MustChange => "password must be changed first",
            Self::Locked => "account locked",
            Self::Other(words) => words,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rc: u32, text: &str) -> Result<Verdict, Fault> {
        let (matched, text) = (String::new(), text.to_owned());
        judge(&LdapResult { rc, matched, text, refs: vec![], ctrls: vec![] })
    }

    #[test]
    fn a_no_is_a_no_and_an_outage_is_none() {
        assert_eq!(judged(0, ""), Ok(Verdict::Proven));
        for refused in [49, 48, 32, 34, 19, 53] {
            assert!(matches!(judged(refused, ""), Ok(Verdict::Refused(_))), "{refused}");
        }
        for silent in [51, 52, 3, 1, 80] {
            assert!(matches!(judged(silent, ""), Err(Fault::Unavailable { silent: true, .. })), "{silent}");
        }
        for misconfigured in [7, 8, 13] {
            assert!(matches!(judged(misconfigured, ""), Err(Fault::Misconfigured(_))), "{misconfigured}");
        }
        for other in [2, 10, 50, 123] {
            assert!(matches!(judged(other, ""), Err(Fault::Unavailable { silent: false, .. })), "{other}");
        }
    }

    #[test]
    fn active_directory_tells_why() {
        for (code, why) in [
            ("525", Refusal::NoSuchEntry),
            ("52e", Refusal::WrongPassword),
            ("530", Refusal::NotHereNotNow),
            ("531", Refusal::NotHereNotNow),
            ("532", Refusal::PasswordExpired),
            ("533", Refusal::Disabled),
            ("701", Refusal::AccountExpired),
            ("773", Refusal::MustChange),
            ("775", Refusal::Locked),
            ("999", Refusal::WrongPassword),
        ] {
            let text =
                format!("80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {code}, v4563\0");
            assert_eq!(judged(49, &text), Ok(Verdict::Refused(why)), "{code}");
        }
    }
}
