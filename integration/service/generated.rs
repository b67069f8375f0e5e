//! What `restante generate` writes, read by those for whom it is: editors by the schema, `man` and `mandoc`, and bash.

mod configuration_schema;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::process::{output, program, succeed};
use crate::support::service::restante;

/// The output of a command that must succeed.
fn generated(words: &[&str]) -> String {
    let output = output(restante().arg("generate").args(words), "");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The manual pages in a new folder.
fn pages() -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    succeed(restante().args(["generate", "manual"]).arg(folder.path()), "");
    let pages = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    (folder, pages)
}

/// A page as people see it on a terminal.
fn shown(page: &Path) -> String {
    let output = output(
        program("man").args(["--warnings", "-l", "-P", "cat", "-E", "UTF-8"]).env("MANWIDTH", "100").arg(page),
        "",
    );
    assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", page.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_has_a_manual_page_without_faults() {
    let (folder, pages) = pages();
    for name in ["restante", "restante-check", "restante-uidl-plan", "restante-generate-schema"] {
        assert!(pages.contains(&folder.path().join(format!("{name}.1"))), "{name}: {pages:?}");
    }
    for page in &pages {
        shown(page);
        let lint = output(program("mandoc").args(["-T", "lint", "-W", "warning"]).arg(page), "");
        let told = String::from_utf8_lossy(&lint.stdout).into_owned();
        assert!(lint.status.success() && told.is_empty(), "{told}{}", String::from_utf8_lossy(&lint.stderr));
    }
}

#[test]
fn the_manual_page_of_the_configuration_has_every_key_with_its_comment() {
    let (folder, _) = pages();
    let page = shown(&folder.path().join("restante.yaml.5"));
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for (key, text) in [
        ("limits.idle", "Default: 10m Time between two commands of a client that has logged in."),
        ("tokens.issuer", "Required. The exact value of the claim iss."),
        ("mailboxes.marker", "A file below the root that must exist, such as .mounted: if it is missing"),
        // A backslash, which begins an escape for the formatter.
        ("directories.domain", "With active_directory: the domain's name in a short name typed as DOMAIN\\name."),
        ("listeners.tls", "Required. none never starttls when the client sends STLS"),
    ] {
        assert!(words.contains(&format!("{key} {text}")), "{key}\n{page}");
    }
    for key in restante::config::known_keys() {
        assert!(words.contains(&key.path), "{}", key.path);
    }
}

#[test]
fn a_package_built_again_has_the_same_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    succeed(restante().args(["generate", "manual"]).arg(folder.path()).env("SOURCE_DATE_EPOCH", "86400"), "");
    let page = fs::read_to_string(folder.path().join("restante.1")).unwrap();
    assert!(page.contains("1970-01-02"), "{page}");
    let wrong = output(restante().args(["generate", "manual", "/nonexistent"]).env("SOURCE_DATE_EPOCH", "soon"), "");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("SOURCE_DATE_EPOCH must be a number of seconds"));
}

#[test]
fn manual_pages_need_a_directory_that_can_be_written() {
    let output = output(restante().args(["generate", "manual", "/nonexistent"]), "");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("restante: /nonexistent/") && told.contains("cannot be written"), "{told}");
}

#[test]
fn bash_completes_commands_and_options() {
    let script = generated(&["completions", "bash"]);
    let complete = |words: &str, typed: &str| {
        let call = format!(
            "{script}\nCOMP_WORDS=({words})\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n_restante restante '{typed}' ''\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let output = output(&mut program("bash"), &call);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("restante che", "che"), ["check"]);
    assert!(complete("restante resolve --", "--").contains(&"--password".to_owned()));
    for shell in ["zsh", "fish"] {
        assert!(generated(&["completions", shell]).contains("resolve"), "{shell}");
    }
}
