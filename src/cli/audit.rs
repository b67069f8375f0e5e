//! `restante audit`: goes through directory and mail root, and tells what would make a login go wrong.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{Ended, act_as_service, harmless, with_configuration};
use crate::audit::{self, Finding, Namesakes, Person, Progress, Report, Stage};
use crate::config::Configuration;
use crate::directory::Directory;
use crate::maildir::Store;

pub(super) fn audit(file: &Path, json: bool) -> Ended {
    with_configuration(file, |configuration| {
        let report = go_through(configuration)?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        let told = if json { machine(&report, &mut out) } else { tell(&report, &mut out) };
        told.map_err(|fault| anyhow!("the report cannot be written: {fault}"))?;
        Ok(report.is_clean())
    })
}

fn go_through(configuration: Configuration) -> anyhow::Result<Report> {
    act_as_service(configuration.server.user.as_deref())?;
    let store = Store::new(configuration.maildir)?;
    let directories: Vec<Directory> = configuration.directories.into_iter().map(Directory::new).collect();
    // The disk is asked on this thread; the directory's answers come in on the other.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let bar = Bar(ProgressBar::new_spinner());
    let report = runtime.block_on(audit::audit(&directories, &configuration.identity, &store, &bar));
    bar.0.finish_and_clear();
    Ok(report?)
}

/// On standard error, where that is a terminal; nothing elsewhere.
struct Bar(ProgressBar);

impl Progress for Bar {
    fn begin(&self, stage: Stage) {
        let (template, total) = match stage {
            Stage::People => ("{spinner} people {pos} ({per_sec})", None),
            Stage::Names(names) => ("{bar:40} names {pos} of {len}", Some(names)),
            Stage::Mailboxes => ("{spinner} mailboxes {pos}", None),
        };
        self.0.reset();
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        match total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
        self.0.enable_steady_tick(Duration::from_millis(100));
    }

    fn step(&self) {
        self.0.inc(1);
    }
}

/// People told by name in one line of the table.
const TOLD: usize = 3;

/// Names told that would be ambiguous under another preset.
const NAMES_TOLD: usize = 20;

/// Rows of the table: nobody reads more, and `--json` tells them all.
const ROWS: usize = 1_000;

fn tell(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let Report { people, names, mailboxes, wrong, .. } = report;
    writeln!(out, "{people} people with {names} names, {mailboxes} mailboxes")?;
    if !wrong.is_empty() {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["found", "what", "whose"]);
        for finding in wrong.iter().take(ROWS) {
            table.add_row([finding.words().to_owned(), harmless(&finding.about()), harmless(&whose(finding))]);
        }
        writeln!(out, "{table}")?;
    }
    if wrong.len() > ROWS {
        writeln!(out, "and {} more; --json tells all of them", wrong.len() - ROWS)?;
    }
    let would_be_under = |is_under: fn(&&Namesakes) -> bool| report.would_be.iter().filter(is_under);
    write!(out, "{}", harmless(&would_be("fewer", would_be_under(|one| one.fewer))))?;
    write!(out, "{}", harmless(&would_be("more", would_be_under(|one| one.more))))?;
    for sentence in &report.cut_short {
        writeln!(out, "CUT SHORT: {}", harmless(sentence))?;
    }
    if report.is_clean() {
        writeln!(out, "nothing is wrong")?;
    }
    out.flush()
}

/// A line about a preset that is not configured; none if it would change nothing.
fn would_be<'a>(preset: &str, names: impl Iterator<Item = &'a Namesakes>) -> String {
    let names: Vec<&Namesakes> = names.collect();
    let told = names.iter().take(NAMES_TOLD).map(|one| format!("{} ({} people)", one.name, one.count));
    let told: Vec<String> = told.collect();
    let more = if names.len() > NAMES_TOLD { ", …" } else { "" };
    match names.len() {
        0 => String::new(),
        count => format!("With `names: {preset}`, {count} more would be ambiguous: {}{more}\n", told.join(", ")),
    }
}

fn whose(finding: &Finding) -> String {
    let people = finding.people();
    let all = match finding {
        Finding::Ambiguous(namesakes) => namesakes.count,
        _ => people.len(),
    };
    let mut lines: Vec<String> = people.iter().take(TOLD).map(Person::to_string).collect();
    if all > lines.len() {
        lines.push(format!("and {} more", all - lines.len()));
    }
    lines.join("\n")
}

/// One JSON object, a finding on each line: written piece by piece, since there may be very many.
fn machine(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let whole = json!({
        "clean": report.is_clean(),
        "complete": report.cut_short.is_empty(),
        "cut_short": report.cut_short,
        "people": report.people,
        "names": report.names,
        "mailboxes": report.mailboxes,
    });
    let head = whole.to_string();
    write!(out, "{}", head.strip_suffix('}').unwrap_or(&head))?;
    list(out, "findings", report.wrong.iter().map(of_finding))?;
    list(out, "would_be_ambiguous", report.would_be.iter().map(of_namesakes))?;
    writeln!(out, "}}")?;
    out.flush()
}

fn list(out: &mut impl Write, key: &str, values: impl Iterator<Item = Value>) -> std::io::Result<()> {
    write!(out, ",\n\"{key}\":[")?;
    for (number, value) in values.enumerate() {
        write!(out, "{}\n{value}", if number == 0 { "" } else { "," })?;
    }
    write!(out, "]")
}

fn of_finding(finding: &Finding) -> Value {
    match finding {
        Finding::Ambiguous(namesakes) => of_namesakes(namesakes),
        other => json!({ "kind": other.kind(), "about": other.about(), "people": of_people(other.people()) }),
    }
}

fn of_namesakes(namesakes: &Namesakes) -> Value {
    json!({
        "kind": "ambiguous_name",
        "about": namesakes.name,
        "count": namesakes.count,
        "people": of_people(&namesakes.people),
        "configured": namesakes.configured,
        "fewer": namesakes.fewer,
        "more": namesakes.more,
    })
}

fn of_people(people: &[Person]) -> Vec<Value> {
    people.iter().map(|person| json!({ "canonical_name": person.canonical_name, "dn": person.dn })).collect()
}
