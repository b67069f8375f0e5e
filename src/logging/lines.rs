//! Log lines, gathered: a busy service writes many with one system call, and none waits for whoever reads them.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may be kept back. One that tells of a fault is not.
const KEPT: Duration = Duration::from_millis(50);

/// Octets that may be kept back. A reader so slow that more would be has to be waited for.
const MOST: usize = 256 * 1024;

/// Standard error, for whole lines. Cloning gives the same lines.
#[derive(Clone, Default)]
pub(super) struct Lines {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    kept: Mutex<Vec<u8>>,
    /// Told when the first line is kept back.
    some: Condvar,
    /// Held while lines are written, so that they stay in order.
    writing: Mutex<()>,
    /// There is a thread that writes what is kept back.
    gathers: AtomicBool,
}

/// Takes one line.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    at_once: bool,
}

impl Lines {
    /// Begins to keep lines back, but from a person at a terminal, who waits for them.
    pub(super) fn gather(&self) -> io::Result<()> {
        if io::stderr().is_terminal() {
            return Ok(());
        }
        let writer = self.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.write_for_ever())?;
        self.inner.gathers.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Writes everything that is kept back.
    pub(super) fn flush(&self) {
        let _in_order = self.inner.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let octets = std::mem::take(&mut *self.kept());
        // Where the log cannot be written, nobody can be told.
        let _ = io::stderr().lock().write_all(&octets);
    }

    fn write_for_ever(&self) {
        loop {
            let some = self.inner.some.wait_while(self.kept(), |kept| kept.is_empty());
            drop(some.unwrap_or_else(PoisonError::into_inner));
            thread::sleep(KEPT);
            self.flush();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<u8>> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut kept = self.lines.kept();
        let was_empty = kept.is_empty();
        kept.extend_from_slice(octets);
        let too_many = kept.len() > MOST;
        drop(kept);
        if self.at_once || too_many {
            self.lines.flush();
        } else if was_empty {
            self.lines.inner.some.notify_one();
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { lines: self, at_once: true }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        let is_fault = *about.level() <= Level::WARN;
        Line { lines: self, at_once: is_fault || !self.inner.gathers.load(Ordering::Relaxed) }
    }
}
