//! `restante uidl`: what a move from another POP3 server comes to, seen before it takes place. Nothing is pinned.

mod compare;
mod old_server;
mod plan;
mod planned;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::maildrops::why;
use super::{ExitStatus, with_configuration};
use crate::identity::{IdentityMap, Steps};
use crate::maildir::MaildropPath;

#[derive(Subcommand)]
pub(super) enum UidlCommands {
    /// Tell what would become of the unique-ids: how many messages are listed by the old server, and what is wrong
    ///
    /// Reads the lists beside the mail as if uidl.import were `read`, and pins nothing. Unlisted is mail that the old server
    /// has not seen yet; dead are records whose message is gone: both are normal. Wrong is a listed unique-id that cannot be
    /// told (not printable, or too long), one that several messages have, a list that cannot be read, none at all where
    /// there is mail, or two of which nobody can say which one POP3 clients knew. The samples are there to be compared with
    /// the old server's own UIDL. Started as root, it looks at the mail as the user of the configuration.
    ///
    /// Exit status 0: nothing is wrong. 1: something is.
    Plan {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Everybody whom the directory knows
        #[arg(long, conflicts_with = "logins", required_unless_present = "logins")]
        all: bool,
        /// Tell it as one JSON object
        #[arg(long)]
        json: bool,
        /// Login names
        #[arg(value_name = "LOGIN")]
        logins: Vec<String>,
    },
    /// Log in to the old server, and tell each difference between its UIDL and LIST and ours, with its cause
    ///
    /// Nothing is retrieved or deleted there, and nothing is pinned here. The password is typed without echo, or the first
    /// line of standard input where that is no terminal. Started as root, it looks at the mail as the user of the
    /// configuration.
    ///
    /// Exit status 0: a client would see no difference. 1: it would, or one of the two cannot be asked.
    Compare {
        /// The configuration of the service
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The old server; its port is 995 with --tls implicit, else 110
        #[arg(long, value_name = "HOST[:PORT]")]
        with: String,
        /// When TLS begins there
        #[arg(long, value_enum, default_value_t = OldServerTls::Implicit)]
        tls: OldServerTls,
        /// A PEM file of the authorities that sign its certificate. Nothing: those that the system trusts
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// Take any certificate: whoever is on the way can read the password
        #[arg(long, conflicts_with = "ca")]
        insecure: bool,
        /// The name to log in with at the old server, if it is another one there
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// Tell it as one JSON object
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
    /// Never: the password can be read on the way
    None,
}

pub(super) fn uidl(what: UidlCommands) -> ExitStatus {
    match what {
        UidlCommands::Plan { config, all: _, json, logins } => {
            with_configuration(&config, |configuration| plan::plan(configuration, &logins, json))
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

/// Who a login name is, and where their mail lies; or why there is nobody.
async fn person(identities: &IdentityMap, login: &str) -> Result<(String, MaildropPath), String> {
    match identities.resolve(login.as_bytes(), Steps::IGNORED).await {
        Ok(resolved) => Ok((resolved.identity.canonical_name.clone(), resolved.maildrop)),
        Err(outcome) => Err(why(&outcome)),
    }
}
