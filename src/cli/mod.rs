//! The command line.

mod acting;
mod audit;
mod check;
mod demo;
mod expire;
mod explain;
mod flush;
mod index;
mod layout;
mod maildrops;
mod order;
mod password;
mod resolve;
mod serve;
mod uidl;
mod undelete;
mod unit;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::config::{self, Configuration};
use crate::server::{become_user, is_root};

/// How a command ended; `main` makes an exit status of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Fine.
    Fine,
    /// Something is wrong, and was told.
    FoundWrong,
    /// The command line asks for what cannot be; it was told.
    UsedWrongly,
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
    /// Read the configuration, try certificates, mail root and directories, and list everything that is wrong
    ///
    /// Says how many people each directory lets be found, which attributes the service needs and may not read, whether the
    /// paths of some people lead to mail, and what clients would reject about the certificates. A note is worth knowing, and
    /// right on many a server.
    ///
    /// Started as root, it reads everything as the service does: as the user of --as, or else of the configuration's `user`
    /// (after root has read keys and passwords), or else of `User=` in the systemd unit that serves this configuration.
    ///
    /// Exit status 0: nothing is wrong. 1: something is, or a directory does not answer. 78: the configuration is wrong.
    Check {
        /// The configuration to check
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Read everything as this user, as a service does that is started as them
        #[arg(long = "as", value_name = "USER")]
        user: Option<String>,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show how a login name is resolved, step by step
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
    /// List problems across all people and mailboxes
    ///
    /// Reads everybody below the search base page by page and looks at their Maildirs, then goes through the mail root.
    /// Errors keep somebody from their mail: login names that several people have, under the policy of the configuration
    /// and what other presets would change; two people with one mailbox; several values, or none, where the path wants
    /// one; paths and links that lead out of the mail root; Maildirs that may not be read or written; a mailbox that lies
    /// under another name of its person. Warnings are mailboxes without a person. That somebody has no mailbox yet is a
    /// note. Nothing is changed. Started as root, it looks at the mail as the user of the configuration.
    ///
    /// Exit status 0: there are neither errors nor warnings. 1: there are, or a limit of the directory let only a part be
    /// seen.
    Audit {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Read message sizes in advance, so that first logins are fast
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
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// Whose maildrops: any login name
        #[arg(value_name = "LOGIN")]
        logins: Vec<String>,
    },
    /// Clear the running service's caches of people and passwords
    ///
    /// The next login asks the directory: a changed password, a disabled account or a moved mailbox counts at once. A
    /// look-up under way is not kept either. Wants admin.socket in the configuration, and the right to write to it; nothing
    /// else of the configuration is read, so neither keys nor passwords need be readable.
    ///
    /// Exit status 0: done. 1: it was not: no service answers, several people have that name, or nobody has and nothing was
    /// held of it. 2: what was given is neither a name nor one address.
    Flush {
        #[command(flatten)]
        service: order::Running,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// One person, by any login name or the canonical name; or an IP address: only what was sent from there is forgotten.
        /// Nothing: everybody
        #[arg(value_name = "PERSON | ADDRESS")]
        whom: Option<String>,
    },
    /// Remove mail that was left on the server for too long, and for good what was deleted long ago
    ///
    /// As `expire` and `mailboxes.deletion` say; what no setting says is not done. The end of each session does the same
    /// for what it listed, so this is for people who seldom come. Started as root, it acts as the user of the
    /// configuration.
    ///
    /// Exit status 0: all of it was done. 1: something was not, and was told: a maildrop in use, a name that nobody has.
    Expire {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only tell what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Everybody in the directory
        #[arg(long, conflicts_with = "logins", required_unless_present_any = ["logins", "confirm_clock"])]
        all: bool,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// Take this machine's clock for right after it jumped: until then nothing is removed for its age
        #[arg(long, conflicts_with = "dry_run")]
        confirm_clock: bool,
        /// Whose mail, each by any login name
        #[arg(value_name = "LOGIN")]
        logins: Vec<String>,
    },
    /// Bring back what a person's mail program deleted
    ///
    /// With `mailboxes.deletion` set to keep deleted mail, or to move it to a folder. A message comes back as one that no
    /// client has seen yet: clients ignore unique-ids that they remember. Started as root, it acts as the user of the
    /// configuration.
    ///
    /// Exit status 0: everything asked for was brought back, though it may be nothing. 1: a message was not, or the login
    /// name leads to no maildrop.
    Undelete {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only tell what could be brought back
        #[arg(long)]
        list: bool,
        /// Only what was deleted within this time, such as 30m, 12h or 3d
        #[arg(long, value_name = "TIME", value_parser = config::duration)]
        since: Option<Duration>,
        /// Let each message keep its unique-id: clients that remember it do not fetch it again
        #[arg(long)]
        same_id: bool,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// Whose mail, by any login name
        #[arg(value_name = "LOGIN")]
        login: String,
        /// Only the messages of these names, as --list tells them
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Preview a migration from another POP3 server
    Uidl {
        #[command(subcommand)]
        what: uidl::Uidl,
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
        Command::Check { config, user, json } => check::check(&config, user.as_deref(), json),
        Command::Resolve { config, password, json, login } => {
            resolve::resolve(&config, &resolve::Wanted { login: &login, password, json })
        }
        Command::Audit { config, json } => audit::audit(&config, json),
        Command::Index { config, logins, json, all: _ } => index::index(&config, &logins, json),
        Command::Flush { service, json, whom } => flush::flush(&service, whom.as_deref(), json),
        Command::Expire { config, dry_run, all, json, confirm_clock, logins } => {
            let of = expire::Whose::new(all, logins);
            expire::expire(&config, &expire::Wanted { of, dry_run, json, confirm_clock })
        }
        Command::Undelete { config, list, since, same_id, json, login, names } => {
            undelete::undelete(&config, &undelete::Wanted { login, names, since, list, same_id, json })
        }
        Command::Uidl { what } => uidl::uidl(what),
        Command::Demo { keep } => demo::demo(keep.as_deref()),
    }
}

/// Reads the configuration as the service would, and does what gives whether nothing is wrong.
fn with_configuration(file: &Path, act: impl FnOnce(Configuration) -> anyhow::Result<bool>) -> Ended {
    if let Err(fault) = acting::begin(file, None) {
        complain(&fault);
        return Ended::FoundWrong;
    }
    let configuration = match load_outside_unit(file) {
        Ok(configuration) => configuration,
        Err(ended) => return ended,
    };
    match act(configuration) {
        Ok(true) => Ended::Fine,
        Ok(false) => Ended::FoundWrong,
        Err(fault) => {
            complain(&format!("{fault:#}"));
            Ended::FoundWrong
        }
    }
}

/// Reads the configuration, and complains of everything that is wrong with it.
fn load(file: &Path) -> Result<Configuration, Ended> {
    config::load(file).map_err(|faults| {
        complain(&faults);
        Ended::BadConfiguration
    })
}

/// The same for commands beside the service, which lack what its unit gives it.
fn load_outside_unit(file: &Path) -> Result<Configuration, Ended> {
    load(file).inspect_err(|_| {
        if let Some(command) = acting::with_credentials(file) {
            complain(&format!("this command needs credentials of the systemd unit; as root, run:\n  {command}"));
        }
    })
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
