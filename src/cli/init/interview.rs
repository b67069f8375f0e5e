//! Questions on a terminal. Without one nothing is asked: a missing answer is an error that names the option.

use std::io::{self, BufRead as _};

use rustix::stdio::stdin;
use rustix::termios::isatty;

use super::fault::InitFault;
use crate::cli::{password, sanitized};
use crate::secret::Password;

/// Asks, if somebody is there.
pub(super) struct Interview {
    is_terminal: bool,
    /// Whether what was found out is taken without asking.
    takes_found: bool,
}

impl Interview {
    /// On standard input, if that is a terminal.
    pub(super) fn new(takes_found: bool) -> Self {
        Self { is_terminal: isatty(stdin()), takes_found }
    }

    /// An answer that may be left out; none without a terminal.
    pub(super) fn optional(&self, question: &str) -> Result<Option<String>, InitFault> {
        if !self.is_terminal || self.takes_found {
            return Ok(None);
        }
        prompt(&format!("{question}: "));
        let answer = line()?;
        Ok((!answer.is_empty()).then_some(answer))
    }

    /// Whether something that nobody can find out is so.
    pub(super) fn confirm(&self, question: &str, what: &str, flag: &'static str) -> Result<bool, InitFault> {
        if !self.is_terminal {
            return Err(InitFault::Missing { what: what.to_owned(), flag });
        }
        loop {
            prompt(&format!("{question} [yes/no]: "));
            match line()?.to_lowercase().as_str() {
                "yes" | "y" => return Ok(true),
                "no" | "n" => return Ok(false),
                _ => {}
            }
        }
    }

    /// Whether something optional is wanted; not without a terminal.
    pub(super) fn wants(&self, question: &str) -> Result<bool, InitFault> {
        if !self.is_terminal || self.takes_found {
            return Ok(false);
        }
        self.confirm(question, question, "")
    }

    /// One of several that fit equally well; its place.
    pub(super) fn choose(&self, what: &str, choices: &[String], flag: &'static str) -> Result<usize, InitFault> {
        if !self.is_terminal {
            return Err(InitFault::Missing { what: format!("{what} ({})", choices.join("; ")), flag });
        }
        prompt(&format!("{what}:\n"));
        for (number, choice) in (1..).zip(choices) {
            prompt(&format!("  {number}  {choice}\n"));
        }
        loop {
            prompt(&format!("Which one? [1-{}]: ", choices.len()));
            let number = line()?.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            if let Some(place) = number.filter(|place| *place < choices.len()) {
                return Ok(place);
            }
        }
    }

    /// A password, typed without echo.
    pub(super) fn password(&self, whose: &str, flag: &'static str) -> Result<Password, InitFault> {
        if !self.is_terminal {
            return Err(InitFault::Missing { what: format!("the password of {whose} is not known"), flag });
        }
        password::ask(whose).map_err(|why| InitFault::Option(flag, why))
    }
}

/// On standard error: standard output is the report.
#[allow(clippy::print_stderr, reason = "the command line speaks to the person in front of it")]
fn prompt(text: &str) {
    eprint!("{}", sanitized(text));
}

fn line() -> Result<String, InitFault> {
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(InitFault::Declined("the terminal was closed"));
    }
    Ok(line.trim().to_owned())
}
