//! The floors of the house: a module names modules of lower floors only, and external crates are rationed. The texts for
//! people name only what exists.
//!
//! A program of its own, because it reads the repository and needs nothing else: it is built and run in seconds.

#![cfg(test)] // A fault in any item is a failed test: that is how clippy.toml then judges a panic.

/// The texts for people: every command, key, file, test and benchmark that they name exists.
mod documents;
/// Every event of the log is in the guide, and nothing else is.
mod log_events;
/// As much of Markdown as the texts of this repository use.
mod markdown;
/// A type has a name of its own, and the log one name for each field.
mod names;
/// The test programs: their indexes are complete, and each area can be run by its name.
mod programs;
/// The rooms inside a floor, and which of them may name which.
mod rooms;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rooms::{ROOMS, Room};

/// Each module with its floor, and the external crates it may name. `tracing` may be named from floor 2 up.
const FLOORS: &[(&str, u8, &[&str])] = &[
    ("secret", 0, &["zeroize"]),
    ("file_stamps", 0, &[]),
    ("current", 0, &[]),
    ("session_id", 0, &["tokio"]),
    ("date", 0, &[]),
    ("confinement", 0, &["landlock"]),
    ("ledger", 0, &["prometheus_client", "tokio"]),
    ("pop3", 1, &["base64", "memchr", "zeroize"]),
    ("names", 1, &["stringprep", "unicode_normalization"]),
    // Server and identity both read certificates; a floor below both, so that one module alone knows the X.509 library.
    ("certificate", 1, &["aws_lc_rs", "base64", "x509_parser"]),
    ("lockout", 1, &[]),
    ("client_settings", 1, &["md5"]),
    (
        "directory",
        2,
        &["ldap3", "rustls_native_certs", "rustls_pki_types", "socket2", "tokio", "tokio_rustls", "zeroize"],
    ),
    ("tasks", 2, &["tokio"]),
    ("token", 2, &["base64", "jsonwebtoken", "serde_json", "tokio"]),
    ("maildir", 2, &["aws_lc_rs", "flate2", "md5", "memchr", "moka", "rustix", "zstd"]),
    ("relay", 2, &["base64", "ppp", "rustls_pki_types", "tokio", "tokio_rustls", "zeroize"]),
    ("remote", 2, &["rustls_pki_types", "tokio", "tokio_rustls"]),
    ("identity", 3, &["aws_lc_rs", "base64", "moka", "tokio", "zeroize"]),
    ("connection", 4, &["rustix", "rustls_pki_types", "tokio", "tokio_rustls", "zeroize"]),
    ("admin", 4, &["aws_lc_rs", "http_body_util", "hyper", "hyper_util", "rustix", "serde_json", "socket2", "tokio"]),
    ("audit", 4, &[]),
    ("logging", 4, &["tracing_subscriber"]),
    // Above connection, since it logs and counts logins as a session does.
    ("mta", 5, &["tokio", "zeroize"]),
    ("server", 5, &["crc", "listenfd", "ppp", "rustix", "rustls_pki_types", "socket2", "tokio", "tokio_rustls"]),
    ("config", 6, &["anyhow", "rustix"]),
    (
        "demo",
        7,
        &["anyhow", "base64", "futures_util", "ldap3_proto", "rcgen", "rustix", "tokio", "tokio_rustls", "tokio_util"],
    ),
    (
        "cli",
        8,
        &[
            "anyhow",
            "clap",
            "clap_complete",
            "clap_mangen",
            "indicatif",
            "rustix",
            "sd_notify",
            "serde_json",
            "tempfile",
            "tokio",
            "tokio_rustls",
        ],
    ),
    ("main", 9, &["restante"]),
];

/// Crates that one file alone may name.
const OF_ONE_FILE: &[(&str, &str)] =
    &[("serde", "src/config/file.rs"), ("serde_yaml", "src/config/file.rs"), ("strsim", "src/config/unknown.rs")];

