//! The log: one line for each login, one for each end, with what an administrator looks for.

use std::collections::BTreeMap;
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::conversation::Conversation;
use crate::support::stage::{NAME, PASSWORD, Stage};

const MESSAGES: &[(&str, &[u8])] = &[("cur/1.a", b"Subject: a\n\n.one\ntwo"), ("cur/2.b", b"Subject: b\n\nb\n")];

/// The values of `key=value` and `key="value"`, in order.
fn fields(line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('=') {
        let key = before.rsplit(' ').next().unwrap().to_owned();
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => behind.split_once(' ').unwrap_or((behind, "")),
        };
        found.push((key, value.to_owned()));
        rest = behind;
    }
    found
}

fn value(line: &str, key: &str) -> String {
    let fields = fields(line);
    let found = fields.iter().find(|(name, _)| name == key);
    found.unwrap_or_else(|| panic!("no {key} in {line}")).1.clone()
}

#[test]
fn the_end_of_a_session_is_logged_with_what_it_did() {
    let stage = Stage::set("", MESSAGES);
    let mut client = stage.tls_client();
    client.login("Alan Jones", PASSWORD);
    for command in ["RETR 1", "RETR 2", "RETR 2", "TOP 1 1"] {
        client.ask(command, "+OK");
        client.message();
    }
    client.ask("RETR 3", "-ERR");
    client.ask("DELE 2", "+OK");
    client.ask("QUIT", "+OK");
    client.ended();
    let line = stage.service.wait_for_log(&["connection ended"]);
    let keys: Vec<String> = fields(&line).into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        [
            "event",
            "person",
            "peer",
            "listener",
            "tls",
            "messages",
            "retr",
            "retr_octets",
            "top",
            "top_octets",
            "dele",
            "seconds",
            "reason",
            "session"
        ]
    );
    assert_eq!(value(&line, "messages"), "2");
    assert_eq!(value(&line, "person"), "ajones");
    assert!(value(&line, "peer").starts_with("127.0.0.1:"));
    assert_eq!(value(&line, "listener"), stage.service.pop3s().to_string());
    assert_eq!(value(&line, "tls"), "TLS 1.3");
    // Octets as LIST has them: 12 + 2 + 6 + 5 and 17, twice; TOP without the last line. Stuffing and dots do not count.
    assert_eq!((value(&line, "retr"), value(&line, "retr_octets")), ("3".to_owned(), "59".to_owned()));
    assert_eq!((value(&line, "top"), value(&line, "top_octets")), ("1".to_owned(), "20".to_owned()));
    assert_eq!(value(&line, "dele"), "1");
    assert!(value(&line, "seconds").parse::<f64>().unwrap() < 20.0);
    assert_eq!(value(&line, "reason"), "quit");
}

/// Whatever thread writes them: the odd file is found by one that reads the Maildir, and so is what cannot be sent.
#[test]
fn every_line_of_a_session_has_its_id() {
    let stage = Stage::set("", MESSAGES);
    std::os::unix::fs::symlink("/", stage.maildir().join("cur/3.odd")).unwrap();
    let mut client = stage.session();
    std::fs::remove_file(stage.maildir().join("cur/1.a")).unwrap();
    client.ask("RETR 1", "-ERR");
    let mut another = stage.client();
    another.ask("USER ajones", "+OK");
    another.ask("PASS x", "-ERR");
    client.ask("QUIT", "+OK");
    let id = |words: &str| value(&stage.service.wait_for_log(&[words]), "session");
    let login = id(" event=login person=");
    for words in ["ignored: not a regular file", "message not sent", "event=connection_ended person="] {
        assert_eq!(id(words), login, "{words}");
    }
    assert_ne!(id("login refused"), login);
    for line in stage.service.log() {
        assert!(line.contains(" event="), "{line}");
        let is_of_a_session = line.contains("person=") || line.contains("maildrop=") || line.contains("peer=");
        assert_eq!(line.contains(" session="), is_of_a_session, "{line}");
    }
}

