//! Text that is safe in HTML.

use std::fmt::{self, Write as _};

/// A text, displayed as HTML that shows this text and nothing else: in elements and in quoted attributes.
pub(super) struct Escaped<T>(pub(super) T);

/// Passes a text on, escaped.
struct Escaper<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

impl fmt::Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                control if control.is_control() => self.0.write_char('\u{fffd}')?,
                other => self.0.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn a_name_cannot_become_markup() {
        let name = "<script>alert(\"1\" & '2')</script>\u{0}";
        let shown = Escaped(name).to_string();
        assert_eq!(shown, "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;\u{fffd}");
    }
}
