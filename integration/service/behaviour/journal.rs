//! The log in the systemd journal: priorities in place of times.

use std::process::Command;

use crate::support::conversation::Conversation;
use crate::support::service::{Plan, Service, Site};
use crate::support::stage::{PASSWORD, directory};

/// Restante with `$JOURNAL_STREAM` as a shell makes it out of `%d:%i` of a file descriptor.
fn served(further: &str, stream: &str) -> (Site, Service) {
    let (directory, site) = (directory(), Site::new());
    let plan = Plan::at(&directory.url()).and("refusal_step: 0s").and(further);
    let service = site.serve_by(&plan, |command| {
        let mut shell = Command::new("sh");
        let script = format!("JOURNAL_STREAM=$({stream}); export JOURNAL_STREAM; exec \"$@\"");
        shell.args(["-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
        *command = shell;
    });
    service.wait_for_log(&["the directory answers"]);
    refused(&service);
    drop(directory);
    (site, service)
}

fn refused(service: &Service) {
    let mut client = Conversation::plain(service.pop3());
    client.expect("+OK");
    client.ask("USER ajones", "+OK");
    client.ask(&format!("PASS not {PASSWORD}"), "-ERR [AUTH]");
}

const STANDARD_ERROR: &str = "stat -L -c %d:%i /proc/self/fd/2";

#[test]
fn lines_in_the_journal_have_a_priority_and_no_time() {
    let (_site, service) = served("", STANDARD_ERROR);
    let refused = service.wait_for_log(&["INFO login refused "]);
    assert!(refused.starts_with("<6> INFO login refused event=login_refused person=\"ajones\""), "{refused}");
    let (_, log) = service.terminate();
    for line in log {
        let priorities = [("<3>ERROR ", "ERROR"), ("<4> WARN ", "WARN"), ("<6> INFO ", "INFO")];
        assert!(priorities.iter().any(|(begin, _)| line.starts_with(begin)), "{line}");
    }
}

#[test]
fn json_in_the_journal_has_a_priority() {
    let (_site, service) = served("log: { format: json }", STANDARD_ERROR);
    let refused = service.wait_for_log(&["login refused"]);
    assert!(refused.starts_with("<6>{\"timestamp\":\""), "{refused}");
}

#[test]
fn lines_that_are_sent_elsewhere_keep_their_time() {
    let (_site, service) = served("", "stat -L -c %d:%i /dev/null");
    let refused = service.wait_for_log(&["INFO login refused "]);
    assert!(refused.starts_with("20"), "{refused}");
}