#[test]
fn a_login_without_a_maildir_is_logged() {
    let stage = Stage::set("", MESSAGES);
    std::fs::remove_dir_all(stage.maildir()).unwrap();
    let mut client = stage.session();
    client.ask("STAT", "+OK 0 0");
    client.ask("QUIT", "+OK");
    let line = stage.service.wait_for_log(&["no Maildir there yet: the client sees an empty mailbox"]);
    assert!(line.contains("person=\"ajones\"") && line.contains("maildrop=\"ajones/Maildir\""), "{line}");
    assert_eq!(value(&stage.service.wait_for_log(&["connection ended"]), "messages"), "0");
}

/// A name of 9,000 octets, each of which the log writes as five: in whatever way it comes, and whatever keeps it.
#[test]
fn a_strangers_longest_name_makes_no_longer_line_than_the_longest_allowed() {
    let stage = Stage::set_by(&[], |plan, _| {
        "person: 2, network: 0".clone_into(&mut plan.lockout);
        plan.further.push_str("limits: { command_line: 64KiB }\n");
    });
    let name = "\u{1}".repeat(9_000);
    let encoded = |text: &str| STANDARD.encode(text);
    for password in ["one", "two"] {
        let mut client = stage.client();
        client.ask(&format!("AUTH PLAIN {}", encoded(&format!("\0{name}\0{password}"))), "-ERR [AUTH]");
        client.ask(&format!("AUTH LOGIN {}", encoded(&name)), "+ ");
        client.ask(&encoded(password), "-ERR [AUTH]");
    }
    let mut client = stage.client();
    client.send(&format!("USER {}", "x".repeat(60_000)));
    client.line();
    client.send("PASS one");
    client.line();
    drop(client);
    stage.service.wait_for_log(&["WARN", "lock-out begins", "login="]);
    stage.service.wait_for_logs(&["login refused"], 4);
    stage.service.wait_for_logs(&["connection ended"], 3);
    let longest = stage.service.log().iter().map(String::len).max().unwrap();
    assert!(longest < 3_000, "{longest}");
}

/// Whoever tries without end from one address has twenty lines a minute, and then a sum.
#[test]
fn repeated_refusals_from_one_network_are_summed_up() {
    let stage = Stage::set("limits: { refused_logins: 1 }\n", &[]);
    for number in 0..100 {
        let mut client = stage.client();
        client.ask(&format!("USER nobody{number}"), "+OK");
        client.ask("PASS x", "-ERR [AUTH]");
        client.ended();
    }
    let mut another = stage.client();
    another.login("ajones", PASSWORD);
    another.ask("QUIT", "+OK");
    let (_, log) = stage.service.terminate();
    let told = |words: &[&str]| log.iter().filter(|line| words.iter().all(|word| line.contains(word))).count();
    assert_eq!((told(&[" login refused "]), told(&[" connection ended "])), (20, 21), "who logged in has a line");
    for sum in ["further logins refused", "further connections ended without a login"] {
        assert_eq!(told(&[sum, "network=127.0.0.1 ", "count=80"]), 1, "{sum}");
    }
}

type Play = fn(&Stage);

/// Each way to end is played, and each gives one line; those that need more of a stage are tested where they are.
#[test]
fn each_connection_has_exactly_one_end_with_its_reason() {
    let stage = Stage::set("limits: { tls_handshake: 1s, wrong_commands: 2, refused_logins: 1 }\n", MESSAGES);
    let plays: &[(Play, &str)] = &[
        (|stage| play(&mut stage.client(), "QUIT\r\n"), "quit"),
        (|stage| drop(stage.session()), "closed by the client without QUIT"),
        (|stage| drop(stage.tls_client()), "closed by the client without QUIT"),
        (|stage| play(&mut stage.client(), "FOO\r\nBAR\r\n"), "too many wrong commands"),
        (|stage| play(&mut stage.client(), "USER ajones\r\nPASS x\r\n"), "too many refused logins"),
        (|stage| Conversation::plain(stage.service.pop3s()).ended(), "TLS handshake failed: not done within 1s"),
        (
            |stage| drop(TcpStream::connect(stage.service.pop3s())),
            "TLS handshake failed: the client closed the connection",
        ),
    ];
    for (number, (play, reason)) in (1..).zip(plays) {
        play(&stage);
        let ends = stage.service.wait_for_logs(&["connection ended"], number);
        assert_eq!(ends.len(), number, "{ends:?}");
        assert_eq!(value(ends.last().unwrap(), "reason"), *reason);
    }
    let Stage { service, .. } = stage;
    let (_, log) = service.terminate();
    assert_eq!(log.iter().filter(|line| line.contains("connection ended")).count(), plays.len());
}

