//! What comes into force: names, secrets, listeners, limits, the log.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use restante::demo::people::SERVICE;
use rustix::process::Signal;

use super::{ALAN, LAMB, Reloading};
use crate::support::conversation::{Conversation, trusting};
use crate::support::directory::{RealDirectory, replacement};
use crate::support::login::{opens, refuses};
use crate::support::ports::Port;
use crate::support::process::output;
use crate::support::stage::NAME;
use crate::support::wait_until;

#[test]
fn another_name_policy_counts_for_the_next_login() {
    let mut world = Reloading::new();
    refuses(&world.service, "Jones", ALAN.1, "AUTH");
    opens(&world.service, "ajones", ALAN.1, "ajones");
    world.plan.further.push_str("internet_authentication: { names: [mail] }\n");
    assert_eq!(world.reloads(), "reloaded: internet_authentication.names\n");
    refuses(&world.service, "ajones", ALAN.1, "AUTH");
    opens(&world.service, "alan.jones@renovations.example", ALAN.1, "ajones");
    world.service.wait_for_log(&["INFO", "configuration reloaded", "internet_authentication.names"]);
}

/// A client that connected before, but logs in afterwards.
#[test]
fn a_connection_without_a_login_logs_in_by_the_new_policy() {
    let mut world = Reloading::new();
    let (mut before, mut other) = (world.service.client(), world.service.client());
    world.plan.further.push_str("internet_authentication: { names: [mail] }\n");
    world.reloads();
    before.ask(&format!("USER {}", ALAN.0), "+OK");
    before.ask(&format!("PASS {}", ALAN.1), "-ERR [AUTH]");
    other.login("alan.jones@renovations.example", ALAN.1);
    other.ask("STAT", "+OK 1 ");
}

#[test]
fn sighup_reloads_a_changed_password_file() {
    let world = Reloading::new();
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    world.slapd.modify(&replacement(SERVICE, "userPassword", b"another secret"));
    fs::write(world.site.folder().join("ldap.password"), "another secret\n").unwrap();
    world.service.signal(Signal::HUP);
    world.service.wait_for_log(&["configuration reloaded", "directories (the content of a file)"]);
    // A new connection of the service binds with it.
    opens(&world.service, LAMB.0, LAMB.1, LAMB.0);
}

#[test]
fn a_listener_is_added_and_another_removed_while_its_sessions_go_on() {
    let mut world = Reloading::new();
    let removed = world.service.pop3s();
    let tls = trusting(&world.site.authority());
    let mut session = Conversation::tls(removed, NAME, &tls);
    session.expect("+OK");
    session.login(ALAN.0, ALAN.1);
    let added = Port::take();
    world.plan.listeners = format!(
        "  - {{ address: \"127.0.0.1:0\", tls: starttls }}\n  - {{ address: \"{}\", tls: none }}\n",
        added.address()
    );
    assert!(world.reloads().contains("listeners[2].address"));
    assert!(TcpStream::connect(removed).is_err(), "the port is closed");
    let mut client = Conversation::plain(added.address());
    client.expect("+OK");
    client.login(LAMB.0, LAMB.1);
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    session.ask("DELE 1", "+OK");
    session.ask("QUIT", "+OK");
    assert_eq!(fs::read_dir(world.site.maildir(ALAN.0).join("new")).unwrap().count(), 0, "deleted");
    world.service.wait_for_log(&["no longer listening", &removed.to_string()]);
}

#[test]
fn a_listeners_policy_changes_without_closing_its_port() {
    let mut world = Reloading::new();
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    world.plan.listeners = world.plan.listeners.replace("starttls", "starttls, login_without_tls: refuse");
    world.reloads();
    let mut client = world.service.client();
    client.send("CAPA");
    let capabilities = String::from_utf8(client.multiline()).unwrap();
    assert!(!capabilities.lines().any(|line| line.trim_end() == "USER"), "{capabilities}");
    let closed = |line: &String| line.contains("no longer listening");
    assert!(!world.service.log().iter().any(closed));
}

