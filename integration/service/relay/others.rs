//! Hosts that are no Dovecot, and clients that people have.

use std::fs;

use super::{NAME, PASSWORD, Relayed, Wanted, directory, other_site, refused, sees_mail_there};
use crate::support::courier::{self, Courier};
use crate::support::cyrus::Cyrus;
use crate::support::mta_client::TableClient;
use crate::support::process::{output, program, succeed};
use crate::support::service::{Plan, Site};

#[test]
fn courier_serves_the_mail() {
    let there = other_site();
    let courier = Courier::serve(&there);
    let directory = directory(&[(NAME, "127.0.0.1")]);
    let administered = directory.controls();
    let dn = restante::demo::people::people().unwrap().into_iter().find(|person| person.short_name == NAME).unwrap().dn;
    administered.change(|tree| tree.set(&dn, "userPassword", [courier::PASSWORD]).unwrap());
    let site = Site::new();
    let plan = Plan::at(&directory.url())
        .and("refusal_step: 0s")
        .and(&format!("relay: {{ hosts: [{{ name: 127.0.0.1, port: {}, tls: none }}] }}", courier.pop3().port()));
    let service = site.serve(&plan);
    let mut client = service.session(NAME, courier::PASSWORD);
    sees_mail_there(&mut client);
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK");
    client.ended();
    service.wait_for_log(&["relayed session ended", "dele=1", "reason=\"quit\""]);
    service.session(NAME, courier::PASSWORD).ask("STAT", "+OK 0 0");
    // Its refusals have no code: the client is told so, and not that its password is wrong.
    administered.change(|tree| tree.set(&dn, "userPassword", [PASSWORD]).unwrap());
    let line = refused(&service);
    assert!(line.starts_with("-ERR ") && !line.contains('['), "{line}");
}

#[test]
fn cyrus_serves_the_mail_by_password_and_by_proxy_account() {
    let cyrus = Cyrus::serve(&[(NAME, PASSWORD), ("relay", "relay-secret")], "relay");
    let directory = directory(&[(NAME, "127.0.0.1")]);
    for login in ["password", "proxy_account, account: relay, account_password_file: relay.password"] {
        cyrus.deliver(NAME, "From: a@example.org\nSubject: there\n\nkept at the other host\n");
        let site = Site::new();
        fs::write(site.folder().join("relay.password"), "relay-secret\n").unwrap();
        let plan = Plan::at(&directory.url()).and("refusal_step: 0s").and(&format!(
            "relay: {{ hosts: [{{ name: 127.0.0.1, port: {}, tls: none, login: {login} }}] }}",
            cyrus.pop3().port()
        ));
        let service = site.serve(&plan);
        let mut client = service.session(NAME, PASSWORD);
        sees_mail_there(&mut client);
        client.ask("DELE 1", "+OK");
        client.ask("QUIT", "+OK");
        client.ended();
        service.session(NAME, PASSWORD).ask("STAT", "+OK 0 0");
    }
}

#[test]
fn poplib_fetches_and_deletes_under_tls() {
    let relayed = Relayed::set(&Wanted::default());
    relayed.dovecot.own_mail();
    let script = "import poplib, ssl, sys
port, ca, name, password = int(sys.argv[1]), *sys.argv[2:]
client = poplib.POP3_SSL('localhost', port, context=ssl.create_default_context(cafile=ca))
client.user(name)
client.pass_(password)
print(client.stat()[0], client.capa().get('IMPLEMENTATION'), b'kept at the other host' in client.retr(1)[1])
client.dele(1)
client.quit()
";
    let file = relayed.site.folder().join("fetch.py");
    fs::write(&file, script).unwrap();
    let port = relayed.service.pop3s().port().to_string();
    let mut python = program("python3");
    python.arg(&file).arg(port).arg(relayed.site.authority()).args([NAME, PASSWORD]);
    let done = output(&mut python, "");
    let (told, failed) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && told.starts_with("1 ") && told.trim().ends_with("True"), "{told}{failed}");
    relayed.dovecot.session(NAME).ask("STAT", "+OK 0 0");
}

