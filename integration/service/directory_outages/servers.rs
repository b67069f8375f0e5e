//! Several servers of one directory, and mistakes in the configuration that no other server mends.

use std::fs;
use std::time::{Duration, Instant};

use restante::demo::fault_injection::InjectedFault;
use restante::demo::people::{BASE, LDIF};

use super::{ALAN, HOLD_NOTHING, LAMB, MARY, NO_GRACE, embedded, plan, serves, site};
use crate::support::directory::RealDirectory;
use crate::support::login::{give_mail, opens, refuses};
use crate::support::ports::Port;
use crate::support::slapd::Slapd;
use crate::support::wait_until;

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
    for fault in [
        InjectedFault::Refuse,
        InjectedFault::Silent,
        InjectedFault::NoticeOfDisconnection,
        InjectedFault::DropOnSearch,
        InjectedFault::BindResult { code: 51, text: "busy".to_owned() },
        InjectedFault::BindResult { code: 52, text: "unavailable".to_owned() },
    ] {
        let site = site();
        let service = site.serve(&plan(&[&first.url(), &second.url()]).and(NO_GRACE));
        serves(&service, ALAN);
        let before = of_second.asked();
        of_first.inject(fault.clone());
        serves(&service, LAMB);
        serves(&service, ALAN);
        let after = of_second.asked();
        let more = (after.searches - before.searches).max(after.binds - before.binds);
        assert_eq!(more, 2, "{fault:?}: searches, binds or both are asked of the second");
        of_first.inject(InjectedFault::None);
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
        of_first.inject(InjectedFault::BindResult { code, text: String::new() });
        refuses(&service, ALAN.0, ALAN.1, "AUTH");
    }
    assert_eq!((of_first.asked().binds, of_second.asked().binds), (7, 0));
}

/// Only the first server knows somebody, who is therefore served by it or by nobody.
#[test]
fn the_first_server_is_used_again_as_soon_as_it_answers() {
    let (mut first, second, site) = (Slapd::start(LDIF), Slapd::start(LDIF), site());
    let service = site.serve(&plan(&[&first.url(), &second.url()]).and(NO_GRACE));
    serves(&service, ALAN);
    for round in 1..=2 {
        first.stop();
        for person in [LAMB, MARY, ALAN] {
            serves(&service, person);
        }
        first.restart();
        service.wait_for_logs(&["INFO", "directory server answers again", &first.url()], round);
        first.modify(&format!(
            "dn: uid=only{round},{BASE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: only{round}\ncn: O\nsn: O\nuserPassword: one of one\n"
        ));
        give_mail(&site, &format!("only{round}"));
        opens(&service, &format!("only{round}"), "one of one", &format!("only{round}"));
    }
    refuses(&service, "ajones", "wrong", "AUTH");
}

/// It is tried again and again, in the background: while it is, logins are as fast as ever.
#[test]
fn nobody_waits_for_a_server_that_is_silent_still() {
    let ((first, of_first), (second, of_second), site) = (embedded(), embedded(), site());
    let service = site.serve(&plan(&[&first.url(), &second.url()]).and(NO_GRACE));
    serves(&service, ALAN);
    of_first.inject(InjectedFault::Silent);
    serves(&service, ALAN);
    let tried = of_first.asked().service_binds + 2;
    wait_until("the first one is tried in the background", || {
        let began = Instant::now();
        serves(&service, ALAN);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        of_first.asked().service_binds >= tried
    });
    let before = (of_first.asked().binds, of_second.asked().binds);
    of_first.inject(InjectedFault::None);
    service.wait_for_log(&["INFO", "directory server answers again", &first.url()]);
    let ready = of_first.asked().connections;
    serves(&service, ALAN);
    assert_eq!((of_first.asked().binds, of_second.asked().binds), (before.0 + 1, before.1));
    assert_eq!(
        of_first.asked().connections,
        ready + 1,
        "the connection for searches was there, that for binds was not"
    );
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

/// It would lead to somebody else's server, perhaps in clear, and to waiting.
#[test]
fn referrals_are_not_chased() {
    let (elsewhere, site) = (embedded(), site());
    let referral = format!(
        "dn: ou=Elsewhere,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: Elsewhere\nref: {}/{BASE}\n",
        elsewhere.0.url()
    );
    let slapd = Slapd::start(&format!("{LDIF}\n\n{referral}"));
    let service = site.serve(&plan(&[&slapd.url()]).and(HOLD_NOTHING));
    for person in [ALAN, LAMB] {
        serves(&service, person);
    }
    refuses(&service, "nobody", "x", "AUTH");
    assert_eq!(elsewhere.1.asked().connections, 0);
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
