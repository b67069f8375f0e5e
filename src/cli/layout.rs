//! Text for a terminal of 80 columns.

/// Columns of a line. The real width of the terminal is not used, so that piped and displayed text are the same.
pub(super) const WIDTH: usize = 80;

/// A text in lines of at most [`WIDTH`] columns: the first begins after `indent` blanks, the others after four more.
/// Lines are broken at blanks, so that paths can be copied, and at the commas of a DN that is longer than a line.
pub(super) fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    for paragraph in text.lines() {
        wrap(paragraph, indent, &mut lines);
    }
    lines
}

fn wrap(text: &str, indent: usize, lines: &mut String) {
    let (mut line, mut is_first) = (" ".repeat(indent), true);
    let mut is_empty = true;
    for word in text.split(' ').flat_map(|word| pieces(word, WIDTH.saturating_sub(indent + 4))) {
        let blank = usize::from(!is_empty && !word.follows);
        if !is_empty && columns(&line) + blank + columns(word.text) > WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            (line, is_first) = (" ".repeat(indent + 4), false);
        } else if blank == 1 {
            line.push(' ');
        }
        line.push_str(word.text);
        is_empty = false;
    }
    if !is_empty || is_first {
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
}

/// A word, or the rest of one that was broken.
struct Chunk<'t> {
    text: &'t str,
    follows: bool,
}

fn pieces(word: &str, room: usize) -> Vec<Chunk<'_>> {
    if columns(word) <= room {
        return vec![Chunk { text: word, follows: false }];
    }
    let parts = word.split_inclusive(',').enumerate();
    parts.map(|(place, text)| Chunk { text, follows: place > 0 }).collect()
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Rows of cells, as lines whose columns are aligned, two blanks apart.
pub(super) fn columns_of<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = columns(cell).max(*width));
    }
    let mut lines = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let blanks = " ".repeat(width.saturating_sub(columns(cell)) + 2);
            line.push_str(cell);
            line.push_str(&blanks);
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// `1 error`, `2 errors`.
pub(super) fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_words_stay_whole() {
        let text = "a person of a company with a long name ".repeat(5);
        let lines = wrapped(&text, 2);
        assert!(lines.lines().all(|line| line.len() <= WIDTH && line.starts_with("  ")), "{lines}");
        assert!(lines.lines().skip(1).all(|line| line.starts_with("      ")), "{lines}");
        assert_eq!(lines.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
        let path = format!("/srv/mail/{}/Maildir", "x".repeat(100));
        assert_eq!(wrapped(&format!("see {path}"), 0), format!("see\n    {path}\n"));
        let dn = "uid=ajones,".to_owned() + &"ou=a part of it,".repeat(9) + "dc=example";
        assert!(wrapped(&dn, 4).lines().all(|line| line.len() <= WIDTH), "{}", wrapped(&dn, 4));
        assert_eq!(wrapped("\n", 3), "\n");
        assert_eq!(wrapped("a\nb", 1), " a\n b\n");
    }
}
