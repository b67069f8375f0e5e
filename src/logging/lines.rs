//! Buffered log lines: a busy service writes many with one system call, and nothing waits for a slow reader.
//!
//! Once the writer thread runs, only it writes: logging puts a line into bounded memory and continues, even if
//! nobody reads the log for hours. Lines that do not fit are counted, and the log reports how many were lost.

use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may be delayed. Warnings and errors are not.
const KEPT: Duration = Duration::from_millis(50);

/// Octets that are written without waiting for more.
const ENOUGH: usize = 128 * 1024;

/// Octets buffered for a slow reader. Warnings and errors may use as much again.
const MOST: usize = 4 * 1024 * 1024;

/// How long the end of the process waits for a slow reader.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The queue of lines. Clones share it.
#[derive(Clone)]
pub(super) struct LogQueue {
    inner: Arc<LogBuffer>,
}

struct LogBuffer {
    queue: Mutex<Queue>,
    /// Notified when there is something to write.
    some: Condvar,
    /// Notified when all lines that were taken are written.
    written: Condvar,
    out: Mutex<Box<dyn Write + Send>>,
}

/// Lines that wait for the writer thread.
#[derive(Default)]
struct Queue {
    octets: Vec<u8>,
    /// The thread is running. Before, each line is written at once by the logging thread.
    has_writer: bool,
    /// One of them is a warning or an error, or there are many: they are not delayed.
    is_urgent: bool,
    /// Some were taken and are being written.
    is_writing: bool,
    /// Lines lost since the log last reported it.
    lost: u64,
}

/// Takes one line.
pub(super) struct LineWriter<'a> {
    lines: &'a LogQueue,
    is_urgent: bool,
}

