//! A password typed or piped in; never an argument, which everybody on the machine could read.

use std::os::fd::AsFd;

use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};

use crate::secret::Password;

/// No password is longer, in octets.
const LONGEST: usize = 4096;

/// The terminal as it was before; given back when dropped.
struct Quiet<'a>(&'a dyn AsFd, Termios);

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.0.as_fd(), OptionalActions::Flush, &self.1);
    }
}

/// The first line of standard input; from a terminal, asked for and read without echo.
#[allow(clippy::print_stderr, reason = "standard output is the command's result")]
pub(super) fn ask(whose: &str) -> Result<Password, String> {
    let input = stdin();
    if !isatty(input) {
        return first_line();
    }
    let before = tcgetattr(input).map_err(|fault| format!("cannot read the terminal's settings: {fault}"))?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    let restored = Quiet(&input, before);
    tcsetattr(input, OptionalActions::Flush, &quiet).map_err(|fault| format!("cannot switch off echo: {fault}"))?;
    // Only now: what is typed before is thrown away.
    eprint!("Password of {whose}: ");
    let password = first_line();
    drop(restored);
    eprintln!();
    password
}

/// Read octet by octet into room for all of it: no buffer keeps a copy.
fn first_line() -> Result<Password, String> {
    let mut octets = Vec::with_capacity(LONGEST + 1);
    let mut octet = [0];
    while octets.len() <= LONGEST {
        match rustix::io::read(stdin(), &mut octet) {
            Ok(0) => break,
            Ok(_) if octet == *b"\n" => break,
            Ok(_) => octets.extend_from_slice(&octet),
            Err(rustix::io::Errno::INTR) => {}
            Err(fault) => return Err(format!("cannot read the password: {fault}")),
        }
    }
    if octets.len() > LONGEST {
        return Err(format!("the password has more than {LONGEST} octets"));
    }
    if octets.last() == Some(&b'\r') {
        octets.pop();
    }
    Password::new(octets).map_err(|fault| format!("password: {fault}"))
}
