//! What the log says: each event of the code has a name and a line in the guide, with its level and its fields, and the other
//! way round.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown::{self, Document};
use super::{code, display, is_test, module, root, rust_files};

/// An event, as the code writes it.
struct Event {
    place: String,
    level: String,
    /// Its stable name; empty where the call gives none.
    name: String,
    /// Up to the first part that differs from time to time; empty where the whole text does.
    text: String,
    fields: Vec<String>,
    /// Those of the fields that are written without quotation marks.
    bare: Vec<String>,
}

/// What the cause of an event was called before it had one name, `reason`.
const ABANDONED: [&str; 5] = ["cause", "ended", "error", "fault", "why"];

/// The fields that are written without quotation marks, beside numbers.
const BARE: [&str; 4] = ["limit", "mechanism", "network", "peer"];

const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

#[test]
fn every_event_is_in_the_guide() {
    let guide = Document::read(&root().join("config/guide/log.md"));
    let rows = guide.rows();
    let events = events();
    assert!(events.len() > 80, "{}", events.len());
    let mut faults = Vec::new();
    for Event { place, level, name, text, fields, .. } in &events {
        let is_its = |cells: &[(String, String)]| {
            let of = |heading: &str| cells.iter().find(|(of, _)| of == heading).map_or("", |(_, cell)| cell);
            let has = markdown::spans(of("Fields"));
            let has_all = fields.iter().all(|field| has.contains(field));
            let has_text = text.is_empty() || markdown::spans(of("Text")).contains(text);
            markdown::spans(of("Name")).contains(name) && has_text && of("Level") == level && has_all
        };
        if !rows.iter().any(|row| is_its(&row.cells)) {
            let fields = fields.join("` `");
            faults.push(format!("{place}: config/guide/log.md has no | `{name}` | `{text}` | {level} | `{fields}` |"));
        }
    }
    let sources: String = sources().map(|(_, text)| text).collect();
    let texts = guide.column("Text").into_iter().filter(|(_, text)| !sources.contains(text.as_str()));
    let names = guide.column("Name").into_iter().filter(|(_, name)| events.iter().all(|event| event.name != *name));
    let stale = texts.chain(names).map(|(line, what)| format!("{}:{line}: nothing logs `{what}`", guide.name));
    faults.extend(stale);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Filters find events by their names. Calls with one text log one event.
#[test]
fn every_event_has_a_name_of_its_own() {
    let (mut faults, mut text_of) = (Vec::new(), BTreeMap::new());
    for Event { place, name, text, .. } in all_events() {
        let is_name = |part: &str| !part.is_empty() && part.chars().all(|character| character.is_ascii_lowercase());
        if !name.split('_').all(is_name) {
            faults.push(format!("{place}: `{text}` is not logged with a `name: \"some_words\"`: {name:?}"));
            continue;
        }
        // A text that differs from time to time belongs to one file and one name.
        let text = if text.is_empty() { format!("{place}, {name}") } else { text };
        let other = text_of.insert(name.clone(), text.clone()).filter(|other| *other != text);
        faults.extend(other.map(|other| format!("{place}: `{name}` is the name of `{other}` and of `{text}`")));
    }
    let mut name_of = BTreeMap::new();
    for (name, text) in text_of {
        let other = name_of.insert(text.clone(), name.clone());
        faults.extend(other.map(|other| format!("`{text}` is logged by the names `{other}` and `{name}`")));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_field_has_one_name_and_one_form() {
    let mut faults = Vec::new();
    for Event { place, text, fields, bare, .. } in events() {
        let abandoned = fields.iter().filter(|field| ABANDONED.contains(&&***field));
        faults.extend(abandoned.map(|field| format!("{place}: `{field}` of `{text}` is called `reason`")));
        let mixed = fields.iter().filter(|field| BARE.contains(&&***field) != bare.contains(field));
        faults.extend(mixed.map(|field| format!("{place}: `{field}` of `{text}` is quoted elsewhere, or not")));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Columns of the guide with texts from the log.
const QUOTED: [&str; 2] = ["Log", "Beginning"];

/// Columns of the guide with keys of JSON objects.
const KEYS: [&str; 2] = ["Keys", "Further keys"];

#[test]
fn what_the_guide_quotes_is_in_the_code() {
    // A literal may go over several lines.
    let unbroken = |text: &str| text.split("\\\n").map(str::trim_start).collect::<String>();
    let code: String = sources().map(|(_, text)| unbroken(&text)).collect();
    let (mut faults, mut found) = (Vec::new(), 0);
    for document in markdown::documents() {
        let texts = QUOTED.iter().flat_map(|heading| document.column(heading));
        let texts = texts.map(|(line, text)| (line, text.trim_end_matches(['…', ' ']).to_owned()));
        let keys = KEYS.iter().flat_map(|heading| document.column(heading));
        let keys = keys.filter(|(_, key)| !key.starts_with("--")).map(|(line, key)| (line, format!("\"{key}\"")));
        for (line, text) in texts.chain(keys) {
            found += 1;
            let is_missing = !code.contains(&text);
            faults.extend(is_missing.then(|| format!("{}:{line}: {text} is not in the code", document.name)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(found > 120, "{found}");
}

/// The code of the service: the demonstration's own directory is no part of it.
fn sources() -> impl Iterator<Item = (String, String)> {
    let files = rust_files(&root().join("src")).into_iter().filter(|path| !is_test(path) && module(path) != "demo");
    files.map(|path| (display(&path), code(&path)))
}

/// The events of the service.
fn events() -> Vec<Event> {
    all_events().into_iter().filter(|event| !event.place.starts_with("src/demo/")).collect()
}

/// The events of the whole crate.
fn all_events() -> Vec<Event> {
    let mut events = Vec::new();
    for path in rust_files(&root().join("src")).into_iter().filter(|path| !is_test(path)) {
        let (place, text) = (display(&path), code(&path));
        for level in LEVELS {
            let begin = format!("tracing::{level}!(");
            events.extend(text.split(&begin).skip(1).map(|call| event(&place, level, call)));
        }
    }
    events
}

/// `call`: what stands behind the opening parenthesis of the macro, to the end of the file.
fn event(place: &str, level: &str, call: &str) -> Event {
    let mut parts = arguments(call);
    let text = parts.pop().unwrap_or_default();
    let text = text.trim().trim_matches('"').split(['{', '`']).next().unwrap().trim().to_owned();
    let (mut name, mut fields, mut bare) = (String::new(), Vec::new(), Vec::new());
    for part in parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        if let Some(literal) = part.strip_prefix("name: ") {
            literal.trim_matches('"').clone_into(&mut name);
            continue;
        }
        let (field, value) = part.split_once('=').map_or((part, part), |(field, value)| (field.trim(), value.trim()));
        let field = field.trim_start_matches(['%', '?']).to_owned();
        let is_bare = value.starts_with(['%', '?']) || value.ends_with(".map(tracing::field::display)");
        bare.extend(is_bare.then(|| field.clone()));
        fields.push(field);
    }
    Event { place: place.to_owned(), level: level.to_owned(), name, text, fields, bare }
}

/// The arguments of a call, cut at the commas between them.
fn arguments(call: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth, mut quoted) = (Vec::new(), String::new(), 0, false);
    for character in call.chars() {
        match character {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => break,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(character);
    }
    parts.extend(Some(part).filter(|part| !part.trim().is_empty()));
    parts
}

#[test]
fn an_event_is_read_as_it_is_written() {
    let call =
        "name: \"not_done\", person = &*name(a, b), %peer, limit = ?most, count, \"not done: {reason}\"); more(\"x\")";
    let event = event("here", "warn", call);
    assert_eq!((&*event.name, &*event.text), ("not_done", "not done:"));
    assert_eq!(event.fields, ["person", "peer", "limit", "count"]);
    assert_eq!(event.bare, ["peer", "limit"]);
    let levels: BTreeSet<String> = events().into_iter().map(|event| event.level).collect();
    assert_eq!(levels.len(), LEVELS.len());
}
