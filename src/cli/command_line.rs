//! Options and help texts of all commands.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::config_file::ConfigFile;
use super::{admin_client, client_settings, generate, init, uidl};
use crate::config;

/// POP3 server for the people of an LDAP directory.
#[derive(Parser)]
#[command(name = "restante", version, about, max_term_width = 100)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    pub(super) command: Subcommands,
}

#[derive(Subcommand)]
pub(super) enum Subcommands {
    /// Run the service in the foreground, until SIGTERM
    Serve {
        #[command(flatten)]
        config: ConfigFile,
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
        #[command(flatten)]
        config: ConfigFile,
        /// Read everything as this user, as a service started as this user does
        #[arg(long = "as", value_name = "USER")]
        user: Option<String>,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the effective configuration: what differs from the defaults
    ///
    /// The output is a configuration itself, with absolute paths, and loads to the same settings. It holds no secrets, since
    /// these are in files of their own.
    ///
    /// Exit status: 0 if the configuration was printed, 78 if it is wrong.
    Config {
        #[command(flatten)]
        config: ConfigFile,
        /// Print every key, also those at their defaults
        #[arg(long)]
        all: bool,
    },
    /// Show how a login name is resolved, step by step
    ///
    /// Takes the path of a login: the kinds of name that the policy allows, the searches (ready for ldapsearch), the entries
    /// found, the person, the path of the mail and whether it exists, and the rule that decided. The running service's caches
    /// are not used. Run as root, it reads mail as the configured user.
    ///
    /// Exit status: 0 if the name identifies one person whose mail can be opened, 1 if not.
    Resolve {
        #[command(flatten)]
        config: ConfigFile,
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
        #[command(flatten)]
        config: ConfigFile,
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
    /// Let the running service read its configuration again
    ///
    /// The configuration, certificates, keys, authorities, revocation lists, token keys and password files come into force
    /// for new connections and new logins; sessions in progress keep the settings that they began with. If anything is wrong,
    /// every mistake is reported and nothing changes. Keys that need a restart of the service are listed. Requires
    /// admin.socket in the configuration, as flush does; without it, send SIGHUP and read the log.
    ///
    /// Exit status: 0 if it was reloaded; 1 if not: no service answers, or a port cannot be bound; 78 if the configuration is
    /// wrong.
    Reload {
        #[command(flatten)]
        service: admin_client::AdminClient,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
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
        #[command(flatten)]
        config: ConfigFile,
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
        #[command(flatten)]
        config: ConfigFile,
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
    /// Show what a person types into their mail program
    ///
    /// Server and ports come from `hostname` and `listeners`, the server for outgoing mail from `client_settings`. The login
    /// name is the person's mail address or else their short name, if the name policy allows it and nobody else has it;
    /// otherwise it is the name given here. Run as root, it acts as the configured user.
    ///
    /// Exit status: 0 if it was shown, 1 if the name is nobody's, or if something is missing for the format.
    ClientSettings {
        #[command(flatten)]
        config: ConfigFile,
        /// The form of the output
        #[arg(long, value_enum, default_value_t = client_settings::SettingsFormat::Text)]
        format: client_settings::SettingsFormat,
        /// The person, by any login name
        #[arg(value_name = "LOGIN")]
        login: String,
    },
    /// Write manual pages, shell completions, or the schema of the configuration
    Generate {
        #[command(subcommand)]
        command: generate::GenerateCommands,
    },
    /// Look at an existing directory and its mail, and write a configuration that `check` passes
    ///
    /// Finds out who made the server, where its people are, which names they have, what the service may read, and which path
    /// leads to the Maildirs below the mail root. Asks on a terminal for what it cannot find out; without one, a missing answer
    /// is an error that names its option. A certificate authority is trusted only if this system trusts it, if --ca gives it,
    /// or if its fingerprint was confirmed. No existing file is overwritten.
    ///
    /// Exit status: 0 if the configuration was written, 1 if not, 2 if an answer is missing or wrong.
    Init {
        #[command(flatten)]
        arguments: Box<init::InitArgs>,
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
pub(super) struct MaildropArgs {
    #[command(flatten)]
    pub(super) config: ConfigFile,
    /// The maildrops of everybody in the directory
    #[arg(long, conflicts_with = "logins", required_unless_present = "logins")]
    pub(super) all: bool,
    /// Write one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// The maildrops of these people, by any login name
    #[arg(value_name = "LOGIN")]
    pub(super) logins: Vec<String>,
}
