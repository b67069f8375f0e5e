//! Log lines, gathered: a busy service writes many with one system call, and none waits for whoever reads them.

use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
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

/// Where lines go. Cloning gives the same lines.
#[derive(Clone)]
pub(super) struct Lines {
    inner: Arc<Inner>,
}

struct Inner {
    kept: Mutex<Vec<u8>>,
    /// Told when the first line is kept back.
    some: Condvar,
    /// Held while lines are taken and written, so that they stay in order.
    out: Mutex<Box<dyn Write + Send>>,
    /// There is a thread that writes what is kept back.
    gathers: AtomicBool,
}

/// Takes one line.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    at_once: bool,
}

impl Lines {
    /// To be written there, each at once.
    pub(super) fn to(out: impl Write + Send + 'static) -> Self {
        let inner = Inner {
            kept: Mutex::default(),
            some: Condvar::new(),
            out: Mutex::new(Box::new(out)),
            gathers: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Begins to keep lines back.
    pub(super) fn gather(&self) -> io::Result<()> {
        let writer = self.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.keep_writing())?;
        self.inner.gathers.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Writes everything that is kept back.
    pub(super) fn flush(&self) {
        let mut out = self.inner.out.lock().unwrap_or_else(PoisonError::into_inner);
        let octets = std::mem::take(&mut *self.kept());
        // Where the log cannot be written, nobody can be told.
        let _ = out.write_all(&octets);
    }

    /// A panic of the writer costs no later line.
    fn keep_writing(&self) {
        loop {
            let _was_logged = std::panic::catch_unwind(AssertUnwindSafe(|| self.write_for_ever()));
        }
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
        Line { lines: self, at_once: *about.level() <= Level::WARN || !self.inner.gathers.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each write as it came.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<String>>>);

    impl Write for Written {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(String::from_utf8(octets.to_vec()).unwrap());
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(lines: &Lines, line: &str, at_once: bool) {
        Line { lines, at_once }.write_all(line.as_bytes()).unwrap();
    }

    #[test]
    fn many_lines_are_one_write_in_order() {
        let written = Written::default();
        let lines = Lines::to(written.clone());
        log(&lines, "a\n", false);
        log(&lines, "b\n", false);
        assert!(written.0.lock().unwrap().is_empty());
        log(&lines, "fault\n", true);
        log(&lines, "c\n", false);
        lines.flush();
        assert_eq!(*written.0.lock().unwrap(), ["a\nb\nfault\n", "c\n"]);
    }

    #[test]
    fn a_line_that_was_kept_back_is_written_by_itself() {
        let written = Written::default();
        let lines = Lines::to(written.clone());
        lines.gather().unwrap();
        for line in ["a\n", "b\n"] {
            let before = written.0.lock().unwrap().len();
            log(&lines, line, false);
            let deadline = std::time::Instant::now() + Duration::from_secs(20);
            while written.0.lock().unwrap().len() == before {
                assert!(std::time::Instant::now() < deadline);
                thread::yield_now();
            }
        }
        assert_eq!(written.0.lock().unwrap().concat(), "a\nb\n");
    }

    #[test]
    fn a_panic_of_the_writer_costs_no_later_line() {
        /// Panics at the first write.
        struct Panicking(Written, bool);
        impl Write for Panicking {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                assert!(std::mem::replace(&mut self.1, true), "this panic is part of the test");
                self.0.write(octets)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let written = Written::default();
        let lines = Lines::to(Panicking(written.clone(), false));
        lines.gather().unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while written.0.lock().unwrap().is_empty() {
            log(&lines, "a\n", false);
            assert!(std::time::Instant::now() < deadline);
            thread::yield_now();
        }
    }
}