fn play(client: &mut Conversation, commands: &str) {
    client.send_octets(commands.as_bytes());
    while client.line_or_end().is_some() {}
}

#[test]
fn each_login_has_one_line_with_the_kind_of_name_or_the_true_reason() {
    let stage = Stage::set("limits: { refused_logins: 20 }\n", MESSAGES);
    let dn = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
    let plays: &[(&str, &str, &[&str])] = &[
        ("ajones", PASSWORD, &["event=login person=\"ajones\"", "kind=\"short_name\"", "proof=\"bind\""]),
        ("Al Jones", PASSWORD, &["event=login person=\"ajones\"", "kind=\"common_name\"", "proof=\"cache\""]),
        (
            "ALAN.JONES@renovations.example",
            PASSWORD,
            &["event=login person=\"ajones\"", "kind=\"mail\"", "proof=\"cache\""],
        ),
        (dn, PASSWORD, &["event=login person=\"ajones\"", "kind=\"distinguished_name\"", "proof=\"cache\""]),
        ("ajones", "wrong", &["event=login_refused person=\"ajones\"", "reason=\"wrong password\" "]),
        ("ajones", "wrong", &["event=login_refused person=\"ajones\"", "reason=\"wrong password, refused before\" "]),
        ("ajones", "", &["event=login_refused login=", "reason=\"empty password\" "]),
        ("nobody", "wrong", &["event=login_refused login=", "reason=\"no such login name\" "]),
        (
            "Mary Brown",
            "paper-boat-42",
            &["event=login_refused login=", "reason=\"ambiguous: uid=mbrown", " and uid=mbrown"],
        ),
    ];
    for (number, (login, password, told)) in (1..).zip(plays) {
        let mut client = stage.client();
        client.ask(&format!("USER {login}"), "+OK");
        client.send(&format!("PASS {password}"));
        client.line();
        let lines = stage.service.wait_for_logs(&[" login", " mechanism=USER "], number);
        assert_eq!(lines.len(), number, "{lines:?}");
        let line = lines.last().unwrap();
        let login = format!("login=\"{login}\"");
        for part in told.iter().copied().chain([&*login, "peer=127.0.0.1:", "listener=", "tls=\"none\""]) {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
    let mut client = Conversation::tls(stage.service.pop3s(), NAME, &stage.tls);
    client.expect("+OK");
    client.ask("AUTH PLAIN AGFqb25lcwB2aW9sZXQtaGFyYm91ci0xNw==", "+OK");
    stage.service.wait_for_log(&[" login ", "mechanism=PLAIN", "tls=\"TLS 1.3\"", "person=\"ajones\""]);
}

/// A name with a line end in it cannot forge a line of the log.
#[test]
fn a_login_name_cannot_write_lines_of_its_own() {
    let stage = Stage::set("", &[]);
    let mut client = stage.client();
    client.ask("AUTH LOGIN", "+ ");
    // "x\n2030-01-01T00:00:00Z  INFO login person=root\x1b[2J"
    client.ask("eAoyMDMwLTAxLTAxVDAwOjAwOjAwWiAgSU5GTyBsb2dpbiBwZXJzb249cm9vdBtbMko=", "+ ");
    client.ask("eA==", "-ERR");
    stage.service.wait_for_log(&["login refused", "person=root"]);
    let log = stage.service.log();
    assert!(!log.iter().any(|line| line.starts_with("2030")), "{log:?}");
    assert!(!log.join("\n").contains('\x1b'), "{log:?}");
}

#[test]
fn lines_for_machines_hold_the_same() {
    let stage = Stage::set("log: { format: json }\n", MESSAGES);
    let mut client = stage.client();
    client.login("ajones", PASSWORD);
    client.ask("RETR 2", "+OK");
    client.message();
    std::fs::remove_file(stage.maildir().join("cur/1.a")).unwrap();
    client.ask("RETR 1", "-ERR");
    client.ask("QUIT", "+OK");
    client.ended();
    stage.service.wait_for_log(&["connection ended"]);
    let log = stage.service.log();
    let said = |words: &str| {
        let line = log.iter().find(|line| line.contains(&format!("\"message\":\"{words}\"")));
        json(line.unwrap_or_else(|| panic!("nothing said {words}: {log:?}")))
    };
    for line in &log {
        json(line);
    }
    let end = said("connection ended");
    for (key, value) in [("person", "ajones"), ("tls", "none"), ("reason", "quit"), ("level", "INFO")] {
        assert_eq!(end.get(key), Some(&format!("\"{value}\"")), "{end:?}");
    }
    for (key, value) in [("retr", "1"), ("retr_octets", "17"), ("top", "0"), ("top_octets", "0"), ("dele", "0")] {
        assert_eq!(end.get(key), Some(&value.to_owned()), "{end:?}");
    }
    assert!(
        ["timestamp", "peer", "listener", "seconds", "session"].iter().all(|key| end.contains_key(*key)),
        "{end:?}"
    );
    let login = said("login");
    for (key, value) in [("person", "ajones"), ("login", "ajones"), ("kind", "short_name"), ("mechanism", "USER")] {
        assert_eq!(login.get(key), Some(&format!("\"{value}\"")), "{login:?}");
    }
    assert_eq!(login.get("event"), Some(&"\"login\"".to_owned()), "{login:?}");
    assert_eq!(end.get("event"), Some(&"\"connection_ended\"".to_owned()), "{end:?}");
    assert_eq!(said("message not sent").get("message_number"), Some(&"1".to_owned()));
}

/// A line of JSON: one object without objects in it. Values are kept as they are written.
fn json(line: &str) -> BTreeMap<String, String> {
    let mut rest = line.strip_prefix('{').unwrap_or_else(|| panic!("no JSON: {line}"));
    let mut found = BTreeMap::new();
    loop {
        let (key, behind) = token(rest);
        let (value, behind) = token(behind.strip_prefix(':').unwrap());
        assert_eq!(found.insert(key.trim_matches('"').to_owned(), value.to_owned()), None, "twice: {key} in {line}");
        match behind {
            "}" => return found,
            _ => rest = behind.strip_prefix(',').unwrap_or_else(|| panic!("no JSON: {line}")),
        }
    }
}

/// A string or a number, and what stands behind it.
fn token(text: &str) -> (&str, &str) {
    let Some(string) = text.strip_prefix('"') else {
        return text.split_at(text.find([',', '}']).unwrap());
    };
    let mut escaped = false;
    let end = string.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    text.split_at(end.unwrap() + 2)
}

/// A client that is not set to use TLS gets an error, and its user asks why.
#[test]
fn a_login_before_tls_that_is_not_taken_is_logged() {
    let stage = Stage::set_by(&[], |plan, _| {
        plan.listeners = plan.listeners.replace("tls: starttls }", "tls: starttls, login_without_tls: refuse }");
    });
    let mut client = stage.client();
    for (command, told) in [
        ("USER ajones", "login=\"ajones\""),
        ("PASS x", "mechanism=USER"),
        ("AUTH PLAIN AGFqb25lcwB4", "mechanism=PLAIN"),
        ("AUTH LOGIN", "mechanism=LOGIN"),
    ] {
        client.ask(command, "-ERR");
        stage.service.wait_for_log(&[
            "login refused",
            "no login before TLS on this listener (login_without_tls)",
            told,
        ]);
    }
    client.ask("QUIT", "+OK");
    assert!(!stage.service.log().join("\n").contains("AGFq"), "no credentials in the log");
}
