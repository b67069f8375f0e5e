//! The preview of a migration as text and as JSON.

use std::io::Write;

use serde_json::{Value, json};

use crate::cli::layout::wrapped;
use crate::cli::sanitized;
use crate::maildir::{Planned, PlannedMessage};

/// One person's maildrop, and the preview of its migration.
pub(super) struct PlannedMaildrop {
    pub(super) person: String,
    pub(super) path: String,
    /// Or why there is no preview.
    pub(super) planned: Result<Planned, String>,
}

/// The most maildrops listed, and sentences below them; `--json` lists all.
const ROWS: usize = 1_000;

/// The most names listed in one sentence.
const NAMES: usize = 5;

impl PlannedMaildrop {
    pub(super) fn is_wrong(&self) -> bool {
        self.planned.as_ref().map_or(true, Planned::is_wrong)
    }

    /// What is wrong, a sentence for each.
    fn faults(&self) -> Vec<String> {
        let planned = match &self.planned {
            Ok(planned) => planned,
            Err(why) => return vec![why.clone()],
        };
        let mut faults = planned.faults.clone();
        if planned.without_list {
            faults.push("no list was found: clients would download again everything that is not pinned".to_owned());
        }
        if planned.both {
            let what =
                "both Dovecot's and Courier's lists were found: keep the one in uidl.precedence that POP3 clients know";
            faults.push(what.to_owned());
        }
        faults.extend(named("the listed unique-id cannot be used", &planned.invalid));
        faults.extend(named("the listed unique-id belongs to another message, too", &planned.duplicate));
        faults
    }
}

fn named(what: &str, names: &[String]) -> Option<String> {
    let listed = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > NAMES { format!(" and {} more", names.len() - NAMES) } else { String::new() };
    (!names.is_empty()).then(|| format!("{what}: {listed}{more}"))
}

pub(super) fn write_text(maildrops: &[PlannedMaildrop], out: &mut impl Write) -> std::io::Result<()> {
    // Those with something wrong first.
    let (wrong, fine): (Vec<&PlannedMaildrop>, Vec<&PlannedMaildrop>) =
        maildrops.iter().partition(|one| one.is_wrong());
    for one in wrong.iter().chain(&fine).take(ROWS) {
        write!(out, "{}", wrapped(&sanitized(&summary(one)), 0))?;
    }
    if maildrops.len() > ROWS {
        writeln!(out, "and {} more; --json lists all of them", maildrops.len() - ROWS)?;
    }
    let samples = fine.iter().chain(&wrong).filter_map(|one| Some((one, one.planned.as_ref().ok()?.samples().next()?)));
    for (one, PlannedMessage { base, unique_id, .. }) in samples.take(3) {
        let line = format!("sample  {}: {base} would get {unique_id}", one.person);
        write!(out, "{}", wrapped(&sanitized(&line), 0))?;
    }
    for (one, fault) in wrong.iter().flat_map(|one| one.faults().into_iter().map(move |fault| (one, fault))).take(ROWS)
    {
        write!(out, "{}", wrapped(&sanitized(&format!("WRONG   {}: {fault}", one.person)), 0))?;
    }
    if wrong.is_empty() {
        writeln!(out, "nothing is wrong")?;
    } else {
        writeln!(out, "something is wrong in {} of {} maildrops", wrong.len(), maildrops.len())?;
    }
    Ok(())
}

/// One person's messages, with the counts that are not zero.
fn summary(one: &PlannedMaildrop) -> String {
    let Ok(planned) = &one.planned else { return format!("{}: no preview possible", one.person) };
    let counts = [
        ("pinned", planned.pinned),
        ("listed", planned.listed),
        ("unlisted", planned.unlisted),
        ("waiting", planned.waiting),
        ("invalid", planned.invalid.len()),
        ("duplicate", planned.duplicate.len()),
        ("over 70", planned.over_long),
        ("dead", planned.dead),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!(", {what} {count}"));
    let lists = if planned.lists.is_empty() { String::new() } else { format!(" ({})", planned.lists.join(", ")) };
    format!("{}: messages {}{}{lists}", one.person, planned.messages, counts.collect::<String>())
}

/// One JSON object, a maildrop on each line: written piece by piece, since there may be very many.
pub(super) fn write_json(maildrops: &[PlannedMaildrop], out: &mut impl Write) -> std::io::Result<()> {
    let clean = !maildrops.iter().any(PlannedMaildrop::is_wrong);
    write!(out, "{{\"clean\":{clean},\n\"maildrops\":[")?;
    for (number, one) in maildrops.iter().enumerate() {
        write!(out, "{}\n{}", if number == 0 { "" } else { "," }, of_maildrop(one))?;
    }
    writeln!(out, "]}}")
}

fn of_maildrop(one: &PlannedMaildrop) -> Value {
    let mut value = json!({
        "person": one.person, "path": one.path, "clean": !one.is_wrong(), "faults": one.faults(),
    });
    if let (Ok(planned), Some(object)) = (&one.planned, value.as_object_mut()) {
        let samples: Vec<Value> = planned
            .samples()
            .map(|message| json!({ "base_name": message.base, "unique_id": message.unique_id }))
            .collect();
        let further = json!({
            "messages": planned.messages,
            "pinned": planned.pinned,
            "listed": planned.listed,
            "unlisted": planned.unlisted,
            "waiting": planned.waiting,
            "invalid": planned.invalid,
            "duplicate": planned.duplicate,
            "over_long": planned.over_long,
            "dead": planned.dead,
            "lists": planned.lists,
            "both_lists": planned.both,
            "samples": samples,
        });
        object.extend(further.as_object().cloned().unwrap_or_default());
    }
    value
}
