//! Names: a type's name means one type in the whole crate, or is always written with its module.

use std::collections::BTreeMap;
use std::fs;

use super::{code, display, is_test, module, own_paths, root, rust_files};

/// Names that several modules give to a type. Other modules write them with the module: `directory::Settings`.
const SAID_BY_THE_MODULE: &[&str] = &["Settings"];

const KEYWORDS: [&str; 5] = ["struct", "enum", "trait", "union", "type"];

/// The name of the type that a line declares, if it declares one. Associated types are meant by their trait.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.trim_start().split(' ').skip_while(|word| word.starts_with("pub"));
    // `pub(in crate::maildir) struct`
    let keyword = words.find(|word| !word.ends_with(')'))?;
    if !KEYWORDS.contains(&keyword) || keyword == "type" && line.starts_with(' ') {
        return None;
    }
    let name = words.next()?;
    name.split(|character: char| !character.is_alphanumeric()).next().filter(|name| !name.is_empty())
}

#[test]
fn a_type_has_a_name_of_its_own() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        for name in text.lines().filter_map(declared) {
            places.entry(name.to_owned()).or_default().push(display(&path));
        }
    }
    assert!(places.len() > 500, "{}", places.len());
    places.retain(|name, places| places.len() > 1 && !SAID_BY_THE_MODULE.contains(&&**name));
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn a_name_that_several_modules_have_is_written_with_the_module() {
    let mut faults = Vec::new();
    for path in rust_files(&root().join("src")) {
        for (line, parts) in own_paths(&path) {
            let is_shared = parts.last().is_some_and(|name| SAID_BY_THE_MODULE.contains(&&**name));
            if is_shared && parts[0] != module(&path) {
                faults.push(format!("{}:{line}: write the module before {}", display(&path), parts.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Where an error may be a sentence, since an administrator is all who reads it: at the start, in a command, and where
/// settings, keys or certificates are parsed. Elsewhere a caller must know what to do about it.
const SENTENCES: &[&str] = &[
    "src/admin/http/listener.rs",
    "src/admin/socket.rs",
    "src/cli/",
    "src/config/",
    "src/directory/filter.rs",
    "src/directory/ldap/trust.rs",
    "src/directory/url.rs",
    "src/identity/mod.rs",
    "src/lockout/network.rs",
    "src/logging/mod.rs",
    "src/maildir/files/folder.rs",
    "src/mta/listener.rs",
    "src/mta/sasl/mod.rs",
    "src/mta/socketmap/mod.rs",
    "src/server/",
    "src/token/",
];

#[test]
fn an_error_says_what_its_caller_must_do() {
    let files = rust_files(&root().join("src")).into_iter().filter(|path| !is_test(path));
    let places = files.flat_map(|path| {
        let (place, code) = (display(&path), code(&path));
        let lines: Vec<usize> =
            (1..).zip(code.lines()).filter(|(_, line)| is_sentence(line)).map(|(line, _)| line).collect();
        lines.into_iter().map(move |line| format!("{place}:{line}"))
    });
    let places: Vec<String> = places.collect();
    assert!(places.len() > 30, "{places:?}");
    let faults: Vec<&String> =
        places.iter().filter(|place| !SENTENCES.iter().any(|may| place.starts_with(may))).collect();
    assert!(faults.is_empty(), "an enum is needed in place of a sentence: {faults:#?}");
}

fn is_sentence(line: &str) -> bool {
    line.split_once("Result<").is_some_and(|(_, result)| result.contains(", String>"))
}

#[test]
fn a_declaration_is_recognized() {
    let lines =
        ["pub struct Log(LogQueue);", "    enum Step {", "pub(in crate::maildir) type Day = u32;", "trait Calls<'a> {"];
    assert_eq!(lines.map(declared), [Some("Log"), Some("Step"), Some("Day"), Some("Calls")]);
    assert_eq!(["    type Answer = Verdict;", "// a type Answer", "let x = 1;"].map(declared), [None; 3]);
}