/// The lowest floor that may write to the log.
const LOG_FROM: u8 = 2;

/// Lines that a file may have.
const MOST_LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn display(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// `src/names/dn.rs` belongs to `names`, `src/main.rs` to `main`.
fn module(path: &Path) -> String {
    let first = path.strip_prefix(root().join("src")).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The crates of `[dependencies]`, as code names them.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("[dependencies]\n").unwrap();
    let section = rest.split("\n[").next().unwrap();
    section.lines().filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_"))).collect()
}

/// The words that stand before or behind `::` in code: `(line, qualifier, name)`.
fn paths(text: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("//").next().unwrap();
        for (at, _) in code.match_indices("::") {
            let is_word = |character: char| character.is_alphanumeric() || character == '_';
            let (before, behind) = code.split_at(at);
            let start = before.rfind(|character| !is_word(character)).map_or(0, |start| start + 1);
            let name: String = behind[2..].chars().take_while(|character| is_word(*character)).collect();
            let is_first = !before[..start].ends_with("::");
            if is_first {
                found.push((number, before[start..].to_owned(), name));
            }
        }
    }
    found
}

/// The paths at the beginning of a text: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expanded(text: &str) -> Vec<String> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let (word, rest) = text.split_at(text.find(|character| !is_word(character)).unwrap_or(text.len()));
    let Some(rest) = rest.strip_prefix("::") else { return vec![word.to_owned()] };
    let inner: Vec<String> = match rest.strip_prefix('{') {
        Some(group) => items(group).into_iter().flat_map(expanded).collect(),
        None => expanded(rest),
    };
    inner.into_iter().map(|path| format!("{word}::{path}")).collect()
}

/// What stands between the commas of a group, up to its end.
fn items(group: &str) -> Vec<&str> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                items.push(group[start..at].trim());
                start = at + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
        if character == '}' && depth == 0 && start == at + 1 {
            break;
        }
    }
    items.into_iter().filter(|item| !item.is_empty()).collect()
}

/// Every path of a file that begins with `crate` or `super`, from the crate's root on: `(line, parts)`.
fn own_paths(path: &Path) -> Vec<(usize, Vec<String>)> {
    let mut place: Vec<String> = display(path).trim_end_matches(".rs").split('/').skip(1).map(str::to_owned).collect();
    place.pop_if(|last| last == "mod");
    let lines = code(path);
    let without_comments: Vec<&str> = lines.lines().map(|line| line.split("//").next().unwrap()).collect();
    let text = without_comments.join("\n");
    let mut found = Vec::new();
    for begin in ["crate::", "super::"] {
        for (at, _) in text.match_indices(begin) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':') {
                continue;
            }
            let line = text[..at].lines().count().max(1);
            found.extend(expanded(&text[at..]).into_iter().map(|path| (line, from_root(&place, &path))));
        }
    }
    found
}

/// A path that is named in the module `place`, from the crate's root on.
fn from_root(place: &[String], path: &str) -> Vec<String> {
    let (mut whole, mut parts) = (place.to_vec(), path.split("::").peekable());
    if parts.next_if_eq(&"crate").is_some() {
        whole.clear();
    }
    while parts.next_if_eq(&"super").is_some() {
        whole.pop();
    }
    whole.extend(parts.map(str::to_owned));
    whole
}

/// Every breach of a floor's inner walls, in one file.
fn breached_walls(path: &Path, floor: &str, rooms: &[Room]) -> String {
    let within = path.strip_prefix(root().join("src").join(floor)).unwrap();
    let room = within.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
    let Some((_, may)) = rooms.iter().find(|(name, _)| *name == room) else {
        return format!("{}: {room} is no room of {floor}\n", display(path));
    };
    let mut breaches = String::new();
    for (line, parts) in own_paths(path) {
        let [first, named, ..] = parts.as_slice() else { continue };
        if first == floor && named != room && !may.contains(&&**named) {
            writeln!(breaches, "{}:{line}: the room {room} of {floor} may not name {named}", display(path)).unwrap();
        }
    }
    breaches
}

