//! The service under a service manager: the unit of this repository, signs of life, and sockets that outlive a restart.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::PATIENCE;
use crate::support::ports::Port;
use crate::support::service::{Plan, Site, restante};
use crate::support::stage::{Stage, directory};
use crate::support::wait_until;

/// The exposure that `systemd-analyze security` may find, times ten.
const MOST_EXPOSED: &str = "--threshold=15";

#[test]
fn the_unit_exposes_little() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/restante.service");
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager", MOST_EXPOSED]).arg(unit);
    let found = analyze.output().unwrap();
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stdout));
}

/// What a service manager would receive.
struct Notifications(UnixDatagram);

impl Notifications {
    fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn next(&self) -> String {
        let mut room = [0; 4096];
        let length = self.0.recv(&mut room).unwrap();
        String::from_utf8(room[..length].to_vec()).unwrap().trim().to_owned()
    }
}

#[test]
fn the_service_manager_is_told_that_it_is_ready_alive_and_stopping() {
    let (site, directory) = (Site::new(), directory());
    let notified = site.folder().join("notify.sock");
    let notifications = Notifications::at(&notified);
    let service = site.serve_by(&Plan::at(&directory.url()), |command| {
        command.env("NOTIFY_SOCKET", &notified).env("WATCHDOG_USEC", "400000");
    });
    // The first sign of life may be quicker.
    let mut first = [notifications.next(), notifications.next()];
    first.sort();
    assert_eq!(first, ["READY=1", "WATCHDOG=1"]);
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(notifications.next(), "WATCHDOG=1");
    }
    assert!(began.elapsed() >= Duration::from_millis(700), "twice in each period");
    service.signal(Signal::TERM);
    while notifications.next() != "STOPPING=1" {}
    let (status, _) = service.terminate();
    assert!(status.success());
}

/// systemd then knows that the service is being reloaded, and when that has ended, whatever came of it.
#[test]
fn the_service_manager_is_told_when_a_reload_begins_and_ends() {
    let (site, directory) = (Site::new(), directory());
    let notified = site.folder().join("notify.sock");
    let notifications = Notifications::at(&notified);
    let plan = Plan::at(&directory.url());
    let service = site.serve_by(&plan, |command| {
        command.env("NOTIFY_SOCKET", &notified);
    });
    assert_eq!(notifications.next(), "READY=1");
    for further in ["language: de", "language: nonsense"] {
        fs::write(site.folder().join("restante.yaml"), plan.yaml() + further).unwrap();
        service.signal(Signal::HUP);
        let begun = notifications.next();
        let moment = begun.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap_or_else(|| panic!("{begun}"));
        assert!(moment.parse::<u64>().unwrap() > 0, "{begun}");
        assert_eq!(notifications.next(), "READY=1");
    }
    service.wait_for_log(&["configuration_reloaded", "language"]);
    service.wait_for_log(&["configuration_rejected", "nonsense"]);
}

/// Has systemd's own tool bind the sockets, and starts the service with them again and again, as a service manager does: each
/// time with the number of the new process. `$1` says when to end.
const RESTARTING: &str = r#"
while [ ! -e "$1" ]; do
    bash -c 'export LISTEN_PID=$$; exec "$0" serve --config "$1"' "$2" "$3"
done
"#;

#[test]
fn a_restart_refuses_no_connection_on_sockets_that_were_handed_over() {
    let (site, directory) = (Site::new(), directory());
    let ports = [Port::take(), Port::take()];
    let [clear, tls] = [ports[0].address(), ports[1].address()];
    let mut plan = Plan::at(&directory.url());
    plan.listeners =
        format!("  - {{ address: \"{clear}\", tls: starttls }}\n  - {{ address: \"{tls}\", tls: implicit }}\n");
    let (file, enough) = (site.folder().join("restante.yaml"), site.folder().join("enough"));
    fs::write(&file, plan.yaml()).unwrap();
    let mut manager = Command::new("systemd-socket-activate");
    // The order of the sockets is not that of the listeners.
    manager.args(["-l", &tls.to_string(), "-l", &clear.to_string(), "bash", "-c", RESTARTING, "restarting"]);
    manager.arg(&enough).arg(restante().get_program()).arg(&file);
    manager.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut manager = manager.spawn().unwrap();
    wait_until("the sockets are bound", || TcpStream::connect(clear).is_ok());
    let (greeted, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    greeted.fetch_add(usize::from(is_greeted(clear)), Ordering::Relaxed);
                }
            });
        }
        for round in 1..=3 {
            let before = greeted.load(Ordering::Relaxed);
            wait_until("clients are greeted", || greeted.load(Ordering::Relaxed) > before + 20);
            let served = serving(&file);
            assert!(served.is_some(), "round {round}");
            rustix::process::kill_process(served.unwrap(), Signal::TERM).unwrap();
            wait_until("another process serves", || serving(&file).is_some_and(|now| Some(now) != served));
        }
        ended.store(true, Ordering::Relaxed);
    });
    fs::write(&enough, "").unwrap();
    rustix::process::kill_process(serving(&file).unwrap(), Signal::TERM).unwrap();
    assert!(manager.wait().unwrap().success());
}

/// Connects, which must succeed. A client that was accepted as the service ended is not greeted; it was not refused.
fn is_greeted(server: SocketAddr) -> bool {
    let mut client = TcpStream::connect(server).expect("no connection is refused");
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut beginning = [0; 3];
    let is_greeted = client.read_exact(&mut beginning).is_ok();
    assert!(!is_greeted || &beginning == b"+OK");
    is_greeted
}

/// The process that serves a configuration.
fn serving(file: &Path) -> Option<rustix::process::Pid> {
    let file = file.to_str().unwrap().as_bytes();
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let command = fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = command.split(|octet| *octet == 0);
        let is_it =
            words.next()?.ends_with(b"/restante") && words.next()? == b"serve" && words.any(|word| word == file);
        rustix::process::Pid::from_raw(entry.file_name().to_str()?.parse().ok()?).filter(|_| is_it)
    })
}

#[test]
fn a_socket_that_no_listener_has_is_a_mistake() {
    let stage = Stage::set("", &[]);
    let file = stage.site.folder().join("restante.yaml");
    let (listener, unnamed) = (Port::take(), Port::take());
    let other = unnamed.address();
    let yaml = fs::read_to_string(&file).unwrap();
    fs::write(&file, yaml.replacen("127.0.0.1:0", &listener.address().to_string(), 1)).unwrap();
    let mut manager = Command::new("systemd-socket-activate");
    manager.args(["-l", &other.to_string()]).arg(restante().get_program()).args(["serve", "--config"]).arg(&file);
    let manager = manager.stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the socket is bound", || TcpStream::connect(other).is_ok());
    let ended = manager.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("passed a socket at {other}, but no listener has this address")), "{said}");
}
