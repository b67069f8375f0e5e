//! What slapd does beyond answering: its overlays, as far as tests want them.

use std::fmt::Write as _;

use super::directory::LOCKED_AFTER;

/// Since when an account is locked that only the administrator unlocks: `pwdAccountLockedTime` of
/// draft-behera-ldap-password-policy, §5.3.3.
pub const FOR_EVER: &str = "000001010000Z";

/// One overlay of slapd's database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// slapo-ppolicy(5), which says that an account is locked where it is (`ppolicy_use_lockout`).
    PasswordPolicy,
    /// slapo-memberof(5).
    MemberOf,
    /// slapo-syncprov(5): others can follow the database (RFC 4533).
    Sync,
}

impl Overlay {
    fn name(self) -> &'static str {
        match self {
            Self::PasswordPolicy => "ppolicy",
            Self::MemberOf => "memberof",
            Self::Sync => "syncprov",
        }
    }

    fn lines(self, suffix: &str) -> String {
        match self {
            Self::PasswordPolicy => format!("ppolicy_default \"cn=policy,{suffix}\"\nppolicy_use_lockout\n"),
            Self::MemberOf => String::new(),
            Self::Sync => "index entryCSN,entryUUID eq\n".to_owned(),
        }
    }
}

/// Lines of `slapd.conf(5)`: those before the first database, and those of the database.
pub fn configuration(overlays: &[Overlay], suffix: &str) -> (String, String) {
    let (mut modules, mut lines) = (String::new(), String::new());
    for overlay in overlays {
        writeln!(modules, "moduleload {}", overlay.name()).unwrap();
        write!(lines, "overlay {}\n{}", overlay.name(), overlay.lines(suffix)).unwrap();
    }
    (modules, lines)
}

/// The password policy that holds for everybody: five wrong passwords lock an account for an hour, a password lasts a
/// hundred days, and one that the administrator has set must be changed.
pub fn policy(suffix: &str) -> String {
    format!(
        "dn: cn=policy,{suffix}
objectClass: applicationProcess
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: {LOCKED_AFTER}
pwdLockoutDuration: 3600
pwdMaxAge: 8640000
pwdMustChange: TRUE
"
    )
}
