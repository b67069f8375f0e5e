//! What the answer to a bind as a person means.

use ldap3::LdapResult;

use super::password_policy::{AccountFault, Notice};
use crate::directory::entries::DirectoryRefusal;
use crate::directory::fault::{Fault, describe};

/// The directory's verdict on a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this person's password, and they may use it.
    Proven,
    /// It is, but it has expired: a grace login. Each bind uses one up.
    Grace {
        /// Logins left after this one.
        left: u64,
    },
    /// It is not, or they may not.
    Refused(DirectoryRefusal),
}

/// Judges the result of a bind as a person, and the controls that came with it.
///
/// A directory may accept the bind of somebody who must change the password first, and say so only in a control.
pub(crate) fn judge(result: &LdapResult) -> Result<Verdict, Fault> {
    let notice = Notice::of(&result.ctrls);
    let by_control = notice.fault.map(|fault| match fault {
        AccountFault::PasswordExpired if result.rc == 0 => DirectoryRefusal::MustChange,
        AccountFault::PasswordExpired => DirectoryRefusal::PasswordExpired,
        AccountFault::Locked => DirectoryRefusal::Locked,
        AccountFault::MustChange => DirectoryRefusal::MustChange,
    });
    let refused = |otherwise: DirectoryRefusal| Ok(Verdict::Refused(by_control.clone().unwrap_or(otherwise)));
    match (result.rc, notice.grace_left) {
        (0, _) if by_control.is_some() => refused(DirectoryRefusal::MustChange),
        (0, Some(left)) => Ok(Verdict::Grace { left }),
        (0, None) => Ok(Verdict::Proven),
        (49, _) => {
            let undisclosed =
                if notice.has_policy { DirectoryRefusal::WrongOrLocked } else { DirectoryRefusal::WrongPassword };
            refused(sub_code(&result.text).unwrap_or(undisclosed))
        }
        (32 | 34, _) => refused(DirectoryRefusal::NoSuchEntry),
        // The text is more precise: the control of a disabled account says that it is locked.
        (19 | 48 | 53, _) => in_words(result).map_or_else(
            || refused(DirectoryRefusal::Other(describe(result))),
            |refusal| Ok(Verdict::Refused(refusal)),
        ),
        _ => Err(Fault::of_result("bind as the person", result)),
    }
}

/// 389 Directory Server answers a disabled account with 53 and a locked one with 19, each with a text: that is about
/// the person, not an outage.
fn in_words(result: &LdapResult) -> Option<DirectoryRefusal> {
    match result.rc {
        53 if result.text.contains("Account inactivated") => Some(DirectoryRefusal::Disabled),
        19 if result.text.contains("Exceed password retry limit") => Some(DirectoryRefusal::Locked),
        _ => None,
    }
}

/// Active Directory's sub-code is in the text after `data`, in hexadecimal: `80090308: LdapErr: DSID-0C090439, comment:
/// AcceptSecurityContext error, data 52e, v4563`.
fn sub_code(text: &str) -> Option<DirectoryRefusal> {
    let (_, rest) = text.split_once("data ")?;
    let code = rest.split(|character: char| !character.is_ascii_hexdigit()).next()?;
    match code {
        "525" => Some(DirectoryRefusal::NoSuchEntry),
        "52e" => Some(DirectoryRefusal::WrongPassword),
        "530" | "531" => Some(DirectoryRefusal::NotHereNotNow),
        "532" => Some(DirectoryRefusal::PasswordExpired),
        "533" => Some(DirectoryRefusal::Disabled),
        "701" => Some(DirectoryRefusal::AccountExpired),
        "773" => Some(DirectoryRefusal::MustChange),
        "775" => Some(DirectoryRefusal::Locked),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::password_policy::tests::control;
    use super::*;

    fn judged(rc: u32, text: &str) -> Result<Verdict, Fault> {
        let (matched, text) = (String::new(), text.to_owned());
        judge(&LdapResult { rc, matched, text, refs: vec![], ctrls: vec![] })
    }

    #[test]
    fn a_refusal_is_not_an_outage() {
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
    fn a_control_refines_the_result() {
        let with = |rc, octets: &[u8]| {
            let (matched, text) = (String::new(), String::new());
            judge(&LdapResult { rc, matched, text, refs: vec![], ctrls: vec![control(octets)] })
        };
        let fault = |code| [0x30, 3, 0x81, 1, code];
        let refused = |refusal| Ok(Verdict::Refused(refusal));
        assert_eq!(with(0, &[0x30, 0]), Ok(Verdict::Proven));
        assert_eq!(with(0, &fault(2)), refused(DirectoryRefusal::MustChange));
        assert_eq!(with(0, &fault(0)), refused(DirectoryRefusal::MustChange));
        assert_eq!(with(49, &fault(0)), refused(DirectoryRefusal::PasswordExpired));
        assert_eq!(with(49, &fault(1)), refused(DirectoryRefusal::Locked));
        assert_eq!(with(49, &[0x30, 0]), refused(DirectoryRefusal::WrongOrLocked));
        assert_eq!(with(53, &fault(1)), refused(DirectoryRefusal::Locked));
        assert_eq!(with(0, &[0x30, 5, 0xa0, 3, 0x81, 1, 2]), Ok(Verdict::Grace { left: 2 }));
        assert_eq!(with(0, &[0x30, 5, 0xa0, 3, 0x80, 1, 60]), Ok(Verdict::Proven), "it expires, but not yet");
        assert!(matches!(with(51, &fault(1)), Err(Fault::Unavailable { silent: true, .. })));
    }

    #[test]
    fn a_sentence_refines_the_result() {
        let disabled = "Account inactivated. Contact system administrator.";
        let (matched, text) = (String::new(), disabled.to_owned());
        let says_locked = vec![control(&[0x30, 0x84, 0, 0, 0, 3, 0x81, 1, 1])];
        let answer = LdapResult { rc: 53, matched, text, refs: vec![], ctrls: says_locked };
        assert_eq!(judge(&answer), Ok(Verdict::Refused(DirectoryRefusal::Disabled)));
        assert_eq!(judged(53, disabled), Ok(Verdict::Refused(DirectoryRefusal::Disabled)));
        let locked = "Exceed password retry limit. Please try later.";
        assert_eq!(judged(19, locked), Ok(Verdict::Refused(DirectoryRefusal::Locked)));
    }

    #[test]
    fn active_directory_sub_codes() {
        for (code, why) in [
            ("525", DirectoryRefusal::NoSuchEntry),
            ("52e", DirectoryRefusal::WrongPassword),
            ("530", DirectoryRefusal::NotHereNotNow),
            ("531", DirectoryRefusal::NotHereNotNow),
            ("532", DirectoryRefusal::PasswordExpired),
            ("533", DirectoryRefusal::Disabled),
            ("701", DirectoryRefusal::AccountExpired),
            ("773", DirectoryRefusal::MustChange),
            ("775", DirectoryRefusal::Locked),
            ("999", DirectoryRefusal::WrongPassword),
        ] {
            let text =
                format!("80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {code}, v4563\0");
            assert_eq!(judged(49, &text), Ok(Verdict::Refused(why)), "{code}");
        }
    }
}