impl LogQueue {
    /// Writes each line there at once.
    pub(super) fn to(out: impl Write + Send + 'static) -> Self {
        let inner = LogBuffer {
            queue: Mutex::default(),
            some: Condvar::new(),
            written: Condvar::new(),
            out: Mutex::new(Box::new(out)),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Leaves the writing to a thread from now on. It delays lines below a warning for this long, so that many are
    /// written together.
    pub(super) fn gather(&self, keep: Duration) -> io::Result<()> {
        let writer = self.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.keep_writing(keep))?;
        self.queue().has_writer = true;
        Ok(())
    }

    /// The usual delay.
    pub(super) const KEEP: Duration = KEPT;

    /// Waits until everything is written, for [`LAST_LINES`] at most.
    pub(super) fn flush(&self) {
        let mut queue = self.queue();
        if !queue.has_writer {
            return;
        }
        queue.is_urgent = true;
        self.inner.some.notify_one();
        let is_left = |queue: &mut Queue| !queue.octets.is_empty() || queue.is_writing;
        drop(self.inner.written.wait_timeout_while(queue, LAST_LINES, is_left));
    }

    /// After a panic of the writer, later lines are still written.
    fn keep_writing(&self, keep: Duration) {
        loop {
            let _was_logged = std::panic::catch_unwind(AssertUnwindSafe(|| self.write_for_ever(keep)));
        }
    }

    fn write_for_ever(&self, keep: Duration) {
        loop {
            let (octets, lost) = self.take(keep);
            self.write(&octets);
            self.queue().is_writing = false;
            self.inner.written.notify_all();
            if lost > 0 {
                tracing::warn!(
                    name: "log_lines_lost",
                    lines = lost,
                    "log lines lost: the reader of the log is too slow"
                );
            }
        }
    }

    /// Waits for lines, and takes all of them; returns how many were lost.
    fn take(&self, keep: Duration) -> (Vec<u8>, u64) {
        let some = self.inner.some.wait_while(self.queue(), |queue| queue.octets.is_empty());
        let queue = some.unwrap_or_else(PoisonError::into_inner);
        let more = self.inner.some.wait_timeout_while(queue, keep, |queue| !queue.is_urgent);
        let (mut queue, _) = more.unwrap_or_else(PoisonError::into_inner);
        (queue.is_urgent, queue.is_writing) = (false, true);
        (std::mem::take(&mut queue.octets), std::mem::take(&mut queue.lost))
    }

    fn write(&self, octets: &[u8]) {
        let mut out = self.inner.out.lock().unwrap_or_else(PoisonError::into_inner);
        // An error here has nowhere to be logged.
        let _ = out.write_all(octets);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, line: &[u8], is_urgent: bool) {
        let room = if is_urgent { 2 * MOST } else { MOST };
        if self.octets.len() + line.len() > room {
            self.lost += 1;
            return;
        }
        self.octets.extend_from_slice(line);
        self.is_urgent |= is_urgent || self.octets.len() >= ENOUGH;
    }
}

impl Write for LineWriter<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut queue = self.lines.queue();
        if queue.has_writer {
            let (was_empty, was_urgent) = (queue.octets.is_empty(), queue.is_urgent);
            queue.push(octets, self.is_urgent);
            let is_news = was_empty || queue.is_urgent && !was_urgent;
            drop(queue);
            if is_news {
                self.lines.inner.some.notify_one();
            }
        } else {
            drop(queue);
            self.lines.write(octets);
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter { lines: self, is_urgent: true }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> LineWriter<'a> {
        LineWriter { lines: self, is_urgent: *about.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Each write as it comes; it ends when it may.
    struct SlowReader {
        written: Sender<String>,
        may_end: Receiver<()>,
    }

    impl Write for SlowReader {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let _ = self.written.send(String::from_utf8(octets.to_vec()).unwrap());
            let _ = self.may_end.recv();
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The queue, what is written of it, and what lets each write end.
    fn lines() -> (LogQueue, Receiver<String>, Sender<()>) {
        let ((written, writes), (go, may_end)) = (channel(), channel());
        (LogQueue::to(SlowReader { written, may_end }), writes, go)
    }

    fn log(lines: &LogQueue, line: &str, is_urgent: bool) {
        LineWriter { lines, is_urgent }.write_all(line.as_bytes()).unwrap();
    }

    #[test]
    fn without_a_thread_each_line_is_written_at_once() {
        let (lines, writes, go) = lines();
        go.send(()).unwrap();
        log(&lines, "a\n", false);
        assert_eq!(writes.try_recv().unwrap(), "a\n");
    }

    #[test]
    fn many_lines_are_written_in_order_at_once_when_an_error_is_logged() {
        let (lines, writes, go) = lines();
        lines.gather(PATIENCE * 10).unwrap();
        for (line, is_urgent) in [("a\n", false), ("b\n", false), ("fault\n", true)] {
            log(&lines, line, is_urgent);
        }
        assert_eq!(writes.recv_timeout(PATIENCE).unwrap(), "a\nb\nfault\n");
        go.send(()).unwrap();
    }

    #[test]
    fn a_delayed_line_is_written_without_another_one() {
        let (lines, writes, go) = lines();
        lines.gather(LogQueue::KEEP).unwrap();
        for line in ["a\n", "b\n"] {
            log(&lines, line, false);
            assert_eq!(writes.recv_timeout(PATIENCE).unwrap(), line);
            go.send(()).unwrap();
        }
    }

    /// Nobody waits for a reader that has stopped, memory is bounded, and warnings and errors have more room.
    #[test]
    fn a_reader_that_has_stopped_delays_nothing() {
        let (lines, writes, go) = lines();
        lines.gather(Duration::ZERO).unwrap();
        log(&lines, "first\n", true);
        assert_eq!(writes.recv_timeout(PATIENCE).unwrap(), "first\n", "and this write does not end");
        let line = "x".repeat(1024);
        for _ in 0..MOST / 1024 + 100 {
            log(&lines, &line, false);
        }
        for _ in 0..50 {
            log(&lines, "fault\n", true);
        }
        let queue = lines.queue();
        assert_eq!((queue.octets.len(), queue.lost), (MOST + 50 * 6, 100));
        drop(queue);
        go.send(()).unwrap();
        assert!(writes.recv_timeout(PATIENCE).unwrap().ends_with("fault\n"));
    }

    #[test]
    fn the_end_waits_for_the_last_line() {
        let (lines, writes, go) = lines();
        lines.gather(PATIENCE * 10).unwrap();
        go.send(()).unwrap();
        log(&lines, "last\n", false);
        lines.flush();
        assert_eq!(writes.try_recv().unwrap(), "last\n");
    }

    #[test]
    fn the_writer_survives_a_panic() {
        /// Panics at the first write.
        struct Panicking(Sender<String>, bool);
        impl Write for Panicking {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                assert!(std::mem::replace(&mut self.1, true), "this panic is part of the test");
                self.0.send(String::from_utf8(octets.to_vec()).unwrap()).unwrap();
                Ok(octets.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (written, writes) = channel();
        let lines = LogQueue::to(Panicking(written, false));
        lines.gather(Duration::ZERO).unwrap();
        let deadline = std::time::Instant::now() + PATIENCE;
        while writes.try_recv().is_err() {
            log(&lines, "a\n", false);
            assert!(std::time::Instant::now() < deadline);
            thread::yield_now();
        }
    }
}
