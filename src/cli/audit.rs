//! `restante audit`: goes through directory and mail root, and tells what would make a login go wrong.

use std::path::Path;
use std::time::Duration;

use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{Ended, act_as_service, complain};
use crate::audit::{self, Finding, Namesakes, Person, Progress, Report, Stage};
use crate::config::{self, Configuration};
use crate::directory::Directory;
use crate::maildir::Store;

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn audit(file: &Path, json: bool) -> Ended {
    let configuration = match config::load(file) {
        Ok(configuration) => configuration,
        Err(faults) => {
            complain(&faults);
            return Ended::BadConfiguration;
        }
    };
    match go_through(configuration) {
        Ok(report) => {
            print!("{}", if json { machine(&report) } else { text(&report) });
            if report.is_clean() { Ended::Fine } else { Ended::FoundWrong }
        }
        Err(fault) => {
            complain(&format!("{fault:#}"));
            Ended::FoundWrong
        }
    }
}

fn go_through(configuration: Configuration) -> anyhow::Result<Report> {
    act_as_service(&configuration)?;
    let store = Store::new(configuration.maildir)?;
    let directories = [Directory::new(configuration.directory)];
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

fn text(report: &Report) -> String {
    let Report { people, names, mailboxes, .. } = report;
    let mut text = format!("{people} people with {names} names, {mailboxes} mailboxes\n");
    if !report.wrong.is_empty() {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["found", "what", "whose"]);
        for finding in &report.wrong {
            table.add_row([finding.words().to_owned(), finding.about(), whose(finding)]);
        }
        text.push_str(&format!("{table}\n"));
    }
    for (preset, is_under) in [("fewer", is_under_fewer as fn(&Namesakes) -> bool), ("more", is_under_more)] {
        text.push_str(&would_be(preset, report.would_be.iter().filter(|namesakes| is_under(namesakes))));
    }
    for sentence in &report.cut_short {
        text.push_str(&format!("CUT SHORT: {sentence}\n"));
    }
    text.push_str(if report.is_clean() { "nothing is wrong\n" } else { "" });
    text
}

fn is_under_fewer(namesakes: &Namesakes) -> bool {
    namesakes.fewer
}

fn is_under_more(namesakes: &Namesakes) -> bool {
    namesakes.more
}

/// Two lines about a preset that is not configured.
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

fn machine(report: &Report) -> String {
    let whole = json!({
        "clean": report.is_clean(),
        "complete": report.cut_short.is_empty(),
        "cut_short": report.cut_short,
        "people": report.people,
        "names": report.names,
        "mailboxes": report.mailboxes,
        "findings": report.wrong.iter().map(of_finding).collect::<Vec<_>>(),
        "would_be_ambiguous": report.would_be.iter().map(of_namesakes).collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}

fn of_finding(finding: &Finding) -> Value {
    let mut value = match finding {
        Finding::Ambiguous(namesakes) => of_namesakes(namesakes),
        other => json!({ "about": other.about(), "people": of_people(other.people()) }),
    };
    value["kind"] = json!(finding.kind());
    value
}

fn of_namesakes(namesakes: &Namesakes) -> Value {
    json!({
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
