//! A program on a terminal of its own, and somebody who types.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::process::{program, run};
use super::wait_until;

/// A program that runs on a pseudo-terminal, by `script(1)`. It is killed when dropped.
pub struct Terminal {
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    /// How much of what is shown was waited for.
    seen: usize,
}

impl Terminal {
    /// Starts a program.
    pub fn run(command: &Command) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line: Vec<String> =
            words.map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''"))).collect();
        let mut script = program("script");
        script.args(["--quiet", "--flush", "--return", "--command", &line.join(" "), "/dev/null"]);
        script.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = run(&mut script);
        let (shown, mut output) = (Arc::default(), child.stdout.take().unwrap());
        let written: Arc<Mutex<Vec<u8>>> = Arc::clone(&shown);
        let reader = std::thread::spawn(move || {
            let mut octets = [0; 1024];
            while let Ok(count @ 1..) = output.read(&mut octets) {
                written.lock().unwrap().extend_from_slice(&octets[..count]);
            }
        });
        Self { child, shown, reader: Some(reader), seen: 0 }
    }

    /// Waits for a question, and types an answer.
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        self.press(&format!("{answer}\n"));
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until words are shown behind those that were waited for before.
    pub fn wait_for(&mut self, question: &str) {
        wait_until(&format!("the terminal shows {question:?}"), || {
            let shown = self.shown();
            let found = shown.get(self.seen..).and_then(|rest| rest.find(question));
            let ended = self.child.try_wait().unwrap();
            assert!(found.is_some() || ended.is_none(), "ended before {question:?}:\n{shown}");
            self.seen += found.map_or(0, |at| at + question.len());
            found.is_some()
        });
    }

    /// Waits for the end; gives the exit status, and everything that was shown.
    pub fn end(mut self) -> (i32, String) {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        (status.code().unwrap(), self.shown())
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _has_ended = self.child.kill();
        let _was_waited_for = self.child.wait();
    }
}
