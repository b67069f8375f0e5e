//! Text in XML.

use std::fmt;

/// A text as the content of an XML element. Characters with a meaning are escaped; those that XML 1.0 cannot hold at all
/// (§2.2) become U+FFFD.
pub(super) struct XmlText<'t>(pub(super) &'t str);

impl fmt::Display for XmlText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}"),
            // A carriage return, a tab or a line feed in a name would be changed on the way.
            control if control.is_control() => f.write_str("\u{fffd}"),
            plain => write!(f, "{plain}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let text = "</a>&amp;\"'\u{0}\u{ffff}\r\nü";
        assert_eq!(XmlText(text).to_string(), "&lt;/a&gt;&amp;amp;&quot;&apos;\u{fffd}\u{fffd}\u{fffd}\u{fffd}ü");
    }
}
