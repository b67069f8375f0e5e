//! Where slapd's ppolicy writes down refused binds, each guess of a stranger is a change of the entry, and reported.

use std::fmt::Write as _;
use std::time::Duration;

use super::{ALAN, follows, with_overlays};
use crate::support::directory::RealDirectory;
use crate::support::login::{give_mail, log_in};
use crate::support::overlays::Overlay;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;

const LAMB: (&str, &str) = ("alamb", "seven green lamps");

/// Nothing but the grace lets anybody in without the directory.
fn serve(slapd: &Slapd, site: &Site) -> Service {
    let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s\ncache: { found: 0s, password: 0s }");
    writeln!(plan.directory, "    follow: true").unwrap();
    for name in [ALAN.0, LAMB.0] {
        give_mail(site, name);
    }
    let service = site.serve(&plan.and("log: { level: debug }"));
    follows(&service);
    // A password that was changed less than three seconds ago may be changed once more under the same stamp.
    std::thread::sleep(Duration::from_millis(3_100));
    service
}

/// So many changes were reported, whatever came of them.
fn reported(service: &Service, changes: usize) {
    service.wait_for_logs(&["an entry has changed"], changes);
}

/// Nor does the owner's own login, behind which slapd forgets the guesses.
#[test]
fn a_strangers_guess_takes_no_outage_grace_away() {
    let (mut slapd, site) = (with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]), Site::new());
    let service = serve(&slapd, &site);
    for name in ["Alan Jones", ALAN.0] {
        log_in(&service, name, ALAN.1).unwrap();
    }
    log_in(&service, LAMB.0, LAMB.1).unwrap();
    for name in [ALAN.0, LAMB.0] {
        log_in(&service, name, "a guess").unwrap_err();
    }
    reported(&service, 2);
    log_in(&service, LAMB.0, LAMB.1).unwrap();
    reported(&service, 3);
    slapd.kill();
    service.wait_for_log(&["WARN", "the directory is not followed"]);
    for (name, (person, password)) in [("Alan Jones", ALAN), (ALAN.0, ALAN), (LAMB.0, LAMB)] {
        assert_eq!(log_in(&service, name, password).as_deref(), Ok(person), "{name}");
    }
    service.wait_for_logs(&["proof=\"outage grace\""], 3);
    log_in(&service, ALAN.0, "a guess").unwrap_err();
}

/// Behind a guess a change that concerns the person is bridged no more than without one.
#[test]
fn who_was_disabled_behind_a_guess_is_not_let_in_by_the_grace() {
    for is_disabled_first in [false, true] {
        let (mut slapd, site) = (with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]), Site::new());
        let service = serve(&slapd, &site);
        log_in(&service, "Alan Jones", ALAN.1).unwrap();
        let guess = || log_in(&service, ALAN.0, "a guess").unwrap_err();
        if is_disabled_first {
            slapd.disable(ALAN.0);
            guess();
        } else {
            guess();
            slapd.disable(ALAN.0);
        }
        service.wait_for_log(&["an entry has changed: its person is looked up anew"]);
        slapd.kill();
        service.wait_for_log(&["WARN", "the directory is not followed"]);
        log_in(&service, "Alan Jones", ALAN.1).unwrap_err();
    }
}

/// A password that the administrator sets behind a guess, and a name that is taken away.
#[test]
fn what_else_changes_behind_a_guess_counts_at_once() {
    let (slapd, site) = (with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]), Site::new());
    let service = serve(&slapd, &site);
    log_in(&service, "Al Jones", ALAN.1).unwrap();
    log_in(&service, ALAN.0, "a guess").unwrap_err();
    reported(&service, 1);
    let dn = slapd.dn(ALAN.0);
    slapd.modify(&format!("dn: {dn}\nchangetype: modify\ndelete: cn\ncn: Al Jones\n"));
    service.wait_for_logs(&["an entry has changed: its person is looked up anew"], 1);
    slapd.set_password(ALAN.0, "a new Password 27");
    service.wait_for_logs(&["an entry has changed: its person is looked up anew"], 2);
    log_in(&service, ALAN.0, ALAN.1).unwrap_err();
    log_in(&service, ALAN.0, "a new Password 27").unwrap();
}
