//! What a guide tells its reader to do.
//!
//! | block | step |
//! |---|---|
//! | `sh` | a script that must succeed |
//! | `text` that begins with `$ ` | commands, and what each prints; `…` stands for anything |
//! | another, below a paragraph that ends in the name of a file and a colon | the content of that file |
//! | another | none: it is only shown |

use std::fs;
use std::path::Path;

/// A guide's steps, in its order.
pub(super) struct Guide {
    pub(super) steps: Vec<Step>,
    text: String,
}

pub(super) enum Step {
    /// A file is written.
    File { path: String, text: String },
    /// Commands are run.
    Script(String),
    /// Commands are run, and what each prints is compared.
    Session(Vec<(String, String)>),
}

impl Guide {
    /// Reads one of `config/guide`.
    pub(super) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/guide").join(name);
        let text = fs::read_to_string(path).unwrap();
        let steps = steps(&text);
        assert!(!steps.is_empty(), "{name} tells nothing to do");
        Self { steps, text }
    }

    /// The steps below one heading.
    pub(super) fn section(&self, heading: &str) -> Vec<Step> {
        let (_, rest) = self.text.split_once(&format!("\n## {heading}\n")).expect(heading);
        let steps = steps(rest.split("\n## ").next().unwrap());
        assert!(!steps.is_empty(), "{heading} tells nothing to do");
        steps
    }

    /// The blocks of a language that are only shown.
    pub(super) fn shown(&self, language: &str) -> Vec<String> {
        let shown = blocks(&self.text).into_iter().filter(|block| block.language == language && block.file.is_none());
        shown.map(|block| block.body).collect()
    }
}

struct Block {
    language: String,
    body: String,
    /// The file that the paragraph above names.
    file: Option<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut last) = (Vec::new(), "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((indent, language)) = line.split_once("```").filter(|(indent, _)| indent.trim().is_empty()) else {
            last = if line.is_empty() { last } else { line };
            continue;
        };
        let body = lines.by_ref().take_while(|line| line.trim() != "```");
        let body = body.fold(String::new(), |text, line| text + line.strip_prefix(indent).unwrap_or(line) + "\n");
        let named = last.strip_suffix("`:").and_then(|rest| rest.rsplit('`').next());
        let file = named.filter(|name| name.contains('.')).map(str::to_owned);
        blocks.push(Block { language: language.to_owned(), body, file });
        last = "";
    }
    blocks
}

fn steps(text: &str) -> Vec<Step> {
    blocks(text).into_iter().filter_map(step).collect()
}

fn step(block: Block) -> Option<Step> {
    match (block.language.as_str(), block.file) {
        ("sh", _) => Some(Step::Script(block.body)),
        ("text", _) if block.body.starts_with("$ ") => Some(Step::Session(session(&block.body))),
        (_, Some(path)) => Some(Step::File { path, text: block.body }),
        _ => None,
    }
}

/// Commands with what each prints; a command that ends in a backslash goes on in the next line.
fn session(body: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in body.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((command, shown))) if shown.is_empty() && command.ends_with('\\') => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some((_, shown))) => shown.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    commands
}

/// Whether something printed is what the guide shows. `…` stands for anything.
pub(super) fn is_shown(printed: &str, shown: &str) -> bool {
    let mut parts = shown.trim_end().split('…').peekable();
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.trim_end().strip_prefix(first) else { return false };
    while let Some(part) = parts.next() {
        let at = if parts.peek().is_none() { rest.strip_suffix(part).map(str::len) } else { rest.find(part) };
        let Some(at) = at else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[test]
fn what_a_guide_shows_is_compared_word_by_word() {
    for (printed, shown, expected) in [
        ("one\ntwo\n", "one\ntwo\n", true),
        ("one\ntwo\n", "one\n", false),
        ("one\ntwo\n", "two\n", false),
        ("at 12:00 one\n", "at … one\n", true),
        ("at 12:00 one\nmore\n", "at … one\n", false),
        ("one\n2\n3\nfour\n", "one\n…\nfour\n", true),
        ("anything", "…", true),
    ] {
        assert_eq!(is_shown(printed, shown), expected, "{printed:?} as {shown:?}");
    }
}

#[test]
fn the_steps_of_a_guide_are_its_files_scripts_and_sessions() {
    let text = "Write\n`/etc/x.conf`:\n\n```ini\na = 1\n```\n\nThen:\n\n```sh\nrun it\n```\n\nOr:\n\n```yaml\nb: 2\n```\n\n\
                ```text\n$ say \\\n    this\nthis\n$ say nothing\n```\n";
    let described: Vec<String> = steps(text)
        .into_iter()
        .map(|step| match step {
            Step::File { path, text } => format!("{path} is {text}"),
            Step::Script(script) => script,
            Step::Session(commands) => format!("{commands:?}"),
        })
        .collect();
    let session = r#"[("say \\\n    this", "this\n"), ("say nothing", "")]"#;
    assert_eq!(described, ["/etc/x.conf is a = 1\n", "run it\n", session]);
}
