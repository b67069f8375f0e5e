//! What is counted, and what is forgotten.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use super::*;

const PEER: &str = "192.0.2.7:40000";

fn registered(ledger: &Ledger, id: &str, person: Option<&str>) -> RegisteredSession {
    let session = ledger.sessions.register(id.to_owned(), PEER.parse().unwrap(), "[::]:110".into());
    session.set_person(person);
    session
}

#[test]
fn a_session_is_listed_until_it_ends() {
    let ledger = Ledger::default();
    let one = registered(&ledger, "1-1", Some("ajones"));
    let other = registered(&ledger, "1-2", None);
    one.set_state(LiveState::Transaction);
    one.set_protection("TLS 1.3");
    let listed = ledger.sessions.list();
    assert_eq!(listed.iter().map(|session| &*session.id).collect::<Vec<_>>(), ["1-1", "1-2"]);
    assert_eq!((listed[0].state, listed[0].protection), (LiveState::Transaction, "TLS 1.3"));
    let metrics = ledger.metrics(ExpositionFormat::PrometheusText);
    assert!(metrics.contains("restante_sessions_current{state=\"transaction\"} 1\n"), "{metrics}");
    drop(one);
    assert_eq!((ledger.sessions.list().len(), ledger.sessions.counts()), (1, (1, 2)));
    drop(other);
    assert_eq!((ledger.sessions.list().len(), ledger.sessions.counts()), (0, (0, 2)));
    let metrics = ledger.metrics(ExpositionFormat::PrometheusText);
    assert!(metrics.contains("restante_sessions_current{state=\"transaction\"} 0\n"), "{metrics}");
    assert!(metrics.contains("restante_sessions_total 2\n"), "{metrics}");
}

#[tokio::test]
async fn an_id_kicks_one_session_and_a_name_all_of_a_person() {
    let ledger = Ledger::default();
    let one = registered(&ledger, "1-1", Some("ajones"));
    let two = registered(&ledger, "1-2", Some("ajones"));
    let other = registered(&ledger, "1-3", Some("alamb"));
    assert_eq!(ledger.sessions.kick("1-2").len(), 1);
    assert_eq!([&one, &two, &other].map(|session| session.live().ending().is_some()), [false, true, false]);
    assert_eq!(ledger.sessions.kick("AJones").len(), 2);
    one.live().kicked().await;
    two.live().kicked().await;
    assert!(other.live().ending().is_none());
    assert!(ledger.sessions.kick("nobody").is_empty());
}

#[tokio::test]
async fn a_waiting_session_learns_of_its_end() {
    let ledger = Ledger::default();
    let session = registered(&ledger, "1-1", None);
    let live = session.live();
    let kicking = async {
        tokio::task::yield_now().await;
        ledger.sessions.kick("1-1").len()
    };
    let ended = tokio::join!(live.kicked(), kicking);
    assert_eq!(ended, (SessionEnding::Administrator, 1));
}

#[test]
fn the_format_is_the_one_that_is_asked_for() {
    let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    assert_eq!(ExpositionFormat::accepted(prometheus), ExpositionFormat::OpenMetrics);
    for other in ["", "*/*", "text/plain;version=0.0.4", "application/openmetrics-text;q=0"] {
        assert_eq!(ExpositionFormat::accepted(other), ExpositionFormat::PrometheusText, "{other}");
    }
    let ledger = Ledger::default();
    assert!(ledger.metrics(ExpositionFormat::OpenMetrics).ends_with("# EOF\n"));
    assert!(!ledger.metrics(ExpositionFormat::PrometheusText).contains("# EOF"));
}

#[test]
fn a_certificate_that_was_replaced_is_no_longer_reported() {
    let ledger = Ledger::default();
    let certificate = |name: &str, days: u64| OwnCertificate {
        file: "tls/server.pem".to_owned(),
        name: name.to_owned(),
        valid_until: UNIX_EPOCH + Duration::from_secs(days * 86_400),
    };
    assert!((certificate("a", 3).days_left(UNIX_EPOCH) - 3.0).abs() < 0.001);
    assert!(certificate("a", 3).days_left(UNIX_EPOCH + Duration::from_secs(5 * 86_400)) < -1.9);
    ledger.set_certificates(vec![certificate("old.example", 1)]);
    assert!(ledger.metrics(ExpositionFormat::PrometheusText).contains("old.example"));
    ledger.set_certificates(vec![certificate("new.example", 1)]);
    let metrics = ledger.metrics(ExpositionFormat::PrometheusText);
    assert!(metrics.contains("new.example") && !metrics.contains("old.example"), "{metrics}");
}

#[test]
fn logins_are_counted_by_minute_for_an_hour() {
    let (hour, now) = (LastHour::default(), Instant::now());
    let at = |minutes: u64| now + Duration::from_secs(60 * minutes);
    hour.note_login_at(at(0), |minute| minute.accepted += 1);
    hour.note_login_at(at(0), |minute| minute.refused += 1);
    hour.note_login_at(at(3), |minute| minute.accepted += 1);
    let logins = hour.logins_at(at(3));
    assert_eq!(logins.len(), 60);
    assert_eq!((logins[56].accepted, logins[56].refused, logins[59].accepted), (1, 1, 1));
    assert_eq!(hour.logins_at(at(62)).iter().map(|minute| minute.accepted).sum::<u32>(), 1);
    assert_eq!(hour.logins_at(at(200)).iter().map(|minute| minute.accepted).sum::<u32>(), 0);
}

#[test]
fn the_slowest_maildrops_come_first_and_are_few() {
    let hour = LastHour::default();
    for number in [3, 14, 1, 9, 2, 7, 11, 4, 13, 5, 8, 6, 12, 10] {
        hour.note_scan(Duration::from_millis(number), "ajones", || format!("{number}/Maildir"));
    }
    let slowest: Vec<u128> = hour.slowest().iter().map(|slow| slow.took.as_millis()).collect();
    assert_eq!(slowest, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5]);
}

#[test]
fn the_noisiest_addresses_survive_a_flood_of_others() {
    let (hour, now) = (LastHour::default(), Instant::now());
    let noisy: IpAddr = "2001:db8::5".parse().unwrap();
    for _ in 0..3 {
        hour.note_noise_at(now, noisy);
    }
    for number in 0..20_000_u32 {
        hour.note_noise_at(now, IpAddr::V4(number.into()));
    }
    let first = &hour.noisiest(5)[0];
    assert_eq!((first.address, first.count), ("2001:db8::".parse().unwrap(), 3));
    assert!(hour.noisiest(usize::MAX).len() <= 4096);
    hour.note_noise_at(now + Duration::from_secs(3 * 3600), noisy);
    assert_eq!(hour.noisiest(usize::MAX).len(), 1);
}
