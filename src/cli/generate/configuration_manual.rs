//! restante.yaml(5): every key with what the reference says about it.

use super::roff::Page;
use crate::config::{KnownKey, introduction, known_keys};

/// The page.
pub(super) fn page(date: &str) -> String {
    let mut page = Page::new("restante.yaml", 5, date);
    page.heading("NAME");
    page.line("restante.yaml - configuration of the POP3 server restante");
    page.heading("DESCRIPTION");
    let introduction = introduction();
    comment(&mut page, &introduction, false);
    let keys = known_keys();
    page.heading("KEYS");
    for key in keys {
        entry(&mut page, &key);
    }
    page.heading("SEE ALSO");
    page.line("restante(1), restante-check(1)");
    page.into_text()
}

fn entry(page: &mut Page, key: &KnownKey) {
    let is_in_term = key.path.contains('.');
    if is_in_term {
        page.term(&key.path);
    } else {
        page.subheading(&key.path);
    }
    let value = key.written.as_str();
    match (key.is_required, value.is_empty()) {
        (true, _) => page.line("Required."),
        (false, true) => {}
        (false, false) => page.line(&format!("Default: {value}")),
    }
    let begins_with_table = key.comment.first().is_some_and(|line| matches!(shape(line, false), Shape::Term(..)));
    if is_in_term && !key.comment.is_empty() && !begins_with_table {
        page.paragraph();
    } else if !is_in_term && !value.is_empty() {
        page.outer_paragraph();
    }
    comment(page, &key.comment, is_in_term);
}

/// The shape of a line of a comment.
enum Shape<'l> {
    Blank,
    /// A word, and after two or more blanks what it means.
    Term(&'l str, &'l str),
    /// More about the word above.
    Further(&'l str),
    Plain(&'l str),
    Example(&'l str),
}

/// The lines of a comment: paragraphs, tables of words, and examples, which are indented by four or more.
fn comment(page: &mut Page, lines: &[String], is_in_term: bool) {
    let (mut is_in_table, mut shapes) = (false, Vec::new());
    for line in lines {
        let shape = shape(line, is_in_table);
        is_in_table = matches!(shape, Shape::Term(..) | Shape::Further(_));
        shapes.push(shape);
    }
    let mut rest = shapes.as_slice();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|shape| kind(shape) == kind(first)).count();
        let (run, after) = rest.split_at(same);
        write_run(page, run, is_in_term, after.iter().any(|shape| kind(shape) != 0));
        rest = after;
    }
}

/// Which run a line belongs to: blanks, tables, plain text, examples.
fn kind(shape: &Shape<'_>) -> u8 {
    match shape {
        Shape::Blank => 0,
        Shape::Term(..) | Shape::Further(_) => 1,
        Shape::Plain(_) => 2,
        Shape::Example(_) => 3,
    }
}

fn shape(line: &str, is_in_table: bool) -> Shape<'_> {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    if text.is_empty() {
        return Shape::Blank;
    }
    if is_in_table && indent > 2 {
        return Shape::Further(text);
    }
    if indent >= 4 {
        return Shape::Example(line);
    }
    match text.split_once("  ") {
        Some((word, meaning)) if indent == 0 && !word.ends_with('.') => Shape::Term(word, meaning.trim_start()),
        _ => Shape::Plain(text),
    }
}

fn write_run(page: &mut Page, run: &[Shape<'_>], is_in_term: bool, is_followed: bool) {
    match run.first() {
        None => {}
        Some(Shape::Blank) if !is_followed => {}
        Some(Shape::Blank) if is_in_term => page.paragraph(),
        Some(Shape::Blank) => page.outer_paragraph(),
        Some(Shape::Example(_)) => {
            page.begin_example();
            write_lines(page, run);
            page.end_example();
        }
        Some(Shape::Plain(_)) => write_lines(page, run),
        Some(Shape::Term(..) | Shape::Further(_)) => {
            page.indent();
            write_lines(page, run);
            page.outdent();
            if is_followed && is_in_term {
                page.paragraph();
            }
        }
    }
}

fn write_lines(page: &mut Page, run: &[Shape<'_>]) {
    for shape in run {
        match shape {
            Shape::Term(word, meaning) => {
                page.term(word);
                page.line(meaning);
            }
            Shape::Plain(text) | Shape::Further(text) | Shape::Example(text) => page.line(text),
            Shape::Blank => {}
        }
    }
}
