//! The command line, with a file for each command.
//!
//! A command is a variant of `Subcommands` in `command_line` and a file of its name. What several commands need:
//!
//! | file | content |
//! |---|---|
//! | `command_line` | options and help texts of all commands |
//! | `config_file` | which configuration a command reads |
//! | `acting`, `unit` | the user as whom a command reads and writes, taken from the configuration or the systemd unit |
//! | `maildrops` | the maildrops that a command works on, and their owners |
//! | `admin_client` | commands to the running service |
//! | `explain` | the steps of a login as text and JSON |
//! | `layout`, `password` | text for a terminal; a password typed or piped in |

mod acting;
mod admin_client;
mod audit;
mod check;
mod client_settings;
mod command_line;
mod config_file;
mod configuration;
mod demo;
mod expire;
mod explain;
mod flush;
mod generate;
mod index;
mod init;
mod kick;
mod layout;
mod maildrops;
mod mta_sockets;
mod password;
mod reload;
mod resolve;
mod serve;
mod service_manager;
mod status;
mod uidl;
mod undelete;
mod unit;
mod who;

use std::path::Path;

use clap::Parser as _;

use self::command_line::{CommandLine, MaildropArgs, Subcommands};
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

/// Runs the command line. Wrong usage ends the process with status 2.
#[must_use]
pub fn run() -> ExitStatus {
    match CommandLine::parse().command {
        Subcommands::Serve { config } => serve::serve(&config),
        Subcommands::Check { config, user, json } => check::check(&config, user.as_deref(), json),
        Subcommands::Config { config, all } => configuration::configuration(&config, all),
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
        Subcommands::Reload { service, json } => reload::reload(&service, json),
        Subcommands::Status { service, json } => status::status(&service, json),
        Subcommands::Expire { config, dry_run, all, json, confirm_clock, logins } => {
            let selection = expire::Selection::new(all, logins);
            expire::expire(&config, &expire::ExpireOptions { selection, dry_run, json, confirm_clock })
        }
        Subcommands::Undelete { config, list, since, same_id, json, login, names } => {
            undelete::undelete(&config, &undelete::UndeleteOptions { login, names, since, list, same_id, json })
        }
        Subcommands::Uidl { command } => uidl::uidl(command),
        Subcommands::ClientSettings { config, format, login } => {
            client_settings::client_settings(&config, &login, format)
        }
        Subcommands::Generate { command } => generate::generate(&command),
        Subcommands::Init { arguments } => init::init(&arguments),
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

/// A remark on standard error beside a result on standard output, which programs may read.
#[allow(clippy::print_stderr, reason = "the command line speaks to the person in front of it")]
fn report_note(note: &str) {
    eprintln!("note: {note}");
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
