//! The command line.

mod audit;
mod check;
mod demo;
mod explain;
mod flush;
mod index;
mod password;
mod resolve;
mod serve;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::server::{become_user, is_root};

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
    /// Explain what becomes of a login name, step by step
    ///
    /// Goes the way of a login: which kinds of name it could be under the policy, the searches that are sent (ready for
    /// ldapsearch), the entries found, the person, the path of their mail and whether it is there, and which rule decided.
    /// Nothing that the running service holds in memory takes part. Started as root, it looks at the mail as the user of
    /// the configuration.
    ///
    /// Exit status 0: the name is one person's, and their mail can be opened. 1: it is not, or cannot.
    Resolve {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Try a password as well: typed without echo, or the first line of standard input where that is no terminal
        ///
        /// A wrong one counts in the directory's own lock-out, as at a login.
        #[arg(long)]
        password: bool,
        /// Tell it as one JSON object
        #[arg(long)]
        json: bool,
        /// The name, as it would be typed at a login
        #[arg(value_name = "LOGIN")]
        login: String,
    },
    /// Go through directory and mail, and tell what would make a login go wrong
    ///
    /// Reads everybody below the search base page by page and looks at their Maildirs, then goes through the mail root.
    /// Told are login names that several people have, under the policy of the configuration and what other presets would
    /// change; people without a mailbox, and mailboxes without a person; two people with one mailbox; several values, or
    /// none, where the path wants one; paths and links that lead out of the mail root; Maildirs that may not be read or
    /// written. Nothing is changed. Started as root, it looks at the mail as the user of the configuration.
    ///
    /// Exit status 0: nothing is wrong. 1: something is, or a limit of the directory let only a part be seen.
    Audit {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Tell it as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Find out ahead of any login what a first login to a large maildrop would have to find out
    ///
    /// Reads the messages whose file names do not tell their octets (`,W=`), once, and writes what it found into the file
    /// `restante-index` in each Maildir: worth it before a move, or after mail was copied. It may run beside the service,
    /// one maildrop after the other with the least priority, be broken off, and be begun again where it was; nothing of
    /// the mail is changed. Started as root, it works as the user of the configuration.
    ///
    /// Exit status 0: everything wanted is indexed. 1: something is not, and was told.
    Index {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The maildrops of everybody in the directory
        #[arg(long, conflicts_with = "logins", required_unless_present = "logins")]
        all: bool,
        /// Whose maildrops: any login name
        #[arg(value_name = "LOGIN")]
        logins: Vec<String>,
    },
    /// Let the running service forget what it holds of people and passwords
    ///
    /// The next login asks the directory: a changed password, a disabled account or a moved mailbox counts at once. A
    /// look-up under way is not kept either. Wants admin.socket in the configuration, and the right to write to it.
    Flush {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// One person, by any login name or the canonical name; or an IP address: only what was sent from there is forgotten.
        /// Nothing: everybody
        #[arg(value_name = "PERSON | ADDRESS")]
        whom: Option<String>,
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
        Command::Resolve { config, password, json, login } => {
            resolve::resolve(&config, &resolve::Wanted { login: &login, password, json })
        }
        Command::Audit { config, json } => audit::audit(&config, json),
        Command::Index { config, logins, all: _ } => index::index(&config, &logins),
        Command::Flush { config, whom } => flush::flush(&config, whom.as_deref()),
        Command::Demo { keep } => demo::demo(keep.as_deref()),
    }
}

/// Tells a fault on standard error: the log may not be there yet, or not be wanted.
#[allow(clippy::print_stderr, reason = "the command line speaks to the person in front of it")]
fn complain(fault: &dyn std::fmt::Display) {
    eprintln!("restante: {fault}");
}

/// Becomes the user that the service runs as, where we may: what they may read and write is what counts.
fn act_as_service(user: Option<&str>) -> anyhow::Result<()> {
    match user {
        Some(user) if is_root() => become_user(user).map_err(anyhow::Error::msg),
        _ => Ok(()),
    }
}

/// A text as a terminal may show it: what stands in a directory must not steer it.
fn harmless(text: &str) -> String {
    let is_harmful = |character: char| character.is_control() && character != '\n';
    text.chars().map(|character| if is_harmful(character) { '\u{fffd}' } else { character }).collect()
}
