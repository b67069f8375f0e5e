//! slapd with the password policy of its overlay, which tells the reason of a refusal in a control.

use std::process::Output;

use restante::demo::people;

use super::{ALAN, ALANS_DN, LAMB, MARY, MARYS_DN, Person, TOM, is_cut, is_let_in_again, keeps_out, lets_in, served};
use crate::support::directory::RealDirectory;
use crate::support::service::{Plan, Site, restante};
use crate::support::slapd::{Options, Slapd};

const TOMS_DN: &str = "uid=tclerk,ou=Production,ou=people,dc=renovations,dc=example";
const LAMBS_DN: &str = "uid=alamb,ou=Production,ou=people,dc=renovations,dc=example";

/// One policy for all, and one under which passwords grow old.
const POLICIES: &str = "
dn: cn=policy,dc=renovations,dc=example
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMustChange: TRUE
pwdMaxFailure: 3

dn: cn=aging,dc=renovations,dc=example
objectClass: device
objectClass: pwdPolicy
cn: aging
pwdAttribute: userPassword
pwdMaxAge: 86400
pwdGraceAuthNLimit: 2

dn: cn=aged,dc=renovations,dc=example
objectClass: device
objectClass: pwdPolicy
cn: aged
pwdAttribute: userPassword
pwdMaxAge: 86400
";

fn slapd(hidden: &str) -> Slapd {
    slapd_with(hidden, "ppolicy_use_lockout\n")
}

fn slapd_with(hidden: &str, lines: &str) -> Slapd {
    let options = Options {
        hidden: hidden.to_owned(),
        global: "moduleload ppolicy".to_owned(),
        further: format!("overlay ppolicy\nppolicy_default \"cn=policy,dc=renovations,dc=example\"\n{lines}"),
        ..Options::default()
    };
    Slapd::start_with(&format!("{}\n{POLICIES}", people::LDIF), &options)
}