#[test]
fn perl_fetches_and_deletes() {
    let relayed = Relayed::set(&Wanted::default());
    relayed.dovecot.own_mail();
    let script = "use Net::POP3;
my $client = Net::POP3->new('127.0.0.1', Port => $ARGV[0]) or die;
my $count = $client->login($ARGV[1], $ARGV[2]);
die 'no login' unless defined $count;
my $message = join '', @{$client->get(1)};
die $message unless $message =~ /kept at the other host/;
$client->delete(1);
$client->quit or die 'quit';
";
    let port = relayed.service.pop3().port().to_string();
    succeed(program("perl").args(["-e", script, &port, NAME, PASSWORD]), "");
    relayed.dovecot.session(NAME).ask("STAT", "+OK 0 0");
}

/// The lines of a fenced block of text in the guide, the one that holds a word.
fn block(word: &str) -> String {
    let guide = include_str!("../../../config/guide/relay.md");
    let mut blocks = guide.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.contains(word)).unwrap_or_else(|| panic!("the guide has no block with {word}")).to_owned()
}

#[test]
fn the_guides_lines_for_dovecot_make_master_users() {
    let lines = block("auth_master_user_separator").replace("/etc/dovecot/masters", "FOLDER/masters");
    let files = &[("masters", "relay:{PLAIN}relay-secret\n"), ("relay.password", "relay-secret\n")];
    for login in ["master_user", "proxy_account"] {
        let keys = format!("login: {login}, account: relay, account_password_file: FOLDER/relay.password");
        let relayed = Relayed::set(&Wanted { host: &keys, dovecot: &lines, files, ..Wanted::default() });
        sees_mail_there(&mut relayed.session());
    }
}

/// Mail for people whose mail another host holds is passed on to it, and is not delivered here.
#[test]
fn tables_of_mail_transfer_agents_know_the_host() {
    let (directory, site) = (directory(&[(NAME, "pop2.example.org"), ("mbrown", "stranger.example.org")]), Site::new());
    let plan = Plan::at(&directory.url())
        .and("socketmap: { socket: tables.sock }\nrelay: { hosts: [{ name: pop2.example.org }] }");
    let _service = site.serve(&plan);
    let mut tables = TableClient::connect(&site.folder().join("tables.sock"));
    let (there, here, lost) =
        ("alan.jones@renovations.example", "alan.lamb@renovations.example", "mary.brown@renovations.example");
    assert_eq!(tables.look_up("host", there), "OK smtp:[pop2.example.org]");
    assert_eq!(tables.look_up("recipient", there), format!("OK {there}"));
    assert_eq!(tables.look_up("maildir", there), "PERM the mail of ajones is at pop2.example.org");
    assert_eq!(tables.look_up("host", here), "NOTFOUND ");
    assert_eq!(tables.look_up("host", "nobody@renovations.example"), "NOTFOUND ");
    for table in ["host", "recipient", "maildir"] {
        let refused = tables.look_up(table, lost);
        assert!(refused.starts_with("PERM ") && refused.contains("stranger.example.org"), "{table}: {refused}");
    }
}

/// A host that is listed later is reached by logins from then on, and a session with another host goes on.
#[test]
fn another_host_is_listed_by_a_reload() {
    let relayed = Relayed::set(&Wanted { further: "admin: { socket: admin.sock }", ..Wanted::default() });
    let mut session = relayed.session();
    let configuration = relayed.site.folder().join("restante.yaml");
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, text.replace("name: localhost", "name: elsewhere.example")).unwrap();
    let reload = output(&mut relayed.site.command(&["reload"]), "");
    assert!(reload.status.success(), "{reload:?}");
    let mut other = relayed.client();
    other.ask(&format!("USER {NAME}"), "+OK");
    other.ask(&format!("PASS {PASSWORD}"), "-ERR [SYS/PERM]");
    sees_mail_there(&mut session);
    fs::write(&configuration, text).unwrap();
    let reload = output(&mut relayed.site.command(&["reload"]), "");
    assert!(reload.status.success(), "{reload:?}");
    sees_mail_there(&mut relayed.session());
}
