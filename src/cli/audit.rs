//! `restante audit`: lists problems across all people and mailboxes.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::layout::{self, counted, wrapped};
use super::maildrops::serves_here;
use super::{ExitStatus, act_as_service, sanitized, with_configuration};
use crate::audit::{self, AmbiguousName, AuditFinding, AuditProgress, AuditReport, Person, Severity, Stage};
use crate::config::Configuration;
use crate::directory::Directory;
use crate::maildir::Store;

pub(super) fn audit(file: &Path, json: bool) -> ExitStatus {
    with_configuration(file, |configuration| {
        let report = run_audit(configuration)?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        let written = if json { write_json(&report, &mut out) } else { write_text(&report, &mut out) };
        written.map_err(|fault| anyhow!("the report cannot be written: {fault}"))?;
        Ok(report.is_clean())
    })
}

fn run_audit(configuration: Configuration) -> anyhow::Result<AuditReport> {
    act_as_service(configuration.server.user.as_deref())?;
    let store = serves_here(&configuration.identity).then(|| Store::new(configuration.maildir)).transpose()?;
    let directories: Vec<Directory> = configuration.directories.into_iter().map(Directory::new).collect();
    // This thread reads the disk; the other one receives the directory's answers.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let bar = TerminalProgress(ProgressBar::new_spinner());
    let report = runtime.block_on(audit::audit(&directories, &configuration.identity, store.as_ref(), &bar));
    bar.0.finish_and_clear();
    Ok(report?)
}

/// A progress bar on standard error, if that is a terminal.
struct TerminalProgress(ProgressBar);

impl AuditProgress for TerminalProgress {
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

/// The most people named under one finding.
const NAMED: usize = 3;

/// The most names listed that would be ambiguous under another preset.
const NAMES: usize = 20;

/// The most findings of one kind that are listed; `--json` lists all.
const LISTED: usize = 20;

fn write_text(report: &AuditReport, out: &mut impl Write) -> std::io::Result<()> {
    let AuditReport { people, names, mailboxes, found, .. } = report;
    writeln!(out, "{people} people with {names} names, {mailboxes} mailboxes")?;
    for (host, people) in &report.hosts {
        writeln!(out, "{people} at {host}")?;
    }
    for of_kind in by_kind(found) {
        write!(out, "{}", kind_text(&of_kind))?;
    }
    let would_be_under = |is_under: fn(&&AmbiguousName) -> bool| report.would_be.iter().filter(is_under);
    for preset in [would_be("fewer", would_be_under(|one| one.fewer)), would_be("more", would_be_under(|one| one.more))]
    {
        write!(out, "{}", if preset.is_empty() { preset } else { format!("\n{}", wrapped(&sanitized(&preset), 0)) })?;
    }
    write!(out, "{}", conclusion(report))?;
    out.flush()
}

/// The findings of each kind, the most severe kinds first.
fn by_kind(found: &[AuditFinding]) -> Vec<Vec<&AuditFinding>> {
    let mut kinds: Vec<Vec<&AuditFinding>> = Vec::new();
    for finding in found {
        match kinds.iter_mut().find(|kind| kind.first().is_some_and(|first| first.kind() == finding.kind())) {
            Some(kind) => kind.push(finding),
            None => kinds.push(vec![finding]),
        }
    }
    kinds
}

fn kind_text(findings: &[&AuditFinding]) -> String {
    let Some(first) = findings.first() else { return String::new() };
    let severity = first.severity().word().to_uppercase();
    let mut text = format!("\n{severity}: {} ({})\n", first.title(), findings.len());
    for finding in findings.iter().take(LISTED) {
        text.push_str(&wrapped(&sanitized(&finding.about()), 2));
        text.push_str(&wrapped_people(finding));
    }
    if findings.len() > LISTED {
        let _ = writeln!(text, "  and {} more; --json lists all of them", findings.len() - LISTED);
    }
    text
}

fn wrapped_people(finding: &AuditFinding) -> String {
    let people = finding.people();
    let all = match finding {
        AuditFinding::Ambiguous(namesakes) => namesakes.count,
        _ => people.len(),
    };
    let mut lines: String =
        people.iter().take(NAMED).map(|person| wrapped(&sanitized(&person.to_string()), 6)).collect();
    if all > people.len().min(NAMED) {
        let _ = writeln!(lines, "      and {} more", all - people.len().min(NAMED));
    }
    lines
}

/// The conclusion, at the end, where a terminal shows it.
fn conclusion(report: &AuditReport) -> String {
    let mut text = String::new();
    let lines = report.cut_short.iter().map(|sentence| format!("INCOMPLETE: {sentence}"));
    for line in lines.chain(report.doubt.clone()) {
        text.push_str(&wrapped(&sanitized(&line), 0));
    }
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| report.count(severity));
    let [errors, warnings, notes] = counts;
    let counted = [counted(errors, "error"), counted(warnings, "warning"), counted(notes, "note")].join(", ");
    let result = match (report.is_clean(), errors + warnings, notes) {
        (true, _, 0) => "nothing is wrong".to_owned(),
        (true, ..) => format!("nothing is wrong ({})", layout::counted(notes, "note")),
        (false, 0, _) => format!("not everything was checked ({counted})"),
        (false, ..) => counted,
    };
    let blank = if report.found.is_empty() && text.is_empty() { "" } else { "\n" };
    format!("{blank}{text}{result}\n")
}

/// A line about a preset that is not configured; empty if it would change nothing.
fn would_be<'a>(preset: &str, names: impl Iterator<Item = &'a AmbiguousName>) -> String {
    let names: Vec<&AmbiguousName> = names.collect();
    let listed = names.iter().take(NAMES).map(|one| format!("{} ({} people)", one.name, one.count));
    let listed: Vec<String> = listed.collect();
    let more = if names.len() > NAMES { ", …" } else { "" };
    match names.len() {
        0 => String::new(),
        count => format!("With `names: {preset}`, {count} more would be ambiguous: {}{more}", listed.join(", ")),
    }
}

/// One JSON object, a finding on each line: written piece by piece, since there may be very many.
fn write_json(report: &AuditReport, out: &mut impl Write) -> std::io::Result<()> {
    let whole = json!({
        "clean": report.is_clean(),
        "complete": report.cut_short.is_empty(),
        "cut_short": report.cut_short,
        "people": report.people,
        "names": report.names,
        "mailboxes": report.mailboxes,
        "hosts": report.hosts,
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "notes": report.count(Severity::Note),
        "doubt": report.doubt,
    });
    let head = whole.to_string();
    write!(out, "{}", head.strip_suffix('}').unwrap_or(&head))?;
    list(out, "findings", report.found.iter().map(of_finding))?;
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

fn of_finding(finding: &AuditFinding) -> Value {
    match finding {
        AuditFinding::Ambiguous(namesakes) => of_namesakes(namesakes),
        AuditFinding::Misplaced(person, expected, found) => json!({
            "kind": finding.kind(), "severity": finding.severity().word(), "about": finding.about(),
            "people": of_people(std::slice::from_ref(person)), "expected": expected, "found": found.display().to_string(),
        }),
        other => json!({
            "kind": other.kind(), "severity": other.severity().word(), "about": other.about(),
            "people": of_people(other.people()),
        }),
    }
}

fn of_namesakes(namesakes: &AmbiguousName) -> Value {
    json!({
        "kind": "ambiguous_name",
        "severity": if namesakes.configured { Severity::Error } else { Severity::Note }.word(),
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
