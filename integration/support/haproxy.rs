//! Debian's `HAProxy`, with a configuration of the guide whose addresses and files are those of a test.

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

    fn check_statuses(&self) -> Vec<String> {
        let socket: PathBuf = self.folder.path().join("stats");
        let mut stats = String::new();
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(b"show stat\n").unwrap();
        stream.read_to_string(&mut stats).unwrap();
        let mut lines = stats.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let column = names.iter().position(|name| *name == "check_status").unwrap();
        let statuses = lines.filter_map(|line| line.split(',').nth(column)).filter(|status| !status.is_empty());
        statuses.map(str::to_owned).collect()
    }
}
