//! `restante check` looks at the machine: ports, room, limits, the clock, and what the running service uses.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use restante::demo::people::LDIF;
use rustix::process::Signal;
use serde_json::Value;

use super::{Ended, command, configured};
use crate::support::directory::RealDirectory as _;
use crate::support::mount::Mount;
use crate::support::process::output;
use crate::support::service::{Plan, Site};
use crate::support::slapd::{Options, Slapd};
use crate::support::stage::Stage;

const ADMIN: &str = "admin: { socket: admin.sock }\n";

fn checked(stage: &Stage, plan: &Plan) -> Ended {
    fs::write(stage.site.folder().join("restante.yaml"), plan.yaml()).unwrap();
    command(&stage.site, &["check"], "")
}

fn listening_at(address: &str) -> String {
    format!("  - {{ address: \"{address}\", tls: none }}\n")
}

/// Another program that listens on a port, and the port.
struct OtherServer(Child, u16);

impl OtherServer {
    fn start() -> Self {
        let text = "import socket, time\ns = socket.create_server(('127.0.0.1', 0))\n\
                    print(s.getsockname()[1], flush=True)\ntime.sleep(600)";
        let mut child = Command::new("/usr/bin/python3").args(["-c", text]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, line.trim().parse().unwrap())
    }
}

impl Drop for OtherServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_port_that_another_process_has_is_reported_with_that_process() {
    let mut stage = Stage::set(ADMIN, &[]);
    let other = OtherServer::start();
    for address in [format!("127.0.0.1:{}", other.1), format!("[::]:{}", other.1), format!("0.0.0.0:{}", other.1)] {
        stage.plan.listeners = listening_at(&address);
        let ended = checked(&stage, &stage.plan);
        let told = format!("listeners: {address} is taken by python3 (process {}); stop it", other.0.id());
        assert!(ended.status == 1 && ended.complained.contains(&told), "{} {}", ended.complained, ended.told);
    }
    stage.plan.listeners = listening_at("192.0.2.1:1110");
    let ended = checked(&stage, &stage.plan);
    assert!(ended.complained.contains("192.0.2.1:1110: this machine has no such address"), "{}", ended.complained);

    let port = other.1;
    drop(other);
    stage.plan.listeners = listening_at(&format!("127.0.0.1:{port}"));
    let ended = checked(&stage, &stage.plan);
    assert!(
        ended.told.contains(&format!("listeners: 127.0.0.1:{port} is free")),
        "{} {}",
        ended.told,
        ended.complained
    );
    assert_eq!(ended.status, 0, "{}", ended.complained);

    let own = stage.service.pop3();
    stage.plan.listeners = listening_at(&own.to_string());
    let ended = checked(&stage, &stage.plan);
    assert!(ended.told.contains(&format!("listeners: {own} is in use by the service")), "{}", ended.told);
    assert_eq!(ended.status, 0, "{}", ended.complained);
}

#[test]
fn a_file_system_without_room_is_reported() {
    for (options, fill, status, told) in [
        ("size=64m", 40 << 20, 0, "room at "),
        ("size=64m", 62 << 20, 0, "is nearly full: 2 MiB of 64 MiB are free; make room"),
        ("size=4m", 4 << 20, 1, "is full: 0 octets of 4 MiB are free; mail cannot be delivered"),
    ] {
        let slapd = Slapd::start(LDIF);
        let site = configured(&Plan::at(&slapd.url()));
        let _mount = Mount::memory_by(&site.root(), options);
        fs::write(site.root().join("fill"), vec![0; fill]).unwrap();
        let ended = command(&site, &["check"], "");
        let all = format!("{}{}", ended.told, ended.complained);
        assert!(ended.status == status && all.contains(told), "{options} {fill}: {all}");
        assert_eq!(all.contains("full"), told.contains("full"), "{all}");
    }
}

#[test]
fn a_file_system_without_inodes_is_reported() {
    for (inodes, files, status, told) in [
        (1000, 960, 0, "free inodes of 1000, and each message takes one"),
        (100, 99, 1, "has no free inode of 100: no file can be created"),
    ] {
        let slapd = Slapd::start(LDIF);
        let site = configured(&Plan::at(&slapd.url()));
        let _mount = Mount::memory_by(&site.root(), &format!("size=64m,nr_inodes={inodes}"));
        let made = (0..files).take_while(|number| fs::write(site.root().join(number.to_string()), "").is_ok()).count();
        let ended = command(&site, &["check"], "");
        let all = format!("{}{}", ended.told, ended.complained);
        assert!(ended.status == status && all.contains(told), "{inodes} {made}: {all}");
    }
}

