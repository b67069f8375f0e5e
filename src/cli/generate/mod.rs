//! `restante generate`: files that are made of the program itself, for packages and editors.

mod configuration_manual;
mod roff;
mod schema;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::{CommandFactory as _, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{CommandLine, ExitStatus, report_error};
use crate::date::Date;

/// What can be generated.
#[derive(Subcommand)]
pub(super) enum GenerateCommands {
    /// Write the JSON Schema of the configuration to standard output
    ///
    /// It is of draft-07, which editors with the YAML language server use for completion, descriptions and mistakes.
    Schema,
    /// Write the manual pages of all commands, and restante.yaml(5), into a directory
    ///
    /// Their date is today, or that of the environment variable `SOURCE_DATE_EPOCH`, for reproducible builds.
    Manual {
        /// A directory that exists; pages of the same names are replaced
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Write completions for a shell to standard output
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

pub(super) fn generate(command: &GenerateCommands) -> ExitStatus {
    let done = match command {
        GenerateCommands::Schema => print(schema::schema().as_bytes()),
        GenerateCommands::Manual { directory } => manual(directory),
        GenerateCommands::Completions { shell } => print(&completions(*shell)),
    };
    match done {
        Ok(()) => ExitStatus::Success,
        Err(fault) => {
            report_error(&format!("{fault:#}"));
            ExitStatus::ProblemFound
        }
    }
}

fn print(octets: &[u8]) -> anyhow::Result<()> {
    io::stdout().write_all(octets).context("standard output cannot be written")
}

fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "restante", &mut script);
    script
}

fn manual(directory: &Path) -> anyhow::Result<()> {
    let date = date()?;
    let mut root = CommandLine::command().disable_help_subcommand(true);
    root.build();
    of_command(&root, &date, directory)?;
    write(&directory.join("restante.yaml.5"), configuration_manual::page(&date).as_bytes())
}

/// The page of a command, and those of its own commands.
fn of_command(command: &clap::Command, date: &str, directory: &Path) -> anyhow::Result<()> {
    let page = Man::new(command.clone()).date(date).manual("Restante");
    let mut text = Vec::new();
    page.render(&mut text)?;
    // mandoc complains about a line break beside an empty line.
    let text = String::from_utf8(text)?.replace(".br\n\n.br\n", ".sp\n");
    write(&directory.join(page.get_filename()), text.as_bytes())?;
    let mut shown = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    shown.try_for_each(|inner| of_command(inner, date, directory))
}

fn write(file: &Path, octets: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, octets).with_context(|| format!("{} cannot be written", file.display()))
}

/// The date of the pages, as in 2026-11-30.
fn date() -> anyhow::Result<String> {
    let moment = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => UNIX_EPOCH
            .checked_add(Duration::from_secs(seconds.parse().context("SOURCE_DATE_EPOCH must be a number of seconds")?))
            .context("SOURCE_DATE_EPOCH is too large")?,
        Err(_) => SystemTime::now(),
    };
    let (year, month, day) = Date::of(moment).day();
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}