/// The code of a file without its tests, which may name what they like.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned()
}

fn is_test(path: &Path) -> bool {
    // The repository itself may lie in a folder of any name.
    let own = path.strip_prefix(root()).unwrap();
    own.ends_with("tests.rs") || own.components().any(|part| part.as_os_str() == "tests")
}

/// Every breach in one file, with file and line.
fn breaches(path: &Path, dependencies: &[String]) -> String {
    let (module, mut breaches) = (module(path), String::new());
    let Some((_, floor, crates)) = FLOORS.iter().find(|(name, ..)| *name == module) else {
        return format!("{}: the module {module} has no floor\n", display(path));
    };
    for (line, qualifier, name) in paths(&code(path)) {
        let place = format!("{}:{line}", display(path));
        if qualifier == "crate" && name.is_empty() {
            writeln!(breaches, "{place}: one `use crate::…` for each module, so that this test can read it").unwrap();
        } else if qualifier == "crate" && name != module {
            let other = FLOORS.iter().find(|(other, ..)| *other == name);
            if other.is_none_or(|(_, other, _)| other >= floor) {
                writeln!(breaches, "{place}: {module} names {name}, which is not below it").unwrap();
            }
        }
        let may = crates.contains(&&*qualifier)
            || (qualifier == "tracing" && *floor >= LOG_FROM)
            || OF_ONE_FILE.contains(&(&*qualifier, &*display(path)));
        if dependencies.contains(&qualifier) && !may {
            writeln!(breaches, "{place}: {module} names the crate {qualifier}, which is not on its ration").unwrap();
        }
    }
    breaches
}

#[test]
fn a_module_names_only_what_stands_on_lower_floors() {
    let dependencies = dependencies();
    assert!(dependencies.contains(&"tokio_rustls".to_owned()), "{dependencies:?}");
    let files = rust_files(&root().join("src"));
    let files = files.iter().filter(|path| module(path) != "lib" && !is_test(path));
    let breaches: String = files.map(|path| breaches(path, &dependencies)).collect();
    assert!(breaches.is_empty(), "\n{breaches}");
}

#[test]
fn a_room_names_only_the_rooms_that_it_may() {
    let mut breaches = String::new();
    for (floor, rooms) in ROOMS {
        let folder = root().join("src").join(floor);
        for (number, (room, may)) in rooms.iter().enumerate() {
            let is_there = folder.join(room).is_dir() || folder.join(room).with_extension("rs").is_file();
            assert!(is_there, "{floor} has no room {room}");
            for other in *may {
                assert!(rooms[..number].iter().any(|(before, _)| before == other), "{room} stands before {other}");
            }
        }
        let files = rust_files(&folder);
        let files = files.iter().filter(|path| **path != folder.join("mod.rs") && !is_test(path));
        breaches.extend(files.map(|path| breached_walls(path, floor, rooms)));
    }
    assert!(breaches.is_empty(), "\n{breaches}");
}

#[test]
fn the_plan_of_the_floors_is_up_to_date() {
    let manifest = dependencies();
    for (module, floor, crates) in FLOORS {
        let folder = root().join("src").join(module);
        assert!(
            folder.is_dir() || folder.with_extension("rs").is_file(),
            "there is no module {module} (floor {floor})"
        );
        for name in crates.iter().filter(|name| **name != "restante") {
            assert!(manifest.iter().any(|dependency| dependency == name), "{name} is no dependency any more");
        }
    }
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for (module, floor, _) in FLOORS.iter().filter(|(module, ..)| *module != "main") {
        assert!(map.contains(&format!("//! | {floor} | [`{module}`] |")), "src/lib.rs has {module} on another floor");
    }
}

