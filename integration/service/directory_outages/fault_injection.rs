//! What real servers do, but not on command: silence, trickles, nonsense.

use std::time::{Duration, Instant};

use restante::demo::fault_injection::InjectedFault;

use super::{ALAN, HOLD_NOTHING, LAMB, embedded, plan, puts_off, serves, serves_soon, site};

/// Two of the longest waits one login can have here (a connection and a search), each twice, and a busy machine.
const LIMIT: Duration = Duration::from_secs(9);

/// Whatever it is: those within the grace are served, others told to come back, in time; and all is well afterwards.
fn outlives(fault: InjectedFault) {
    let ((directory, controls), site) = (embedded(), site());
    let service = site.serve(&plan(&[&directory.url()]).and(HOLD_NOTHING));
    serves(&service, ALAN);
    controls.inject(fault);
    for _ in 0..2 {
        let began = Instant::now();
        serves(&service, ALAN);
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
        let began = Instant::now();
        puts_off(&service, LAMB);
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    }
    service.wait_for_logs(&[" event=login person=\"ajones\" ", "proof=\"outage grace\""], 2);
    controls.inject(InjectedFault::None);
    serves_soon(&service, LAMB);
    service.wait_for_log(&[" event=login person=\"alamb\" ", "proof=\"bind\""]);
}

#[test]
fn silence() {
    outlives(InjectedFault::Silent);
}

#[test]
fn refused_connections() {
    outlives(InjectedFault::Refuse);
}

#[test]
fn searches_that_break_off() {
    outlives(InjectedFault::DropOnSearch);
}

#[test]
fn searches_that_never_end() {
    outlives(InjectedFault::TrickleEntries(Duration::from_millis(20)));
}

#[test]
fn notices_of_disconnection() {
    outlives(InjectedFault::NoticeOfDisconnection);
}

#[test]
fn answers_that_are_no_ldap() {
    outlives(InjectedFault::Nonsense(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
}

#[test]
fn answers_that_are_half_ldap() {
    outlives(InjectedFault::Nonsense(b"\x30\x03\x02\x01\x05".to_vec()));
}

#[test]
fn answers_longer_than_they_will_ever_be() {
    outlives(InjectedFault::Nonsense(b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01".to_vec()));
}

#[test]
fn a_slow_directory_is_none_that_fails() {
    let ((directory, controls), site) = (embedded(), site());
    let service = site.serve(&plan(&[&directory.url()]).and(HOLD_NOTHING));
    controls.inject(InjectedFault::Slow(Duration::from_millis(150)));
    serves(&service, ALAN);
    serves(&service, LAMB);
    assert_eq!(super::alarms(&service), [""; 0]);
}