fn set(slapd: &Slapd, dn: &str, attribute: &str, value: &str) {
    slapd.modify(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
}

fn take(slapd: &Slapd, dn: &str, attribute: &str) {
    slapd.modify(&format!("dn: {dn}\nchangetype: modify\ndelete: {attribute}\n"));
}

/// Where slapd answers a locked account as if the password were wrong, and the entry does not say it either, the reason
/// names both; where the service may see locks, it names the one.
#[test]
fn a_lock_that_the_directory_does_not_disclose() {
    let undisclosed = "wrong password, or locked: this directory does not say which\"";
    let slapd = slapd_with("pwdAccountLockedTime", "");
    let (_site, service) = served(&slapd.url(), "");
    for wrong in ["1", "2", "3"] {
        keeps_out(&service, (MARY.0, wrong), undisclosed);
    }
    keeps_out(&service, MARY, undisclosed);
    let open = slapd_with("", "");
    let (_site, service) = served(&open.url(), "");
    keeps_out(&service, (MARY.0, "1"), "wrong password\" mechanism=");
    lets_in(&service, MARY, "bind");
}

/// Each state comes over somebody whose password is held, and ends again.
#[test]
fn each_state_of_an_entry_cuts_a_held_password_and_ends() {
    let slapd = slapd("");
    let (_site, service) = served(&slapd.url(), "");
    slapd.modify(&format!("dn: {ALANS_DN}\nchangetype: modify\nadd: objectClass\nobjectClass: shadowAccount\n"));
    for (attribute, value, reason) in [
        ("pwdReset", "TRUE", "password must be changed first"),
        ("pwdAccountLockedTime", "000001010000Z", "account locked"),
        ("pwdStartTime", "20991231235959Z", "account not valid yet"),
        ("pwdEndTime", "20200101000000Z", "account expired"),
        ("shadowExpire", "18000", "account expired"),
    ] {
        is_let_in_again(&service, ALAN);
        lets_in(&service, ALAN, "cache");
        set(&slapd, ALANS_DN, attribute, value);
        is_cut(&service, ALAN, reason);
        take(&slapd, ALANS_DN, attribute);
        // What bars somebody is not told from memory: the end of it counts at once.
        lets_in(&service, ALAN, "bind");
    }
    for (attribute, value) in
        [("pwdStartTime", "20200101000000Z"), ("pwdEndTime", "20991231235959Z"), ("shadowExpire", "99999")]
    {
        set(&slapd, ALANS_DN, attribute, value);
    }
    slapd.modify(&format!("dn: {LAMBS_DN}\nchangetype: modify\nreplace: pwdReset\npwdReset: FALSE\n"));
    lets_in(&service, LAMB, "bind");
    super::wait_until("the entry is read anew", || super::log_in(&service, "Alan Jones", ALAN.1).is_ok());
}

/// Three wrong passwords of anybody's lock the account; the right one, which is held, counts no more either. Where slapd
/// answers as if the password were wrong, the entry tells.
#[test]
fn a_locked_account() {
    for lines in ["ppolicy_use_lockout\n", ""] {
        is_locked_and_unlocked(&slapd_with("", lines));
    }
}

fn is_locked_and_unlocked(slapd: &Slapd) {
    let (_site, service) = served(&slapd.url(), "");
    lets_in(&service, MARY, "bind");
    lets_in(&service, MARY, "cache");
    for wrong in ["1", "2", "3"] {
        keeps_out(&service, (MARY.0, wrong), "wrong password");
    }
    // The refusals have dropped what was held; the lock is told by the control, or the entry.
    keeps_out(&service, MARY, "account locked");
    lets_in(&service, ALAN, "bind");
    take(slapd, MARYS_DN, "pwdAccountLockedTime");
    lets_in(&service, MARY, "bind");
}

/// The service may not read the state: then the controls tell it, at the next bind.
#[test]
fn the_controls_tell_what_may_not_be_read() {
    let slapd = slapd("pwdReset,pwdAccountLockedTime");
    let (_site, service) = served(&slapd.url(), "");
    set(&slapd, TOMS_DN, "pwdReset", "TRUE");
    keeps_out(&service, TOM, "password must be changed first");
    for wrong in ["1", "2", "3"] {
        keeps_out(&service, (MARY.0, wrong), "wrong password");
    }
    keeps_out(&service, MARY, "account locked");
    take(&slapd, MARYS_DN, "pwdAccountLockedTime");
    lets_in(&service, MARY, "bind");
}

/// An old password has two logins left. Each bind uses one up, so what one proves is held.
#[test]
fn grace_logins_and_an_expired_password() {
    let slapd = slapd("");
    for (dn, policy) in [(ALANS_DN, "aging"), (LAMBS_DN, "aged")] {
        set(&slapd, dn, "pwdPolicySubentry", &format!("cn={policy},dc=renovations,dc=example"));
        slapd.modify_anything(&format!(
            "dn: {dn}\nchangetype: modify\nreplace: pwdChangedTime\npwdChangedTime: 20200101000000Z\n"
        ));
    }
    let (_site, service) = served(&slapd.url(), "");
    lets_in(&service, ALAN, "grace login, 1 left");
    for _ in 0..5 {
        lets_in(&service, ALAN, "cache");
    }
    keeps_out(&service, LAMB, "password expired");
}

pub(super) fn check(site: &Site, plan: &Plan) -> Output {
    let file = site.folder().join("checked.yaml");
    std::fs::write(&file, plan.yaml()).unwrap();
    restante().args(["check", "--config"]).arg(&file).output().unwrap()
}

#[test]
fn check_names_the_states_that_may_not_be_read() {
    let site = Site::new();
    let told = |output: Output| (output.status.code(), String::from_utf8(output.stderr).unwrap());
    let open = slapd("");
    assert_eq!(told(check(&site, &Plan::at(&open.url()))), (Some(0), String::new()));
    let hiding = slapd("pwdReset,pwdEndTime");
    let (status, words) = told(check(&site, &Plan::at(&hiding.url())));
    assert_eq!(status, Some(1));
    assert!(words.contains("may not read pwdEndTime, pwdReset, which show"), "{words}");
    let mut plan = Plan::at(&open.url());
    plan.directory.push_str("    allowed_group: \"cn=none,dc=renovations,dc=example\"\n");
    let (status, words) = told(check(&site, &plan));
    assert_eq!(status, Some(1));
    assert!(words.contains("there is no group cn=none,dc=renovations,dc=example"), "{words}");
}

#[test]
fn resolve_tells_the_state() {
    let (site, slapd) = (Site::new(), slapd(""));
    set(&slapd, ALANS_DN, "pwdReset", "TRUE");
    set(&slapd, LAMBS_DN, "pwdAccountLockedTime", "20200101000000Z");
    let file = site.folder().join("resolved.yaml");
    std::fs::write(&file, Plan::at(&slapd.url()).yaml()).unwrap();
    for (name, status, account) in [
        (ALAN.0, 1, "password must be changed first"),
        (LAMB.0, 0, "account locked, unless a bind says otherwise"),
        (MARY.0, 0, "nothing in the entry prevents a login"),
    ] {
        let told = restante().args(["resolve", "--config"]).arg(&file).arg(name).output().unwrap();
        let words = String::from_utf8(told.stdout).unwrap();
        assert!(words.contains(&format!("\naccount     {account}\n")), "{words}");
        assert_eq!(told.status.code(), Some(status), "{words}");
    }
}

/// A person of the table is who the others think.
#[test]
fn the_people_of_these_tests_are_those_of_the_sample() {
    let known: Vec<(String, String)> =
        people::people().unwrap().into_iter().map(|person| (person.short_name, person.password)).collect();
    let is_known = |(name, password): &Person| known.iter().any(|(n, p)| n == name && p == password);
    assert!([ALAN, LAMB, MARY, TOM].iter().all(is_known));
}
