//! What clients of the sockets may do at most, who may connect, and when answers come.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::mta_client::{SaslClient, TableClient};
use crate::support::service::{Plan, Site, restante};
use crate::support::stage::{Stage, directory};
use crate::support::submission::{ALAN, ALANS};
use crate::support::wait_until;

fn stage(further: &str) -> Stage {
    Stage::set_by(&[], |plan, _| {
        plan.further =
            "sasl_service: { socket: sasl.sock }\nsocketmap: { socket: tables.sock, mode: \"0600\" }\n".to_owned();
        plan.further.push_str(further);
    })
}

fn sasl(stage: &Stage) -> SaslClient {
    SaslClient::connect(&stage.site.folder().join("sasl.sock"))
}

fn tables(stage: &Stage) -> TableClient {
    TableClient::connect(&stage.site.folder().join("tables.sock"))
}

#[test]
fn the_files_have_their_modes_and_are_removed_at_the_end() {
    let stage = stage("refusal_step: 0s\n");
    let (sasl, tables) = (stage.site.folder().join("sasl.sock"), stage.site.folder().join("tables.sock"));
    for (socket, mode) in [(&sasl, 0o660), (&tables, 0o600)] {
        assert_eq!(fs::metadata(socket).unwrap().permissions().mode() & 0o777, mode);
    }
    let Stage { service, site: _site, .. } = stage;
    assert!(service.terminate().0.success());
    assert!(!sasl.exists() && !tables.exists());
}

#[test]
fn nonsense_ends_its_own_connection_only() {
    let stage = stage("refusal_step: 0s\n");
    let (mut good, mut good_tables) = (sasl(&stage), tables(&stage));
    for nonsense in ["VERSION\t2\t0\n".to_owned(), "AUTH\tx\tPLAIN\n".to_owned(), "x".repeat(20_000)] {
        let mut client = sasl(&stage);
        client.send(&nonsense);
        assert_eq!(client.line(), None);
    }
    stage.service.wait_for_logs(&["WARN", "a connection to the SASL service was closed"], 3);
    for nonsense in ["recipient a@b\n", "99999999:", "10001:", "3:abcd", "-1:,"] {
        assert_eq!(tables(&stage).raw(nonsense), None, "{nonsense}");
    }
    let longest = format!("recipient {}", "x".repeat(9_990));
    assert_eq!(good_tables.raw(&format!("10000:{longest},")).unwrap(), "NOTFOUND ");
    assert_eq!(good_tables.raw("0:,").unwrap(), "PERM there is no such table");
    good.plain(1, "127.0.0.1", ALAN);
    assert_eq!(good.line().unwrap(), "OK\t1\tuser=ajones");
    assert_eq!(good_tables.look_up("recipient", ALANS), format!("OK {ALANS}"));
}

#[test]
fn logins_that_are_never_finished_are_forgotten() {
    let stage = stage("refusal_step: 0s\n");
    let mut client = sasl(&stage);
    for id in 1..=1000 {
        assert_eq!(client.ask(&format!("AUTH\t{id}\tPLAIN")).unwrap(), format!("CONT\t{id}\t"));
    }
    assert_eq!(client.ask("CONT\t1\tAGEAYg==").unwrap(), "FAIL\t1\tcode=invalid_base64");
    assert_eq!(client.ask("CONT\t1000\tAGEAYg==").unwrap(), "FAIL\t1000\tuser=a");
}

#[test]
fn a_refusal_comes_late_but_not_too_late_for_postfix_and_a_right_password_at_once() {
    let stage = stage("refusal_step: 60s\n");
    let (mut client, began) = (sasl(&stage), Instant::now());
    client.plain(1, "127.0.0.1", ("ajones", "wrong"));
    client.plain(2, "127.0.0.1", ALAN);
    assert_eq!(client.line().unwrap(), "OK\t2\tuser=ajones");
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(client.line().unwrap(), "FAIL\t1\tuser=ajones");
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(4) && took < Duration::from_secs(8), "{took:?}");
}

/// Has systemd's own tool bind the sockets, and starts the service with them again and again: `$1` says when to end, or the
/// end of the folder.
const RESTARTING: &str = r#"
while [ ! -e "$1" ] && [ -e "$3" ]; do
    bash -c 'echo $$ > "$2"; export LISTEN_PID=$$; exec "$0" serve --config "$1"' "$2" "$3" "$4"
done
"#;

/// Postfix's smtpd ends if it cannot connect.
#[test]
fn sockets_that_systemd_made_stay_open_over_a_restart() {
    let (site, directory) = (Site::new(), directory());
    let plan = Plan::at(&directory.url())
        .and("refusal_step: 0s\nsasl_service: { socket: sasl.sock }\nsocketmap: { socket: tables.sock }");
    let [file, enough, pid, sasl, tables] =
        ["restante.yaml", "enough", "pid", "sasl.sock", "tables.sock"].map(|name| site.folder().join(name));
    fs::write(&file, plan.yaml()).unwrap();
    let mut manager = Command::new("systemd-socket-activate");
    manager.arg("-l").arg(&tables).arg("-l").arg(&sasl).args(["bash", "-c", RESTARTING, "restarting"]);
    manager.arg(&enough).arg(restante().get_program()).arg(&file).arg(&pid);
    let mut manager = manager.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap();
    wait_until("the sockets are bound", || UnixStream::connect(&sasl).is_ok());
    let serving = || fs::read_to_string(&pid).ok()?.trim().parse::<i32>().ok();
    let mut last = None;
    for round in 1..=3 {
        wait_until("another process than before serves", || serving().is_some_and(|now| Some(now) != last));
        last = serving();
        let mut client = SaslClient::connect(&sasl);
        client.plain(1, "127.0.0.1", ALAN);
        assert_eq!(client.line().unwrap(), "OK\t1\tuser=ajones");
        assert_eq!(TableClient::connect(&tables).look_up("recipient", ALANS), format!("OK {ALANS}"));
        if round == 3 {
            fs::write(&enough, "").unwrap();
        }
        kill_process(Pid::from_raw(last.unwrap()).unwrap(), Signal::TERM).unwrap();
    }
    assert!(manager.wait().unwrap().success());
}
