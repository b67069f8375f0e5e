//! `restante who`, `restante kick` and `restante status`.

use serde_json::Value;

use super::ADMIN;
use crate::support::maildir;
use crate::support::process::output;
use crate::support::stage::{PASSWORD, Stage};
use crate::support::terminal::Terminal;
use crate::support::wait_until;

const MESSAGES: &[(&str, &[u8])] = &[("cur/1.a", b"a\n"), ("cur/2.b", b"b\n")];

fn json(stage: &Stage, words: &[&str]) -> Value {
    serde_json::from_str(&stage.command(words)).unwrap()
}

fn people(stage: &Stage) -> Vec<String> {
    let listed = json(stage, &["who", "--json"]);
    let name = |session: &Value| session["person"].as_str().unwrap_or("-").to_owned();
    listed.as_array().unwrap().iter().map(name).collect()
}

fn id_of(line: &str) -> &str {
    line.split_once("session=").unwrap().1.trim()
}

#[test]
fn a_session_is_listed_until_it_ends() {
    let stage = Stage::set(ADMIN, MESSAGES);
    assert!(stage.command(&["who"]).contains("0 sessions"));
    let mut client = stage.tls_client();
    wait_until("the client is listed", || people(&stage) == ["-"]);
    client.login("ajones", PASSWORD);
    let listed = json(&stage, &["who", "--json", "--person", "AJones"]);
    let session = &listed[0];
    let logged = stage.service.wait_for_log(&["INFO login ", "person=\"ajones\""]);
    assert_eq!(session["session"], id_of(&logged));
    assert_eq!((&session["state"], &session["tls"]), (&"transaction".into(), &"TLS 1.3".into()));
    assert!(session["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{session}");
    assert_eq!(session["listener"], stage.service.pop3s().to_string());
    assert_eq!(json(&stage, &["who", "--json", "--person", "alamb"]), Value::Array(Vec::new()));
    let table = stage.command(&["who"]);
    assert!(table.contains("SESSION") && table.contains("ajones") && table.contains("1 session\n"), "{table}");
    client.ask("QUIT", "+OK");
    wait_until("nobody is listed", || people(&stage).is_empty());
}

#[test]
fn a_watched_list_follows_the_sessions_until_ctrl_c_and_leaves_the_terminal_as_it_was() {
    let stage = Stage::set(ADMIN, MESSAGES);
    let who = stage.site.command(&["who", "--watch"]);
    let words: Vec<&str> =
        [who.get_program()].into_iter().chain(who.get_args()).map(|word| word.to_str().unwrap()).collect();
    let script = "trap : INT; echo \"before $(stty -g)\"; \"$@\"; echo \"ended with $?\"; echo \"after $(stty -g)\"";
    let mut terminal = Terminal::run(std::process::Command::new("sh").args(["-c", script, "sh"]).args(words));
    terminal.wait_for("0 sessions");
    let mut client = stage.session();
    terminal.wait_for("ajones");
    terminal.wait_for("1 session\r\n");
    client.ask("QUIT", "+OK");
    terminal.wait_for("0 sessions");
    // Ctrl-C.
    terminal.press("\u{3}");
    let (_, shown) = terminal.end();
    assert!(shown.contains("ended with 130"), "{shown}");
    let after = |words: &str| shown.split_once(words).unwrap().1.lines().next().unwrap().to_owned();
    assert_eq!(after("before "), after("after "));
    assert!(!shown.contains("\u{1b}[?"), "neither another screen nor a hidden cursor: {shown:?}");
}

#[test]
fn a_kicked_session_ends_at_once_and_deletes_nothing() {
    let stage = Stage::set(ADMIN, MESSAGES);
    let mut clients = [stage.session(), stage.tls_client()];
    clients[1].login("ajones", PASSWORD);
    clients[0].ask("DELE 1", "+OK");
    // Nobody else is affected.
    let mut other = stage.client();
    assert_eq!(stage.command(&["kick", "ajones"]), "ended 2 sessions\n");
    clients[0].ended();
    assert_eq!(clients[1].line_or_end(), None);
    let words = ["connection ended", "reason=\"ended by an administrator\"", "dele=0"];
    assert_eq!(stage.service.wait_for_logs(&words, 2).len(), 2);
    stage.service.wait_for_log(&["admin socket", "command=\"kick ajones\"", "answer=\"OK ended 2 sessions\""]);
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a", "cur/2.b"]);
    other.ask("CAPA", "+OK");
    // Whoever may log in may do so again.
    stage.session().ask("STAT", "+OK 2 ");
}

#[test]
fn one_session_of_a_person_can_be_ended_by_its_id() {
    let stage = Stage::set(ADMIN, MESSAGES);
    let mut first = stage.session();
    let line = stage.service.wait_for_log(&["INFO login ", "person=\"ajones\""]);
    let mut second = stage.session();
    assert_eq!(stage.command(&["kick", id_of(&line)]), "ended 1 session\n");
    first.ended();
    second.ask("NOOP", "+OK");
    let ended = output(&mut stage.site.command(&["kick", "nobody"]), "");
    let complaint = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(complaint.contains("nobody: no session has this id, and nobody of this name is logged in"), "{complaint}");
    assert_eq!(output(&mut stage.site.command(&["kick", " "]), "").status.code(), Some(2));
}

/// It waits for its client in the middle of a message.
#[test]
fn a_session_whose_client_reads_nothing_ends_at_once() {
    let big = vec![b'x'; 60].into_iter().chain([b'\n']).cycle().take(40_000_000).collect::<Vec<u8>>();
    let stage = Stage::set(ADMIN, &[("cur/1.big", &big)]);
    let mut client = stage.session();
    client.send("RETR 1");
    client.expect("+OK");
    assert_eq!(stage.command(&["kick", "ajones"]), "ended 1 session\n");
    stage.service.wait_for_log(&["connection ended", "reason=\"ended by an administrator\""]);
    assert_eq!(people(&stage), Vec::<String>::new());
}

#[test]
fn the_status_is_that_of_the_service() {
    let stage = Stage::set(ADMIN, MESSAGES);
    let _client = stage.session();
    let status = json(&stage, &["status", "--json"]);
    assert_eq!((&status["ready"], &status["reason"]), (&true.into(), &Value::Null));
    assert_eq!(status["sessions"]["current"], 1);
    assert_eq!(status["last_hour"]["accepted"], 1);
    assert_eq!(status["directories"][0]["servers"][0]["up"], true);
    assert!(status["certificates"][0]["days"].as_i64().unwrap() > 0, "{status}");
    let text = stage.command(&["status"]);
    for words in ["ready; version", "sessions: 1 now, 1 since the start", "in use", "days left: ", "cache names"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
