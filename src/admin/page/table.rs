//! A table of text.

use std::fmt::Write as _;

use super::escape::Escaped;

/// A table: a caption, the heads of its columns, and rows. The first cell of a row is its head.
pub(super) struct PageTable {
    html: String,
    is_empty: bool,
    caption: &'static str,
}

/// A cell: its text, and how it is judged.
pub(super) enum Cell {
    Plain(String),
    Good(String),
    Bad(String),
}

impl PageTable {
    pub(super) fn new(caption: &'static str, columns: &[&str]) -> Self {
        let mut html = format!("<caption>{}</caption>\n<thead><tr>", Escaped(caption));
        for column in columns {
            let _ = write!(html, "<th scope=\"col\">{}</th>", Escaped(column));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        Self { html, is_empty: true, caption }
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.is_empty = false;
        self.html.push_str("<tr>");
        for (place, cell) in cells.into_iter().enumerate() {
            let (class, text) = match cell {
                Cell::Plain(text) => ("", text),
                Cell::Good(text) => (" class=\"good\"", text),
                Cell::Bad(text) => (" class=\"bad\"", text),
            };
            let text = Escaped(text);
            let _ = match place {
                0 => write!(self.html, "<th scope=\"row\"{class}>{text}</th>"),
                _ => write!(self.html, "<td{class}>{text}</td>"),
            };
        }
        self.html.push_str("</tr>\n");
    }

    /// The table, which can be scrolled by keyboard where it is wider than the page; or a sentence, if it has no rows.
    pub(super) fn or(self, nothing: &str) -> String {
        if self.is_empty {
            return format!("<p>{}</p>\n", Escaped(nothing));
        }
        format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n<table>\n{}</tbody>\n</table>\n</div>\n",
            Escaped(self.caption),
            self.html
        )
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}
