//! The command line: options and help texts here, and a file for each command.
//!
//! A command is a variant of `Command` and a file of its name. What several commands need:
//!
//! | file | content |
//! |---|---|
//! | `acting`, `unit` | the user as whom a command reads and writes, taken from the configuration or the systemd unit |
//! | `maildrops` | the maildrops that a command works on, and their owners |
//! | `admin_client` | commands to the running service |
//! | `explain` | the steps of a login as text and JSON |
//! | `layout`, `password` | text for a terminal; a password typed or piped in |

mod acting;
mod admin_client;
mod audit;
mod check;
mod demo;
mod expire;
mod explain;
mod flush;
mod index;
mod kick;
mod layout;
mod maildrops;
mod password;
mod resolve;
mod serve;
mod status;
mod uidl;
mod undelete;
mod unit;
mod who;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Configuration};
use crate::server::{become_user, is_root};

/// How a command ended; `main` maps it to an exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Everything is in order.
    Success,
    /// Something is wrong, and was reported.
    ProblemFound,
    /// The command line is wrong; it was reported.
    UsageError,
    /// The configuration is wrong; every mistake was reported.
    BadConfiguration,
}

/// POP3 server for the people of an LDAP directory.
#[derive(Parser)]
#[command(name = "restante", version, about, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Subcommand)]
enum Subcommands {
    /// Run the service in the foreground, until SIGTERM
    Serve {
        /// The configuration; config/restante.yaml is the commented reference
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check the configuration, certificates, mail root and directories, and report everything that is wrong
    ///
    /// Reports how many people each directory has, which attributes the service needs but cannot read, whether the
    /// paths of some people lead to mail, and what clients would reject about the certificates. A note is information,
    /// and not necessarily wrong.
    ///
    /// Run as root, it reads everything as the service does: as the user given by --as, or else `user` of the configuration
    /// (after root has read keys and passwords), or else `User=` of the systemd unit that serves this configuration.
    ///
    /// Exit status: 0 if nothing is wrong, 1 if something is or a directory does not answer, 78 if the configuration is wrong.
    Check {
        /// The configuration to check
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Read everything as this user, as a service started as this user does
        #[arg(long = "as", value_name = "USER")]
        user: Option<String>,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show how a login name is resolved, step by step
    ///
    /// Takes the path of a login: the kinds of name that the policy allows, the searches (ready for ldapsearch), the entries
    /// found, the person, the path of the mail and whether it exists, and the rule that decided. The running service's caches
    /// are not used. Run as root, it reads mail as the configured user.
    ///
    /// Exit status: 0 if the name identifies one person whose mail can be opened, 1 if not.
    Resolve {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Also try a password: typed without echo, or the first line of standard input if that is not a terminal
        ///
        /// A wrong password counts in the directory's own lock-out, as it does at a login.
        #[arg(long)]
        password: bool,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// The name, as typed at a login
        #[arg(value_name = "LOGIN")]
        login: String,
    },
    /// List problems across all people and mailboxes
    ///
    /// Reads all entries below the search base page by page, looks at each Maildir, then walks through the mail root. Errors
    /// are problems that keep somebody from their mail: login names that are ambiguous under the configured policy; several
    /// people with one mailbox; no value, or several, for the path; paths and links that lead out of the mail root; Maildirs
    /// that cannot be read or written; a mailbox under another name of its person. Mailboxes without a person are warnings. A
    /// person without a mailbox yet is a note. Nothing is changed. Run as root, it reads mail as the configured user.
    ///
    /// Exit status: 0 if there are neither errors nor warnings, 1 if there are, or if a limit of the directory hid a part.
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
    /// Reads each message whose file name does not give its size (`,W=`) once, and stores the results in the file
    /// `restante-index` in each Maildir. This is useful before a move, or after mail was copied. It runs beside the service at
    /// the lowest priority, one maildrop after the other, and can be interrupted and continued. Mail is not changed. Run as
    /// root, it acts as the configured user.
    ///
    /// Exit status: 0 if everything was indexed, 1 if something was not.
    Index {
        #[command(flatten)]
        people: MaildropArgs,
    },
    /// Clear the running service's caches of people and passwords
    ///
    /// The next login asks the directory, so that a changed password, a disabled account or a moved mailbox takes effect at
    /// once. Lock-outs end as well. Look-ups in progress are not cached either. Requires admin.socket in the configuration, and the right to write to
    /// it; nothing else of the configuration is read, so keys and passwords need not be readable.
    ///
    /// Exit status: 0 if it was done; 1 if not: no service answers, the name is ambiguous, or it does not exist and nothing
    /// was cached under it; 2 if the argument is neither a name nor an address.
    Flush {
        #[command(flatten)]
        service: admin_client::AdminClient,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// One person, by any login name or the canonical name; or an IP address, for what was sent from there.
        /// Omitted: everybody
        #[arg(value_name = "PERSON | ADDRESS")]
        target: Option<String>,
    },
    /// List the sessions of the running service
    ///
    /// Shows who is connected, from where, since when, in which state and under which TLS. SESSION is the `session=` of the
    /// log. Requires admin.socket in the configuration, as flush does.
    ///
    /// Exit status: 0 if the service answered, also if nobody is connected; 1 if not.
    Who {
        #[command(flatten)]
        service: admin_client::AdminClient,
        /// Only sessions of this person, by the canonical name as the log writes it
        #[arg(long, value_name = "PERSON")]
        person: Option<String>,
        /// Write one JSON array; with --watch, one in each line
        #[arg(long)]
        json: bool,
        /// Renew the list every two seconds, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// End sessions of the running service
    ///
    /// The connections are closed at once. Messages that are only marked as deleted stay; a QUIT whose deletions have begun is
    /// finished. The person may log in again: to keep somebody out, disable the account and run flush. Requires admin.socket in
    /// the configuration, as flush does.
    ///
    /// Exit status: 0 if a session was ended; 1 if there was none, or no service answers.
    Kick {
        #[command(flatten)]
        service: admin_client::AdminClient,
        /// A session's id, or the canonical name of a person, whose sessions all end
        #[arg(value_name = "PERSON | SESSION")]
        target: String,
    },
    /// Show the state of the running service
    ///
    /// Shows whether it can serve clients, its sessions, the logins of the last hour, directory servers, certificates and
    /// caches. Requires admin.socket in the configuration, as flush does.
    ///
    /// Exit status: 0 if it is ready for clients; 1 if it is shutting down, if nobody can log in, or if no service answers.
    Status {
        #[command(flatten)]
        service: admin_client::AdminClient,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Remove mail that was left on the server for too long, and deleted mail whose time is over
    ///
    /// Does what `expire` and `mailboxes.deletion` configure, and nothing else. The end of each session does the same for the
    /// messages that it listed, so this command is for people who rarely log in. Run as root, it acts as the configured user.
    ///
    /// Exit status: 0 if everything was done, 1 if something was not: a maildrop is in use, or there is no such login name.
    Expire {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only report what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Everybody in the directory
        #[arg(long, conflicts_with = "logins", required_unless_present_any = ["logins", "confirm_clock"])]
        all: bool,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// Confirm this machine's time after the clock jumped: until then no mail expires
        #[arg(long, conflicts_with = "dry_run")]
        confirm_clock: bool,
        /// Login names of the people whose mail expires
        #[arg(value_name = "LOGIN")]
        logins: Vec<String>,
    },
    /// Restore what a person's mail program deleted
    ///
    /// Requires that `mailboxes.deletion` keeps deleted mail or moves it to a folder. Restored messages get new unique-ids,
    /// since clients ignore those that they remember. Run as root, it acts as the configured user.
    ///
    /// Exit status: 0 if every message that matches was restored, 1 if one was not, or if the login name has no
    /// maildrop.
    Undelete {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only list what can be restored
        #[arg(long)]
        list: bool,
        /// Only messages deleted within this time, such as 30m, 12h or 3d
        #[arg(long, value_name = "TIME", value_parser = config::duration)]
        since: Option<Duration>,
        /// Keep the unique-ids: clients that remember them do not download these messages again
        #[arg(long)]
        same_id: bool,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// The person, by any login name
        #[arg(value_name = "LOGIN")]
        login: String,
        /// Only the messages with these names, as shown by --list
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Preview a migration from another POP3 server
    Uidl {
        #[command(subcommand)]
        command: uidl::UidlCommands,
    },
    /// Try the whole service on this machine, with an LDAP directory, sample people and mail
    Demo {
        /// Keep configuration, certificates, LDIF and mail in this directory, to start your own configuration from
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
}

/// The options of commands that work on some or all maildrops.
#[derive(Args)]
struct MaildropArgs {
    /// The configuration of the service
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The maildrops of everybody in the directory
    #[arg(long, conflicts_with = "logins", required_unless_present = "logins")]
    all: bool,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
    /// The maildrops of these people, by any login name
    #[arg(value_name = "LOGIN")]
    logins: Vec<String>,
}

/// Runs the command line. Wrong usage ends the process with status 2.
#[must_use]
pub fn run() -> ExitStatus {
    match CommandLine::parse().command {
        Subcommands::Serve { config } => serve::serve(&config),
        Subcommands::Check { config, user, json } => check::check(&config, user.as_deref(), json),
        Subcommands::Resolve { config, password, json, login } => {
            resolve::resolve(&config, &resolve::ResolveOptions { login: &login, password, json })
        }
        Subcommands::Audit { config, json } => audit::audit(&config, json),
        Subcommands::Index { people } => index::index(&people),
        Subcommands::Flush { service, json, target } => flush::flush(&service, target.as_deref(), json),
        Subcommands::Who { service, person, json, watch } => {
            who::who(&service, &who::WhoOptions { person: person.as_deref(), json, watch })
        }
        Subcommands::Kick { service, target } => kick::kick(&service, &target),
        Subcommands::Status { service, json } => status::status(&service, json),
        Subcommands::Expire { config, dry_run, all, json, confirm_clock, logins } => {
            let selection = expire::Selection::new(all, logins);
            expire::expire(&config, &expire::ExpireOptions { selection, dry_run, json, confirm_clock })
        }
        Subcommands::Undelete { config, list, since, same_id, json, login, names } => {
            undelete::undelete(&config, &undelete::UndeleteOptions { login, names, since, list, same_id, json })
        }
        Subcommands::Uidl { command } => uidl::uidl(command),
        Subcommands::Demo { keep } => demo::demo(keep.as_deref()),
    }
}

/// Reads the configuration as the service would, and runs a command, which returns whether nothing is wrong.
fn with_configuration(file: &Path, act: impl FnOnce(Configuration) -> anyhow::Result<bool>) -> ExitStatus {
    if let Err(fault) = acting::begin(file, None) {
        report_error(&fault);
        return ExitStatus::ProblemFound;
    }
    let configuration = match load_outside_unit(file) {
        Ok(configuration) => configuration,
        Err(ended) => return ended,
    };
    match act(configuration) {
        Ok(true) => ExitStatus::Success,
        Ok(false) => ExitStatus::ProblemFound,
        Err(fault) => {
            report_error(&format!("{fault:#}"));
            ExitStatus::ProblemFound
        }
    }
}

/// Reads the configuration, and reports everything that is wrong with it.
fn load(file: &Path) -> Result<Configuration, ExitStatus> {
    config::load(file).map_err(|faults| {
        report_error(&faults);
        ExitStatus::BadConfiguration
    })
}

/// The same for commands beside the service, which do not get the credentials of its unit.
fn load_outside_unit(file: &Path) -> Result<Configuration, ExitStatus> {
    load(file).inspect_err(|_| {
        if let Some(command) = acting::with_credentials(file) {
            report_error(&format!("this command needs credentials of the systemd unit; as root, run:\n  {command}"));
        }
    })
}

/// Reports an error on standard error, since there may be no log.
#[allow(clippy::print_stderr, reason = "the command line speaks to the person in front of it")]
fn report_error(fault: &dyn std::fmt::Display) {
    eprintln!("restante: {fault}");
}

/// Becomes the user that the service runs as, if root: the access rights of that user count.
fn act_as_service(user: Option<&str>) -> anyhow::Result<()> {
    match user {
        Some(user) if is_root() => become_user(user).map_err(anyhow::Error::msg),
        _ => Ok(()),
    }
}

/// A text that is safe for a terminal: values from a directory must not control it.
fn sanitized(text: &str) -> String {
    let is_harmful = |character: char| character.is_control() && character != '\n';
    text.chars().map(|character| if is_harmful(character) { '\u{fffd}' } else { character }).collect()
}