#[test]
fn a_limit_of_open_files_that_is_too_low_is_noted() {
    let stage = Stage::set("limits: { connections: 500 }\n", &[]);
    let under = |limit: u64| {
        let mut prlimit = Command::new("prlimit");
        prlimit.arg(format!("--nofile={limit}:{limit}"));
        let own = stage.site.command(&["check"]);
        let ended = output(prlimit.arg(own.get_program()).args(own.get_args()), "");
        (ended.status.code(), String::from_utf8(ended.stdout).unwrap())
    };
    let told =
        "note: limits.connections: 500 needs 1064 open files, but this shell may have 1063; set LimitNOFILE=1064";
    let (status, low) = under(1063);
    assert!(status == Some(0) && low.contains(told), "{status:?} {low}");
    let (status, enough) = under(1064);
    assert!(status == Some(0) && !enough.contains("open files"), "{status:?} {enough}");
}

#[test]
fn the_limit_of_the_running_service_is_the_one_that_counts() {
    let stage = Stage::set("", &[]);
    let mut plan = stage.plan;
    plan.further.push_str(ADMIN);
    plan.further.push_str("limits: { connections: 500 }\n");
    let _service = stage.site.serve_by(&plan, |command| {
        let mut prlimit = Command::new("prlimit");
        prlimit.arg("--nofile=900:900").arg(command.get_program()).args(command.get_args());
        *command = prlimit;
    });
    let ended = command(&stage.site, &["check"], "");
    let told = "needs 1064 open files, but the running service may have 900";
    assert!(ended.status == 0 && ended.told.contains(told), "{} {}", ended.told, ended.complained);
}

#[test]
fn a_service_that_uses_another_configuration_is_noted_with_the_keys_that_differ() {
    let mut stage = Stage::set(ADMIN, &[]);
    let ended = checked(&stage, &stage.plan);
    assert!(ended.told.contains("with this configuration\n"), "{}", ended.told);
    assert!(stage.command(&["status"]).contains("configuration: as in "));

    stage.plan.further.push_str("cache: { found: 1m }\nlog: { level: debug }\n");
    stage.plan.mailboxes.push_str("  marker: .mounted\n");
    fs::write(stage.site.root().join(".mounted"), "").unwrap();
    let ended = checked(&stage, &stage.plan);
    let told =
        "with another configuration, which differs in cache.found, log.level, mailboxes.marker: restart the service";
    assert!(ended.status == 0 && ended.told.contains(told), "{} {}", ended.told, ended.complained);
    let json: Value = serde_json::from_str(&command(&stage.site, &["check", "--json"], "").told).unwrap();
    assert_eq!(json["service"]["changed"], serde_json::json!(["cache.found", "log.level", "mailboxes.marker"]));
    assert_eq!(json["service"]["process"], stage.service.pid());
    let status = stage.command(&["status"]);
    let told = "has changed since the service read it: cache.found, log.level, mailboxes.marker";
    assert!(status.contains(told), "{status}");

    fs::write(stage.site.folder().join("restante.yaml"), "listeners: [").unwrap();
    let socket = stage.site.folder().join("admin.sock");
    let status = output(crate::support::service::restante().args(["status", "--socket"]).arg(&socket), "");
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("configuration: the service cannot read "), "{status}");

    let (site, plan) = (stage.site, stage.plan);
    stage.service.signal(Signal::TERM);
    stage.service.terminate();
    fs::write(site.folder().join("restante.yaml"), plan.yaml()).unwrap();
    let ended = command(&site, &["check"], "");
    assert!(ended.status == 0 && ended.told.contains("service: not running\n"), "{} {}", ended.told, ended.complained);
}

#[test]
fn the_configuration_that_the_service_reports_has_no_secrets() {
    let stage = Stage::set(ADMIN, &[]);
    let mut socket = UnixStream::connect(stage.site.folder().join("admin.sock")).unwrap();
    socket.write_all(b"configuration\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("OK {") && answer.contains("ldap.password"), "{answer}");
    let password = fs::read_to_string(stage.site.folder().join("ldap.password")).unwrap();
    assert!(!answer.contains(password.trim()), "{answer}");
}

/// slapd shows no time itself, but whatever it is told to.
#[test]
fn a_clock_that_differs_from_the_directorys_is_an_error() {
    let site = Site::new();
    let shown = site.folder().join("root.ldif");
    fs::write(&shown, "dn:\ncurrentTime: 20200101000000.0Z\n").unwrap();
    let global = format!(
        "attributetype ( 1.3.6.1.4.1.32473.1 NAME 'currentTime' SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )\n\
         rootDSE {}",
        shown.display()
    );
    let slapd = Slapd::start_with(LDIF, &Options { global, anybody_reads: true, ..Options::default() });
    fs::write(site.folder().join("restante.yaml"), Plan::at(&slapd.url()).yaml()).unwrap();
    let ended = command(&site, &["check"], "");
    assert_eq!(ended.status, 1, "{}", ended.told);
    let told = "s ahead of the directory's, which says 2020-01-01T00:00:00Z; check on both machines";
    assert!(ended.complained.contains(told), "{}", ended.complained);
}
