//! Server programs that a test starts, ends, freezes and thaws, and programs that it runs to their end.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::wait_until;

/// A server program, which may run or not. It ends when dropped.
pub struct Daemon {
    name: &'static str,
    log: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    /// One that does not run yet; what it writes to its standard error goes to a file.
    pub fn new(name: &'static str, log: PathBuf) -> Self {
        Self { name, log, child: None }
    }

    /// Starts it, unless it was started and not ended since, and waits until it takes connections at all its addresses.
    pub fn start(&mut self, command: &mut Command, addresses: &[SocketAddr]) {
        if self.child.is_some() {
            return;
        }
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        self.child = Some(run(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log)));
        wait_until(&format!("{} answers", self.name), || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "{} ended: {}", self.name, self.log());
            addresses.iter().all(|address| TcpStream::connect(address).is_ok())
        });
    }

    /// Ends it by a signal, and waits until it has ended.
    pub fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.child.take() else { return };
        if child.try_wait().unwrap().is_some() {
            return;
        }
        for signal in [signal, Signal::CONT] {
            kill_process(Pid::from_child(&child), signal).unwrap();
        }
        child.wait().unwrap();
    }

    /// Its process id, if it runs.
    pub fn id(&self) -> Option<i32> {
        self.child.as_ref().map(|child| Pid::from_child(child).as_raw_nonzero().get())
    }

    /// Lets it hang: connections are accepted by the kernel, nothing is answered. Returns when its last thread stands.
    pub fn freeze(&self) {
        let pid = self.signal(Signal::STOP);
        let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{} ended instead of stopping: {}", self.name, self.log());
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// What it wrote to its standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) -> Pid {
        let child = self.child.as_ref().unwrap_or_else(|| panic!("{} does not run", self.name));
        let pid = Pid::from_child(child);
        kill_process(pid, signal).unwrap();
        pid
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end(Signal::KILL);
    }
}

/// A program of a Debian package; the administrators' folders are searched too.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin:/usr/bin")).env("LDAPNOINIT", "1");
    command
}

/// Starts a program, and says which package is missing if it is not there.
pub fn run(command: &mut Command) -> Child {
    let name = Path::new(command.get_program()).display().to_string();
    command.spawn().unwrap_or_else(|fault| {
        panic!("{name} cannot be started ({fault}). The packages these tests need stand in integration/packages")
    })
}

/// Writes a script to run. A process of its own writes it: what this one has open for writing, a child that another test
/// starts at that moment has open too, and then nobody can run it (ETXTBSY of execve(2)).
pub fn script(path: &Path, text: &str) {
    succeed(program("sh").args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path), text);
}

/// Compiles a library that stands between a program and the system's (`LD_PRELOAD`).
pub fn library(folder: &Path, name: &str, source: &str) -> PathBuf {
    let (file, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    fs::write(&file, source).unwrap();
    succeed(program("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&file).arg("-ldl"), "");
    library
}

/// Runs a program to its end.
pub fn output(command: &mut Command, input: &str) -> Output {
    let mut child = run(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    // One that ends before it has read everything tells why on its standard error.
    let _ended_early = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs a program to its end, and fails the test with what it said if it fails.
pub fn succeed(command: &mut Command, input: &str) {
    let output = output(command, input);
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}
