//! What a directory says about a password in addition to yes or no: the controls that come with the answer to a bind.

use ldap3::asn1::{StructureTag, parse_tag, parse_uint};
use ldap3::controls::{Control, RawControl};

/// The control of LDAP's password policy (draft-behera-ldap-password-policy §6).
const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// Sent unasked with a password that has expired (draft-vchu-ldap-pwd-policy §5.1).
const EXPIRED: &str = "2.16.840.1.113730.3.4.4";
/// Sent unasked with a password that is about to expire; its value is the seconds left, in digits (§5.2 there).
const EXPIRING: &str = "2.16.840.1.113730.3.4.5";

/// What the controls of an answer say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Notice {
    /// A password policy is in force, whatever it says.
    pub(super) has_policy: bool,
    /// Seconds until the password expires.
    pub(super) expires_in: Option<u64>,
    /// Logins left for a password that has expired.
    pub(super) grace_left: Option<u64>,
    /// What is wrong with the account.
    pub(crate) fault: Option<AccountFault>,
}

/// What is wrong with an account, as the password policy knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountFault {
    PasswordExpired,
    Locked,
    MustChange,
}

/// Asks for the password policy's control; a directory that does not know it ignores it.
pub(crate) fn request() -> RawControl {
    RawControl { ctype: PASSWORD_POLICY.to_owned(), crit: false, val: None }
}

impl Notice {
    /// Reads the controls of an answer. One that does not have the form of its standard is ignored.
    pub(crate) fn of(controls: &[Control]) -> Self {
        let mut notice = Self::default();
        let mut unasked_expired = false;
        for Control(_, raw) in controls {
            let value = raw.val.as_deref().unwrap_or_default();
            match raw.ctype.as_str() {
                PASSWORD_POLICY => {
                    notice.has_policy = true;
                    notice.read(value);
                }
                EXPIRED => unasked_expired = true,
                EXPIRING => notice.expires_in = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
                _ => {}
            }
        }
        if unasked_expired && notice.fault.is_none() && notice.grace_left.is_none() {
            notice.fault = Some(AccountFault::PasswordExpired);
        }
        notice
    }

    /// `SEQUENCE { warning [0] CHOICE { timeBeforeExpiration [0], graceAuthNsRemaining [1] }, error [1] ENUMERATED }`,
    /// both optional.
    fn read(&mut self, value: &[u8]) {
        for part in inner(value).into_iter().filter_map(StructureTag::expect_constructed).flatten() {
            match part.id {
                0 => self.warning(part),
                1 => self.fault = number(part).and_then(fault),
                _ => {}
            }
        }
    }

    fn warning(&mut self, part: StructureTag) {
        for choice in part.expect_constructed().into_iter().flatten() {
            match choice.id {
                0 => self.expires_in = number(choice),
                1 => self.grace_left = number(choice),
                _ => {}
            }
        }
    }
}

fn inner(value: &[u8]) -> Option<StructureTag> {
    parse_tag(value).ok().map(|(_, tag)| tag)
}

fn number(tag: StructureTag) -> Option<u64> {
    let octets = tag.expect_primitive()?;
    // A longer one is no count of logins or seconds; the library would overflow on it.
    if octets.len() > 8 {
        return None;
    }
    parse_uint(&octets).ok().map(|(_, number)| number)
}

/// The draft's other codes answer a change of the password, not a bind.
fn fault(code: u64) -> Option<AccountFault> {
    match code {
        0 => Some(AccountFault::PasswordExpired),
        1 => Some(AccountFault::Locked),
        2 => Some(AccountFault::MustChange),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The password policy's control with these octets.
    pub(in super::super) fn control(value: &[u8]) -> Control {
        of_type(PASSWORD_POLICY, value)
    }

    fn of_type(ctype: &str, value: &[u8]) -> Control {
        Control(None, RawControl { ctype: ctype.to_owned(), crit: false, val: Some(value.to_vec()) })
    }

    #[test]
    fn reads_the_policy_control() {
        let nothing = Notice { has_policy: true, ..Notice::default() };
        let faulty = |fault| Notice { fault: Some(fault), ..nothing };
        for (octets, notice) in [
            (&[0x30, 0][..], nothing),
            (&[0x30, 3, 0x81, 1, 0], faulty(AccountFault::PasswordExpired)),
            (&[0x30, 3, 0x81, 1, 1], faulty(AccountFault::Locked)),
            (&[0x30, 3, 0x81, 1, 2], faulty(AccountFault::MustChange)),
            (&[0x30, 3, 0x81, 1, 6], nothing),
            (&[0x30, 5, 0xa0, 3, 0x81, 1, 2], Notice { grace_left: Some(2), ..nothing }),
            (&[0x30, 6, 0xa0, 4, 0x80, 2, 1, 0], Notice { expires_in: Some(256), ..nothing }),
            (
                &[0x30, 12, 0xa0, 10, 0x80, 8, 1, 1, 1, 1, 1, 1, 1, 1],
                Notice { expires_in: Some(0x0101_0101_0101_0101), ..nothing },
            ),
            (&[0x30, 13, 0xa0, 11, 0x80, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1], nothing),
            // As 389 Directory Server writes lengths, and both parts at once.
            (
                &[0x30, 0x84, 0, 0, 0, 14, 0xa0, 0x84, 0, 0, 0, 5, 0x80, 3, 1, 0x51, 0x80, 0x81, 1, 2],
                Notice { expires_in: Some(86_400), ..faulty(AccountFault::MustChange) },
            ),
            (&[0x30, 5, 0x81], nothing),
            (&[0x04, 1, 0], nothing),
            (&[], nothing),
        ] {
            assert_eq!(Notice::of(&[control(octets)]), notice, "{octets:?}");
        }
    }

    #[test]
    fn reads_unsolicited_controls() {
        let expired = Notice { fault: Some(AccountFault::PasswordExpired), ..Notice::default() };
        assert_eq!(Notice::of(&[of_type(EXPIRED, b"0")]), expired);
        let soon = Notice { expires_in: Some(3600), ..Notice::default() };
        assert_eq!(Notice::of(&[of_type(EXPIRING, b"3600")]), soon);
        let grace = Notice { has_policy: true, grace_left: Some(1), ..Notice::default() };
        let both = [of_type(EXPIRED, b"0"), control(&[0x30, 5, 0xa0, 3, 0x81, 1, 1])];
        assert_eq!(Notice::of(&both), grace, "a grace login is no refusal");
    }
}
