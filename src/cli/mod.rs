//! The command line.

mod check;
mod demo;
mod serve;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// How a command ended; `main` makes an exit status of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Fine.
    Fine,
    /// Something is wrong, and was told.
    FoundWrong,
    /// The configuration is wrong; every fault was told.
    BadConfiguration,
}

/// POP3 server for the people of an LDAP directory.
#[derive(Parser)]
#[command(name = "restante", version, about, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve mail, in the foreground, until SIGTERM
    Serve {
        /// The configuration; config/restante.yaml is the commented reference
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Read the configuration, try certificates, mail root and directory, and tell everything that is wrong
    Check {
        /// The configuration to check
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Run the whole service on this machine with an LDAP directory, people and mail to try it with
    Demo {
        /// Leave configuration, certificates, LDIF and mail in this directory, to start one's own from
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
}

/// Reads the command line and does what it says. Wrong usage ends the process with status 2.
#[must_use]
pub fn run() -> Ended {
    match CommandLine::parse().command {
        Command::Serve { config } => serve::serve(&config),
        Command::Check { config } => check::check(&config),
        Command::Demo { keep } => demo::demo(keep.as_deref()),
    }
}

/// Tells a fault on standard error: the log may not be there yet, or not be wanted.
#[allow(clippy::print_stderr, reason = "the command line speaks to the person in front of it")]
fn complain(fault: &dyn std::fmt::Display) {
    eprintln!("restante: {fault}");
}
