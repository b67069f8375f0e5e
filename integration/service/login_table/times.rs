//! One answer at one time, whatever the state of the account and however the password came.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::states::{Row, Told};
use super::{REFUSAL, Server};
use crate::support::conversation::Conversation;
use crate::support::service::Service;

pub(super) const STEP: Duration = Duration::from_secs(1);
/// How late an answer may be on a busy machine. A reason that shows would do so from the first millisecond on.
const LATE: Duration = Duration::from_millis(700);

/// A way to send a name and a password.
#[derive(Clone, Copy, Debug)]
enum Way {
    Pass,
    AuthPlain,
    AuthLogin,
}

/// Everybody who is refused, somebody whom nobody knows, and somebody of whom there are two, all at once.
pub(super) fn tell_nothing(server: Server, service: &Service, rows: &[&Row]) {
    let of_table = rows.iter().filter(|row| matches!(row.told_by(server), Told::Refused(_)));
    let mut refused: Vec<(String, String)> =
        of_table.map(|row| (row.person.short.to_owned(), row.password())).collect();
    refused.push(("nobody".to_owned(), "x".to_owned()));
    refused.push(("Mary Brown".to_owned(), "paper-boat-42".to_owned()));
    std::thread::scope(|scope| {
        for (name, password) in &refused {
            scope.spawn(move || {
                for way in [Way::Pass, Way::AuthPlain, Way::AuthLogin] {
                    let (words, took) = answer(service, way, name, password);
                    let is_in_time = (STEP..STEP + LATE).contains(&took);
                    assert!(words == REFUSAL && is_in_time, "{server:?}, {name} by {way:?}: {words:?} after {took:?}");
                }
            });
        }
    });
}

/// The answer to the credentials, and how long it took.
fn answer(service: &Service, way: Way, name: &str, password: &str) -> (String, Duration) {
    let mut client = Conversation::plain(service.pop3());
    client.expect("+OK");
    let last = match way {
        Way::Pass => {
            client.ask(&format!("USER {name}"), "+OK");
            format!("PASS {password}")
        }
        Way::AuthPlain => format!("AUTH PLAIN {}", STANDARD.encode(format!("\0{name}\0{password}"))),
        Way::AuthLogin => {
            client.ask("AUTH LOGIN", "+ ");
            client.ask(&STANDARD.encode(name), "+ ");
            STANDARD.encode(password)
        }
    };
    let began = Instant::now();
    client.send(&last);
    (client.line(), began.elapsed())
}
