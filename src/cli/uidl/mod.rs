//! `restante uidl`: previews a migration from another POP3 server. Nothing is pinned.

mod compare;
mod old_server;
mod plan;
mod planned;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::config_file::ConfigFile;
use super::maildrops::{elsewhere, why};
use super::{ExitStatus, MaildropArgs, with_configuration};
use crate::identity::{IdentityMap, MailPlace, Trace};
use crate::maildir::MaildropPath;

#[derive(Subcommand)]
pub(super) enum UidlCommands {
    /// Show which unique-ids clients would get, how many messages the old server lists, and what is wrong
    ///
    /// Reads the lists beside the mail as if uidl.import were `read`, and pins nothing. Unlisted mail has not been seen by the
    /// old server yet, and dead records belong to messages that are gone: both are normal. Reported as wrong: a listed unique-id
    /// that cannot be used (not printable, or too long) or that several messages have, a list that cannot be read, a missing
    /// list where there is mail, and two lists of which either may be the one that POP3 clients know. Compare the samples with
    /// the old server's own UIDL. Run as root, it reads mail as the configured user.
    ///
    /// Exit status: 0 if nothing is wrong, 1 if something is.
    Plan {
        #[command(flatten)]
        people: MaildropArgs,
    },
    /// Log in to the old server, and list the differences between its UIDL and LIST and ours, with their causes
    ///
    /// Nothing is retrieved or deleted there, and nothing is pinned here. The password is typed without echo, or is the first
    /// line of standard input if that is not a terminal. Run as root, it reads mail as the configured
    /// user.
    ///
    /// Exit status: 0 if a client would see no difference, 1 if it would, or if one of the servers cannot be asked.
    Compare {
        #[command(flatten)]
        config: ConfigFile,
        /// The old server; its port is 995 with --tls implicit, else 110
        #[arg(long, value_name = "HOST[:PORT]")]
        with: String,
        /// When TLS begins there
        #[arg(long, value_enum, default_value_t = OldServerTls::Implicit)]
        tls: OldServerTls,
        /// A PEM file of the authorities that sign its certificate. Omitted: those that the system trusts
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// Accept any certificate: others can then read the password on the way
        #[arg(long, conflicts_with = "ca")]
        insecure: bool,
        /// The login name at the old server, if it differs
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// Write one JSON object
        #[arg(long)]
        json: bool,
        /// The person's login name here
        #[arg(value_name = "LOGIN")]
        login: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OldServerTls {
    /// With the first octet
    Implicit,
    /// By STLS
    Starttls,
    /// Never: others can read the password on the way
    None,
}

pub(super) fn uidl(command: UidlCommands) -> ExitStatus {
    match command {
        UidlCommands::Plan { people } => {
            with_configuration(&people.config, |configuration| plan::plan(configuration, &people.logins, people.json))
        }
        UidlCommands::Compare { config, with: host, tls, ca, insecure, name, json, login } => {
            let trust = match (insecure, ca) {
                (true, _) => old_server::Trust::Anybody,
                (false, ca) => old_server::Trust::Authorities(ca),
            };
            let wanted =
                compare::CompareOptions { host, tls, trust, name: name.unwrap_or_else(|| login.clone()), login, json };
            with_configuration(&config, |configuration| compare::compare(configuration, &wanted))
        }
    }
}

/// The person with a login name, and the path of their mail; or why there is none.
async fn person(identities: &IdentityMap, login: &str) -> Result<(String, MaildropPath), String> {
    match identities.resolve(login.as_bytes(), Trace::OFF).await {
        Ok(resolved) => match resolved.mail {
            MailPlace::Here(path) => Ok((resolved.identity.canonical_name.clone(), path)),
            MailPlace::Elsewhere(target) => Err(elsewhere(&target)),
        },
        Err(outcome) => Err(why(&outcome)),
    }
}