#[test]
fn no_file_grows_beyond_one_idea() {
    let files = [rust_files(&root().join("src")), rust_files(&root().join("integration"))].concat();
    let lines = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    let long: Vec<String> = files
        .iter()
        .filter(|path| lines(path) > MOST_LINES)
        .map(|path| format!("{}: {}", display(path), lines(path)))
        .collect();
    assert!(long.is_empty(), "over {MOST_LINES} lines: {long:?}");
}

/// Where tasks and threads begin, and who notices the end of each. Whatever runs as long as the service is kept running by
/// `tasks`.
const SPAWNS: &[(&str, &str)] = &[
    ("src/admin/http/listener.rs", "one request of the admin HTTP listener: its connection ends"),
    ("src/admin/mod.rs", "one client of the admin socket: its connection ends"),
    ("src/cli/serve/first_look.rs", "a look at directories, which only logs; one at mail: awaited"),
    ("src/cli/serve/parts.rs", "a look at the mail root: awaited"),
    ("src/cli/serve/running.rs", "a look at directories and mail, which only logs; the configuration read: awaited"),
    ("src/cli/service_manager.rs", "one sign of life: awaited"),
    ("src/connection/maildrop/pool.rs", "file calls: awaited; and what is dropped on a thread of its own"),
    ("src/demo/directory.rs", "the demonstration's directory, and its clients: logged"),
    (
        "src/directory/background/follow.rs",
        "one time of following, and its parts: awaited; a late notice of a group's change",
    ),
    ("src/directory/background/keepalive.rs", "one look at the connections: awaited"),
    ("src/directory/ldap/apart.rs", "one request: awaited"),
    ("src/directory/ldap/connect.rs", "a connection: asked whether it has ended before each use"),
    ("src/directory/questions/walk.rs", "one walk: awaited at its end"),
    ("src/identity/mod.rs", "a look at the mail root: awaited"),
    ("src/identity/open_sessions.rs", "one look at a person with open sessions: they continue"),
    ("src/logging/lines.rs", "the writer: goes on after a panic"),
    ("src/mta/listener.rs", "one connection of a mail transfer agent: it is closed"),
    ("src/mta/sasl/conversation.rs", "one login: awaited before its connection's task ends"),
    ("src/mta/socketmap/delivery.rs", "one file call: awaited, until the deadline of file calls"),
    ("src/server/accept.rs", "one client: its connection ends"),
    ("src/server/admission.rs", "one header of a proxy: its connection ends"),
    ("src/server/tls.rs", "one look at the files: awaited"),
    ("src/tasks/mod.rs", "whatever runs as long as the service"),
    ("src/token/issuers.rs", "one look at the files: awaited"),
];

#[test]
fn every_task_is_listed_with_who_notices_its_end() {
    let spawns = |path: &PathBuf| {
        let code = code(path);
        let mut lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.any(|line| line.contains("spawn(") || line.contains("spawn_blocking("))
    };
    let found: Vec<String> =
        rust_files(&root().join("src")).iter().filter(|path| spawns(path)).map(|path| display(path)).collect();
    let listed: Vec<&str> = SPAWNS.iter().map(|(path, _)| *path).collect();
    assert_eq!(found, listed, "found on the left, listed in SPAWNS on the right");
}

#[test]
fn a_breach_is_seen() {
    let seen = paths("use crate::names::Dn; // crate::cli::x\nlet x = tokio::task::spawn(std::fs::read);");
    let told: Vec<String> = seen.iter().map(|(line, qualifier, name)| format!("{line} {qualifier} {name}")).collect();
    assert_eq!(told, ["1 crate names", "2 tokio task", "2 std fs"]);
    assert_eq!(
        expanded("super::{\n  a::B,\n  c::{D, self},\n};\nuse x::y;"),
        ["super::a::B", "super::c::D", "super::c::self"]
    );
    let place = ["identity", "login", "bind"].map(str::to_owned);
    assert_eq!(from_root(&place, "super::super::cache::Recall"), ["identity", "cache", "Recall"]);
    assert_eq!(from_root(&place, "crate::names::Dn"), ["names", "Dn"]);
}
