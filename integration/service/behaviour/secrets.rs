//! No password is ever written down, whatever is done with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use restante::demo::fault_injection::InjectedFault;
use restante::demo::people;

use crate::support::conversation::Conversation;
use crate::support::stage::{PASSWORD, Stage};

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Says lines, each in a session of its own way; answers do not matter here.
fn say(client: &mut Conversation, lines: &[String]) {
    for line in lines {
        client.send(line);
        if client.line_or_end().is_none() {
            return;
        }
    }
}

/// Every way in which a client can send a password, as well-formed as it should be and less.
fn ways(login: &str, password: &str) -> Vec<Vec<String>> {
    let plain = base64(&format!("\0{login}\0{password}"));
    vec![
        vec![format!("USER {login}"), format!("PASS {password}"), format!("PASS {password}")],
        vec![format!("PASS {password}")],
        vec![format!("AUTH PLAIN {plain}"), format!("AUTH PLAIN {plain}")],
        vec!["AUTH PLAIN".to_owned(), plain.clone()],
        vec!["AUTH LOGIN".to_owned(), base64(login), base64(password)],
        vec![format!("AUTH LOGIN {}", base64(login)), base64(password)],
        // Without the first NUL, cut in the middle, not in base64 at all, for a mechanism that is not there.
        vec![format!("AUTH PLAIN {}", base64(&format!("{login}\0{password}")))],
        vec![format!("AUTH PLAIN {}", plain.trim_end_matches('=').split_at(plain.len() / 2 * 2 - 3).0)],
        vec!["AUTH LOGIN".to_owned(), base64(login), password.to_owned()],
        vec![format!("AUTH EXTERNAL {plain}")],
        vec![format!("PASSWORD {password}"), format!("LOGIN {login} {password}")],
        vec![format!("USER {login}"), format!("PASS {password}{}", " ".repeat(5000))],
    ]
}

/// What would give a password away: as it is, and wherever it may lie in base64.
fn traces(password: &str) -> Vec<String> {
    let mut traces = vec![password.to_owned(), format!("{password:?}").trim_matches('"').to_owned()];
    for offset in 0..3 {
        let encoded = STANDARD_NO_PAD.encode([&vec![0; offset], password.as_bytes()].concat());
        // The characters at both ends depend on the neighbours as well.
        let (first, last) = ((offset * 8).div_ceil(6), (offset + password.len()) * 8 / 6);
        traces.push(encoded[first..last].to_owned());
    }
    traces
}

/// With nothing held, so that the directory is asked each time.
const CONFIGURATION: &str = "log: { level: debug }
limits: { refused_logins: 100 }
cache: { found: 0s, missed: 0s, password: 0s, refused: 0s, outage_grace: 0s }
";

const LOGINS: [(&str, &str); 4] = [
    ("ajones", PASSWORD),
    ("Jürgen Müller", "grüne Äpfel"),
    ("ajones", "wrong-but-secret-1"),
    ("nobody", "misplaced-secret-2"),
];

#[test]
fn no_password_is_ever_logged() {
    let stage = Stage::set(CONFIGURATION, &[]);
    for (login, password) in LOGINS {
        for lines in ways(login, password) {
            say(&mut stage.client(), &lines);
            say(&mut stage.tls_client(), &lines);
        }
        // Half a line, and gone; and one in place of a handshake.
        stage.client().send_octets(format!("USER {login}\r\nPASS {password}").as_bytes());
        Conversation::plain(stage.service.pop3s()).send(&format!("PASS {password}"));
    }
    for fault in [InjectedFault::Refuse, InjectedFault::Nonsense(b"0\x84nonsense".to_vec())] {
        stage.directory.controls().inject(fault);
        say(&mut stage.client(), &ways("ajones", PASSWORD)[0]);
    }
    for code in [1, 51, 80] {
        let text = "no, and here is why".to_owned();
        stage.directory.controls().inject(InjectedFault::BindResult { code, text });
        say(&mut stage.client(), &ways("ajones", PASSWORD)[0]);
    }
    let Stage { service, directory, .. } = stage;
    let (_, log) = service.terminate();
    drop(directory);
    let log = log.join("\n");
    for expected in [" event=login person=", "login refused", "directory unavailable"] {
        assert!(log.contains(expected), "nothing of {expected}: this test would see nothing");
    }
    let service_password = people::service_password().unwrap();
    for password in LOGINS.iter().map(|(_, password)| *password).chain([&*service_password]) {
        for trace in traces(password) {
            assert!(!log.contains(&trace), "{password} is in the log as {trace}");
        }
    }
}

/// The search above would find a password, had one been written.
#[test]
fn a_password_in_base64_would_be_found() {
    for before in ["", "\0ajones\0", "\0x\0", "\0xy\0"] {
        let sent = base64(&format!("{before}{PASSWORD}"));
        assert!(traces(PASSWORD).iter().any(|trace| sent.contains(trace)), "{sent}");
    }
}
