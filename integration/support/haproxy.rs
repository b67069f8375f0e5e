//! Debian's `HAProxy`, with a configuration of the guide whose addresses and files are those of a test.

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use tempfile::TempDir;

use super::ports::Port;
use super::process::{Daemon, program};
use super::wait_until;

/// An `HAProxy` that runs. It ends when dropped.
pub struct HaProxy {
    _daemon: Daemon,
    folder: TempDir,
    /// Where clients connect: the frontends, in the order of the configuration.
    pub frontends: Vec<SocketAddr>,
    _ports: Vec<Port>,
}

impl HaProxy {
    /// Serves a configuration. Its frontends get ports of this machine, and what is replaced in it is in `changes`.
    pub fn serve(configuration: &str, changes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut text, mut ports) = (String::new(), Vec::new());
        for line in configuration.lines() {
            let mut line = line.to_owned();
            if let Some(rest) = line.trim_start().strip_prefix("bind :") {
                let port = Port::take();
                let (_, options) = rest.split_once(' ').unwrap_or((rest, ""));
                line = format!("    bind {} {options}", port.address());
                ports.push(port);
            }
            text.push_str(&line);
            text.push('\n');
        }
        for (from, to) in changes {
            assert!(text.contains(from), "the configuration has no {from:?}:\n{text}");
            text = text.replace(from, to);
        }
        let [guide, own] = ["guide.cfg", "own.cfg"].map(|name| folder.path().join(name));
        fs::write(&guide, text).unwrap();
        fs::write(&own, format!("global\n    stats socket {}\n", folder.path().join("stats").display())).unwrap();
        let mut daemon = Daemon::new("haproxy", folder.path().join("log"));
        let frontends: Vec<SocketAddr> = ports.iter().map(Port::address).collect();
        daemon.start(program("haproxy").arg("-db").arg("-f").arg(guide).arg("-f").arg(own), &[]);
        // To try the frontends would be to connect to the service.
        let stats = folder.path().join("stats");
        wait_until("HAProxy answers", || UnixStream::connect(&stats).is_ok());
        Self { _daemon: daemon, folder, frontends, _ports: ports }
    }

    /// Waits until the last check of each server has ended with one of these (`check_status` of its statistics).
    pub fn wait_for_checks(&self, statuses: &[&str]) {
        let mut seen = Vec::new();
        wait_until(&format!("every check ends with {statuses:?}"), || {
            seen = self.check_statuses();
            seen.len() > 1 && seen.iter().all(|status| statuses.contains(&status.as_str()))
        });
    }

    /// Waits until a server of a backend is in this state (`UP`, `DOWN`).
    pub fn wait_for_server(&self, backend: &str, server: &str, state: &str) {
        wait_until(&format!("{backend}/{server} is {state}"), || {
            self.statistics().iter().any(|line| {
                let of = |column: &str| line.get(column).map_or("", String::as_str);
                of("# pxname") == backend && of("svname") == server && of("status") == state
            })
        });
    }

    fn check_statuses(&self) -> Vec<String> {
        let lines = self.statistics().into_iter();
        lines.filter_map(|mut line| line.remove("check_status")).filter(|status| !status.is_empty()).collect()
    }

    /// Each line of its statistics, by the names of the columns.
    fn statistics(&self) -> Vec<HashMap<String, String>> {
        let socket: PathBuf = self.folder.path().join("stats");
        let mut stats = String::new();
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(b"show stat\n").unwrap();
        stream.read_to_string(&mut stats).unwrap();
        let mut lines = stats.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let by_column =
            |line: &str| names.iter().zip(line.split(',')).map(|(a, b)| ((*a).to_owned(), b.to_owned())).collect();
        lines.filter(|line| !line.is_empty()).map(by_column).collect()
    }
}
