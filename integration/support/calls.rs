//! What a process asks of the kernel, as `strace` sees it.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::wait_until;

/// Watches a running process until it is asked what it saw.
pub struct Calls {
    strace: Child,
    seen: PathBuf,
    /// It says something of each new thread, and ends if nobody could read it.
    _messages: BufReader<ChildStderr>,
    _folder: tempfile::TempDir,
}

/// One system call that has returned.
#[derive(Debug)]
pub struct Call {
    /// The thread that made it.
    pub thread: String,
    /// Its name, such as `openat2`.
    pub name: String,
    /// Arguments and result, as strace writes them.
    pub told: String,
}

impl Calls {
    /// Begins to watch these calls (`strace -e trace=`) of all threads. The process is watched when this returns: strace
    /// misses a thread that begins while it attaches itself, and is then begun anew.
    pub fn watch(pid: u32, calls: &str) -> Self {
        loop {
            let watching = Self::attach(pid, calls);
            if is_watched(pid) {
                return watching;
            }
            watching.seen();
        }
    }

    fn attach(pid: u32, calls: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let mut strace = Command::new("strace")
            .args(["-f", "-y", "-s", "256", "-e", &format!("trace={calls}"), "-o"])
            .arg(&seen)
            .args(["-p", &pid.to_string()])
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace, of Debian's package of that name");
        let (mut messages, mut attached) = (BufReader::new(strace.stderr.take().unwrap()), String::new());
        messages.read_line(&mut attached).unwrap();
        assert!(attached.contains("attached"), "{attached:?}");
        Self { strace, seen, _messages: messages, _folder: folder }
    }

    /// Ends watching once a call with these words was seen: what returned before it is not lost then.
    pub fn seen_until(self, told: &str) -> Vec<Call> {
        wait_until("the last call is seen", || fs::read_to_string(&self.seen).unwrap().contains(told));
        self.seen()
    }

    /// Ends watching; tells what was seen, in order.
    pub fn seen(mut self) -> Vec<Call> {
        kill_process(Pid::from_child(&self.strace), Signal::INT).unwrap();
        self.strace.wait().unwrap();
        calls(&fs::read_to_string(&self.seen).unwrap())
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        let _ended_before = self.strace.kill();
        let _ = self.strace.wait();
    }
}

/// Whether each thread has a tracer (`proc_pid_status(5)`).
fn is_watched(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    // One that ended meanwhile needs none.
    let mut statuses = threads.filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("status")).ok());
    statuses.all(|status| !status.contains("TracerPid:\t0\n"))
}

/// The calls in the order in which they returned. Where another thread's call came between, strace writes one in two parts.
fn calls(seen: &str) -> Vec<Call> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for (thread, rest) in seen.lines().filter_map(|line| line.split_once(' ')) {
        let rest = rest.trim_start();
        if let Some(beginning) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, beginning);
            continue;
        }
        let end = rest.strip_prefix("<... ").and_then(|resumed| resumed.split_once(" resumed>"));
        let whole = match end {
            Some((_, end)) => format!("{}{end}", begun.remove(thread).unwrap_or_default()),
            None => rest.to_owned(),
        };
        if let Some((name, told)) = whole.split_once('(') {
            calls.push(Call { thread: thread.to_owned(), name: name.to_owned(), told: told.to_owned() });
        }
    }
    calls
}
