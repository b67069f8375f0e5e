//! Text as `man` reads it (man(7)).

use std::fmt::Write as _;

/// A page under construction.
pub(super) struct Page {
    text: String,
}

impl Page {
    /// The title line, with the section of the manual.
    pub(super) fn new(name: &str, section: u8, date: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self { text: format!(".TH {name} {section} {date} \"restante {version}\" \"Restante\"\n") }
    }

    /// A heading.
    pub(super) fn heading(&mut self, words: &str) {
        self.request("SH", words);
    }

    /// A heading below a heading.
    pub(super) fn subheading(&mut self, words: &str) {
        self.request("SS", words);
    }

    /// A term; what follows explains it.
    pub(super) fn term(&mut self, term: &str) {
        let _ = writeln!(self.text, ".TP\n\\fB{}\\fR", escaped(term));
    }

    /// A line of text in the current paragraph.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(&escaped(line));
        self.text.push('\n');
    }

    /// Begins a paragraph under the current term.
    pub(super) fn paragraph(&mut self) {
        self.text.push_str(".IP\n");
    }

    /// Begins a paragraph outside of terms.
    pub(super) fn outer_paragraph(&mut self) {
        self.text.push_str(".PP\n");
    }

    /// What follows is indented once more.
    pub(super) fn indent(&mut self) {
        self.text.push_str(".RS\n");
    }

    /// Ends the last indentation.
    pub(super) fn outdent(&mut self) {
        self.text.push_str(".RE\n");
    }

    /// The lines that follow stay as they are.
    pub(super) fn begin_example(&mut self) {
        self.text.push_str(".EX\n");
    }

    /// Ends such lines.
    pub(super) fn end_example(&mut self) {
        self.text.push_str(".EE\n");
    }

    /// The finished page.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn request(&mut self, request: &str, words: &str) {
        let _ = writeln!(self.text, ".{request} {}", escaped(words));
    }
}

/// A backslash begins an escape, a dot or an apostrophe at the start of a line a request, and a bare hyphen is typographic.
fn escaped(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_formatter_would_take_for_a_request_is_escaped() {
        assert_eq!(escaped(".mounted is \\ a-b"), "\\&.mounted is \\e a\\-b");
        assert_eq!(escaped("'quoted"), "\\&'quoted");
        assert_eq!(escaped("plain."), "plain.");
    }
}
