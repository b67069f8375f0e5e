//! How each server brings an account into a state. What stands in the LDIF from the beginning needs nothing here.

use super::people::Person;
use super::states::State;
use crate::support::directory::{RealDirectory, replacement};
use crate::support::ds389::Ds389;
use crate::support::overlays::Overlay;
use crate::support::samba::Samba;
use crate::support::slapd::{Options, Slapd};

const SUFFIX: &str = "dc=renovations,dc=example";
const LONG_AGO: &str = "20200101000000Z";
const IN_LONG: &str = "20991231235959Z";
/// Enough for every name under both presets.
const GRACE_LOGINS: u32 = 100;

/// A server of the table.
pub(super) trait Holder: RealDirectory {
    /// Lines of the configuration that say what kind of directory it is.
    const SCHEMA: &'static str;

    /// Brings an account into a state that the server can hold and that is not the same everywhere.
    fn bring_into_own(&self, state: State, person: &Person);

    /// Brings an account into a state.
    fn bring(&self, state: State, person: &Person) {
        match state {
            State::Disabled => self.disable(person.short),
            State::Locked => self.lock(person.short),
            State::PasswordExpired => self.expire_password(person.short),
            State::MustChange => self.must_change(person.short),
            State::NotYet | State::AccountExpired | State::GraceLogin | State::WrongPassword => {
                self.bring_into_own(state, person);
            }
            State::Free | State::NotInGroup | State::SwitchedOff | State::NoMailbox => {}
        }
    }
}

pub(super) fn slapd(entries: &str) -> Slapd {
    let overlays = &[Overlay::PasswordPolicy, Overlay::MemberOf, Overlay::Sync];
    Slapd::start_with(entries, &Options { overlays, ..Options::default() })
}

impl Holder for Slapd {
    const SCHEMA: &'static str = "";

    fn bring_into_own(&self, state: State, person: &Person) {
        match state {
            // Each refusal changes the entry, and makes a held one doubtful: on a slow machine too many binds for the
            // policy of all others.
            State::WrongPassword => {
                let policy = format!("cn=patient,{SUFFIX}");
                self.modify(&format!(
                    "dn: {policy}\nchangetype: add\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: patient\n\
                     pwdAttribute: userPassword\n"
                ));
                self.replace(person.short, "pwdPolicySubentry", &policy);
            }
            State::NotYet => self.replace(person.short, "pwdStartTime", IN_LONG),
            State::AccountExpired => self.replace(person.short, "pwdEndTime", LONG_AGO),
            State::GraceLogin => {
                let policy = format!("cn=graceful,{SUFFIX}");
                self.modify(&format!(
                    "dn: {policy}\nchangetype: add\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: graceful\n\
                     pwdAttribute: userPassword\npwdMaxAge: 86400\npwdGraceAuthNLimit: {GRACE_LOGINS}\n"
                ));
                self.replace(person.short, "pwdPolicySubentry", &policy);
                self.expire_password(person.short);
            }
            other => panic!("slapd has no way of its own into {other:?}"),
        }
    }
}

impl Holder for Ds389 {
    const SCHEMA: &'static str = "    schema: 389ds\n";

    fn bring_into_own(&self, state: State, person: &Person) {
        match state {
            // As in slapd.
            State::WrongPassword => {
                let policy = format!("cn=patient,{SUFFIX}");
                self.modify(&format!(
                    "dn: {policy}\nchangetype: add\nobjectClass: ldapsubentry\nobjectClass: passwordpolicy\ncn: patient\n\
                     passwordLockout: off\n"
                ));
                self.modify(&replacement("cn=config", "nsslapd-pwpolicy-local", b"on"));
                self.replace(person.short, "pwdpolicysubentry", &policy);
            }
            // A day counted from 1970.
            State::AccountExpired => self.replace(person.short, "shadowExpire", "18000"),
            State::GraceLogin => {
                let policy = format!("cn=graceful,{SUFFIX}");
                self.modify(&format!(
                    "dn: {policy}\nchangetype: add\nobjectClass: ldapsubentry\nobjectClass: passwordpolicy\ncn: graceful\n\
                     passwordExp: on\npasswordMaxAge: 86400\npasswordGraceLimit: {GRACE_LOGINS}\n"
                ));
                self.modify(&replacement("cn=config", "nsslapd-pwpolicy-local", b"on"));
                self.replace(person.short, "pwdpolicysubentry", &policy);
                self.expire_password(person.short);
            }
            other => panic!("389 Directory Server has no way of its own into {other:?}"),
        }
    }
}

impl Holder for Samba {
    const SCHEMA: &'static str = "    schema: active_directory\n";

    fn bring_into_own(&self, state: State, person: &Person) {
        match state {
            State::AccountExpired => self.expire_account(person.short),
            // A refusal leaves the entry's stamps as they are.
            State::WrongPassword => {}
            other => panic!("Active Directory has no way of its own into {other:?}"),
        }
    }
}
