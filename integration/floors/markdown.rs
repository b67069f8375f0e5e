//! As much of Markdown as the texts of this repository use.

use std::fs;
use std::path::{Path, PathBuf};

use super::{display, root};

/// A text for people.
pub(super) struct Document {
    pub(super) path: PathBuf,
    /// Its path in the repository.
    pub(super) name: String,
    /// Lines outside fenced blocks, each with its number.
    prose: Vec<(usize, String)>,
    pub(super) fences: Vec<Fence>,
}

/// A fenced block of code.
pub(super) struct Fence {
    /// The number of its first line.
    pub(super) line: usize,
    pub(super) language: String,
    pub(super) body: String,
}

/// A row of a table below its heading.
pub(super) struct Row {
    pub(super) line: usize,
    /// The cells, each with its column's heading.
    pub(super) cells: Vec<(String, String)>,
}

/// Every text for people, and the files with comments for them.
pub(super) fn documents() -> Vec<Document> {
    let single =
        ["README.md", "CHANGELOG.md", "integration/bench/README.md", "config/restante.yaml", "config/restante.service"];
    let mut paths: Vec<PathBuf> = single.map(|name| root().join(name)).into();
    for folder in ["config/guide", ".github"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        paths.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    assert!(paths.len() > 15, "{paths:?}");
    paths.iter().map(|path| Document::read(path)).collect()
}

impl Document {
    pub(super) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let (mut prose, mut fences, mut open) = (Vec::new(), Vec::new(), None::<Fence>);
        for (number, line) in (1..).zip(text.lines()) {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => fences.extend(open.take()),
                (Some(language), None) => {
                    open = Some(Fence { line: number + 1, language: language.to_owned(), body: String::new() });
                }
                (None, Some(fence)) => fence.body.extend([line, "\n"]),
                (None, None) => prose.push((number, line.to_owned())),
            }
        }
        let document = Self { path: path.to_owned(), name: display(path), prose, fences };
        if document.is_markdown() {
            let odd = document.prose.iter().find(|(_, line)| !line.matches('`').count().is_multiple_of(2));
            assert!(odd.is_none(), "{}: a code span must end on its line: {odd:?}", document.name);
        }
        document
    }

    fn is_markdown(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "md")
    }

    /// The code spans of its prose, each with its line.
    pub(super) fn spans(&self) -> Vec<(usize, String)> {
        let prose = self.prose.iter().filter(|_| self.is_markdown());
        prose.flat_map(|(number, line)| spans(line).into_iter().map(|span| (*number, span))).collect()
    }

    /// All code: the spans, and the lines of fenced blocks.
    pub(super) fn code(&self) -> Vec<(usize, String)> {
        let in_fence = |fence: &Fence| -> Vec<(usize, String)> {
            (fence.line..).zip(fence.body.lines().map(str::to_owned)).collect()
        };
        let mut code = self.spans();
        code.extend(self.fences.iter().flat_map(in_fence));
        code
    }

    /// Commands in the comments of other files.
    pub(super) fn comments(&self) -> Vec<(usize, String)> {
        let prose = self.prose.iter().filter(|(_, line)| !self.is_markdown() && line.trim_start().starts_with('#'));
        let begin = "`restante ";
        prose
            .filter_map(|(number, line)| Some((*number, line.split_once(begin)?.1.split_once('`')?.0)))
            .map(|(number, rest)| (number, format!("restante {rest}")))
            .collect()
    }

    /// The targets of its links and images, each with its line.
    pub(super) fn links(&self) -> Vec<(usize, String)> {
        let prose = self.prose.iter().filter(|_| self.is_markdown());
        let targets = prose.flat_map(|(number, line)| {
            let parts = line.split("](").skip(1).filter_map(|part| part.split_once(')'));
            parts.map(|(target, _)| (*number, target.to_owned()))
        });
        targets.collect()
    }

    /// Its headings, as links name them.
    pub(super) fn headings(&self) -> Vec<String> {
        let headings = self
            .prose
            .iter()
            .filter_map(|(_, line)| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
        headings.map(anchor).collect()
    }

    /// The code spans in the column of every table that has this heading.
    pub(super) fn column(&self, heading: &str) -> Vec<(usize, String)> {
        let rows = self.rows().into_iter();
        let cells = rows.flat_map(|row| row.cells.into_iter().map(move |(of, cell)| (row.line, of, cell)));
        cells
            .filter(|(_, of, _)| of == heading)
            .flat_map(|(line, _, cell)| spans(&cell).into_iter().map(move |span| (line, span)))
            .collect()
    }

    /// The rows of all tables.
    pub(super) fn rows(&self) -> Vec<Row> {
        let (mut rows, mut headings, mut last) = (Vec::new(), Vec::new(), 0);
        for (number, line) in self.prose.iter().filter(|(_, line)| line.trim_start().starts_with('|')) {
            let cells: Vec<String> = cells(line);
            let is_rule = cells.iter().all(|cell| cell.chars().all(|character| "-: ".contains(character)));
            if last + 1 != *number {
                headings = cells;
            } else if !is_rule {
                rows.push(Row { line: *number, cells: headings.iter().cloned().zip(cells).collect() });
            }
            last = *number;
        }
        rows
    }
}

fn cells(line: &str) -> Vec<String> {
    line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The code spans of a line.
pub(super) fn spans(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
}