#[test]
fn a_new_certificate_is_shown_after_a_reload() {
    let mut world = Reloading::new();
    let other = crate::support::service::Site::new();
    for file in ["server.pem", "server.key"] {
        let to = world.site.folder().join("tls").join(format!("other-{file}"));
        fs::copy(other.folder().join("tls").join(file), to).unwrap();
    }
    world.plan.certificates = "    - { chain: tls/other-server.pem, key: tls/other-server.key }\n".to_owned();
    world.reloads();
    let mut client = Conversation::tls(world.service.pop3s(), NAME, &trusting(&other.authority()));
    client.expect("+OK");
}

#[test]
fn the_log_level_changes() {
    let mut world = Reloading::new();
    let before = world.plan.further.clone();
    world.plan.further.push_str("log: { level: warn }\n");
    assert_eq!(world.reloads(), "reloaded: log.level\n");
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    world.plan.further = before;
    world.reloads();
    opens(&world.service, LAMB.0, LAMB.1, LAMB.0);
    world.service.wait_for_log(&["INFO login", LAMB.0]);
    assert!(!world.service.log().iter().any(|line| line.contains("INFO login") && line.contains(ALAN.0)));
}

#[test]
fn the_admin_http_listener_moves() {
    let mut world = Reloading::new();
    let http = world.site.folder().join("http.sock");
    let admin = |http: &str| format!("admin: {{ socket: admin.sock, http: \"{http}\" }}");
    let before = world.plan.further.clone();
    world.plan.further = before.replace("admin: { socket: admin.sock }", &admin("unix:http.sock"));
    assert_eq!(world.reloads(), "reloaded: admin.http\n");
    wait_until("it is served", || UnixStream::connect(&http).is_ok());
    world.plan.further = before;
    world.reloads();
    assert!(!http.exists(), "its file is removed");
}

#[test]
fn what_needs_a_restart_is_reported_by_key_and_the_rest_applies() {
    let mut world = Reloading::new();
    let admin = "admin: { socket: other/admin.sock, mode: \"0660\" }";
    world.plan.further = world.plan.further.replace("admin: { socket: admin.sock }", admin);
    let start =
        "user: nobody\nlandlock: off\nsasl_service: { socket: sasl.sock }\nsocketmap: { socket: tables.sock }\n";
    writeln!(world.plan.further, "{start}log: {{ format: json, level: warn }}").unwrap();
    world.write();
    // The service is still where it was.
    let socket = world.site.folder().join("admin.sock");
    let at = socket.to_str().unwrap();
    for applies in ["reloaded: log.level\n", "reloaded: nothing has changed\n"] {
        let output = output(&mut world.site.command(&["reload", "--socket", at]), "");
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && told.starts_with(applies), "{told}");
        for key in ["admin.mode", "admin.socket", "landlock", "log.format", "sasl_service", "socketmap", "user"] {
            assert!(told.contains(&format!("needs a restart: {key}\n")), "{told}");
            world.service.wait_for_log(&["WARN", "needs a restart", &format!("key=\"{key}\"")]);
        }
    }
    let ended = world.reload();
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("name the old path by --socket"), "{}", ended.complained);
}

/// The process cannot reach what it was not started with, and nothing of such a configuration is applied.
#[test]
fn a_mail_root_beyond_the_confinement_is_rejected() {
    let world = Reloading::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let root = format!("root: {}\n", elsewhere.path().join("mail").display());
    fs::create_dir(elsewhere.path().join("mail")).unwrap();
    let text = world.plan.yaml().replace("root: mail\n", &root);
    fs::write(world.site.folder().join("restante.yaml"), text).unwrap();
    let ended = world.reload();
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("confined by Landlock"), "{}", ended.complained);
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
}
