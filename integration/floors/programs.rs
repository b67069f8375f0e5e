//! The test programs and benchmarks: what texts name of them exists, and whoever runs one area by its name runs nothing
//! else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::documents::shell_words;
use super::{markdown, root};

#[test]
fn tests_and_benchmarks_exist() {
    let programs = Programs::declared();
    assert!(programs.0.len() > 9, "{:?}", programs.0.keys());
    let mut faults: Vec<String> =
        programs.0.iter().flat_map(|(name, modules)| faults_of_areas(name, modules)).collect();
    let mut found = 0;
    for document in markdown::documents() {
        let in_tables = document.column("Test").into_iter();
        let in_commands = document.code().into_iter().filter_map(|(line, code)| Some((line, run_by(&code)?)));
        for (line, reference) in in_tables.chain(in_commands) {
            found += 1;
            let fault = programs.fault(&reference);
            faults.extend(fault.map(|fault| format!("{}:{line}: {reference}: {fault}", document.name)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(found > 50, "{found}");
}

/// What a command line runs: `service tls::injection::` of `cargo test --test service tls::injection::`.
fn run_by(code: &str) -> Option<String> {
    let words = shell_words(code);
    let at = words.iter().position(|word| word == "--test" || word == "--bench")?;
    let filter = words.get(at + 2).filter(|word| !word.starts_with('-'));
    Some([words.get(at + 1), filter].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "))
}

/// Each test program and benchmark of `Cargo.toml` by its name.
struct Programs(BTreeMap<String, Modules>);

/// The text of each module by its path; that of the program's root file by the empty one. The means that programs share
/// are left out, since they hold no tests.
type Modules = BTreeMap<String, String>;

impl Programs {
    fn declared() -> Self {
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let quoted = |line: &str| line.split('"').nth(1).map(str::to_owned);
        let parts = manifest.split("\n[[").filter(|part| part.starts_with("test]]") || part.starts_with("bench]]"));
        let programs = parts.map(|part| {
            let value = |key: &str| part.lines().find(|line| line.starts_with(key)).and_then(quoted).unwrap();
            let mut modules = Modules::new();
            read(&root().join(value("path = ")), "", &mut modules);
            (value("name = "), modules)
        });
        Self(programs.collect())
    }

    /// What is wrong with a name such as `soak`, `service tls::injection::` or `service dialogues::stls`.
    fn fault(&self, reference: &str) -> Option<&'static str> {
        let (program, filter) = reference.split_once(' ').unwrap_or((reference, ""));
        let Some(modules) = self.0.get(program) else { return Some("there is no such program") };
        let is_there = if let Some(path) = filter.strip_suffix("::") {
            modules.iter().any(|(own, text)| is_within(own, path) && has_tests(text))
        } else {
            let (path, name) = filter.rsplit_once("::").unwrap_or(("", filter));
            filter.is_empty() || modules.get(path).is_some_and(|text| has(text, name))
        };
        (!is_there).then_some("there is no such test")
    }
}

/// Reads a module's file, and those of the modules that it declares.
fn read(file: &Path, path: &str, modules: &mut Modules) {
    let text = fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    let folder = if file.ends_with("main.rs") { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    for (_, name) in declarations(&text) {
        let own = if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") };
        read(&folder.join(name).with_extension("rs"), &own, modules);
    }
    modules.insert(path.to_owned(), text);
}

/// The modules that a text declares, each with the line above. Those with a path of their own belong to several programs.
fn declarations(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines();
    let pairs = lines.clone().zip(lines.skip(1));
    let declared = pairs.filter_map(|(above, line)| Some((above, line.strip_prefix("mod ")?.strip_suffix(';')?)));
    declared.filter(|(above, _)| !above.starts_with("#[path"))
}

/// An area is a module of the root file, which says what it shows. Its name is the end of no other module's, or the filter
/// that runs it would run that one as well.
fn faults_of_areas(program: &str, modules: &Modules) -> Vec<String> {
    let mut faults = Vec::new();
    for (above, area) in declarations(&modules[""]) {
        if !above.starts_with("/// ") {
            faults.push(format!("{program}: nothing is said of {area}"));
        }
        let filter = format!("{area}::");
        let others = modules.keys().filter(|path| !is_within(path, area) && format!("{path}::").contains(&filter));
        faults.extend(others.map(|path| format!("{program} {filter} runs {path} as well")));
    }
    faults
}

fn is_within(path: &str, area: &str) -> bool {
    path.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The dialogues are tests by a macro.
fn has_tests(text: &str) -> bool {
    ["#[test]", "#[tokio::test", "dialogues! {"].iter().any(|mark| text.contains(mark))
}

/// Dialogues are listed by their names alone.
fn has(text: &str, name: &str) -> bool {
    text.contains(&format!("fn {name}(")) || text.lines().any(|line| line.trim() == name)
}

/// What a text might name wrongly is told.
pub(super) fn wrong_names_are_seen() {
    let programs = Programs::declared();
    for right in ["soak", "service dialogues::", "service dialogues::stls", "service tls::injection::"] {
        assert_eq!(programs.fault(right), None, "{right}");
    }
    for wrong in [
        "tls",
        "tls injection::",
        "service stls",
        "service dialogues::stls_twice",
        "service injection::",
        "service tls::nothing::",
        "service support::",
        "library tls::",
    ] {
        assert!(programs.fault(wrong).is_some(), "{wrong}");
    }
    let of_two = |inner: &str| {
        let text = |text: &str| text.to_owned();
        let root = (String::new(), text("//! Text.\n\n/// One.\nmod one;\nmod two;\n"));
        Modules::from([root, (text("one"), text("")), (text("two"), text("")), (text(inner), text(""))])
    };
    assert_eq!(faults_of_areas("p", &of_two("two::inner")), ["p: nothing is said of two"]);
    assert_eq!(faults_of_areas("p", &of_two("two::one"))[0], "p one:: runs two::one as well");
}
