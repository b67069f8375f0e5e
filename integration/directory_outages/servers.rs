//! Several servers of one directory, and mistakes in the configuration that no other server mends.

use std::fs;

use restante::demo::mischief::Mischief;
use restante::demo::people::LDIF;

use super::support::login::refuses;
use super::support::ports::Port;
use super::support::slapd::Slapd;
use super::{ALAN, HOLD_NOTHING, LAMB, MARY, NO_GRACE, embedded, plan, serves, site};

#[test]
fn a_dead_server_is_passed_over() {
    let (dead, slapd, site) = (Port::take(), Slapd::start(LDIF), site());
    let dead_url = format!("ldap://{}", dead.address());
    let service = site.serve(&plan(&[&dead_url, &slapd.url()]).and(NO_GRACE));
    for person in [ALAN, LAMB, MARY] {
        serves(&service, person);
    }
    service.wait_for_log(&["WARN", "directory server failed", &dead_url]);
    refuses(&service, "ajones", "wrong", "AUTH");
}

#[test]
fn the_next_server_takes_over_in_mid_service() {
    let ((first, of_first), (second, of_second)) = (embedded(), embedded());
    for mischief in [
        Mischief::Refuse,
        Mischief::Silent,
        Mischief::NoticeOfDisconnection,
        Mischief::DropOnSearch,
        Mischief::BindResult { code: 51, text: "busy".to_owned() },
        Mischief::BindResult { code: 52, text: "unavailable".to_owned() },
    ] {
        let site = site();
        let service = site.serve(&plan(&[&first.url(), &second.url()]).and(NO_GRACE));
        serves(&service, ALAN);
        let before = of_second.asked();
        of_first.set_mischief(mischief.clone());
        serves(&service, LAMB);
        serves(&service, ALAN);
        let after = of_second.asked();
        let more = (after.searches - before.searches).max(after.binds - before.binds);
        assert_eq!(more, 2, "{mischief:?}: searches, binds or both are asked of the second");
        of_first.set_mischief(Mischief::None);
    }
}

/// Else every wrong password would count as often as there are servers towards the directory's own lock-out.
#[test]
fn no_is_an_answer_and_never_asked_for_twice() {
    let ((first, of_first), (second, of_second), site) = (embedded(), embedded(), site());
    let service = site.serve(&plan(&[&first.url(), &second.url()]).and(HOLD_NOTHING));
    refuses(&service, "ajones", "wrong", "AUTH");
    assert_eq!((of_first.asked().binds, of_second.asked().binds), (1, 0));
    for code in [49, 48, 32, 34, 19, 53] {
        of_first.set_mischief(Mischief::BindResult { code, text: String::new() });
        refuses(&service, ALAN.0, ALAN.1, "AUTH");
    }
    assert_eq!((of_first.asked().binds, of_second.asked().binds), (7, 0));
}

#[test]
fn a_refused_service_is_the_administrators_affair() {
    let (slapd, site) = (Slapd::start(LDIF), site());
    fs::write(site.folder().join("ldap.password"), "not the password\n").unwrap();
    let service = site.serve(&plan(&[&slapd.url()]).and(HOLD_NOTHING));
    for (person, password) in [ALAN, LAMB, ("nobody", "x")] {
        refuses(&service, person, password, "SYS/PERM");
    }
    let words = ["ERROR", "login not possible: misconfigured", "service bind as cn=restante,", "invalidCredentials"];
    service.wait_for_logs(&words, 3);
}

#[test]
fn a_missing_search_base_is_the_administrators_affair() {
    let (slapd, site) = (Slapd::start(LDIF), site());
    let mut plan = plan(&[&slapd.url()]).and(HOLD_NOTHING);
    plan.directory = plan.directory.replace("base: \"ou=people,", "base: \"ou=persons,");
    let service = site.serve(&plan);
    refuses(&service, ALAN.0, ALAN.1, "SYS/PERM");
    service.wait_for_log(&["ERROR", "login not possible: misconfigured", "ou=persons,", "noSuchObject"]);
}
