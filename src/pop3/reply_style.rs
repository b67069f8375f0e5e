//! How replies are written: in which language, and whether the client accepts UTF-8 (RFC 6856).

use super::reply::{self, Reply};
use super::text::{Language, Text};

/// What LANG and UTF8 have set so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReplyStyle {
    pub(super) language: Language,
    /// The language that `LANG *` asks for.
    pub(super) preferred: Language,
    /// The client accepts UTF-8 in the headers of messages.
    pub(super) utf8: bool,
}

/// A response code (RFC 2449 §8, RFC 3206).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Auth,
    SysTemp,
    SysPerm,
    InUse,
    LoginDelay,
}

impl ReplyStyle {
    /// The style at the beginning of every session.
    pub(super) fn new(preferred: Language) -> Self {
        Self { preferred, ..Self::default() }
    }

    /// Discards what the client chose before TLS; the administrator's preference stays.
    pub(super) fn anew(self) -> Self {
        Self::new(self.preferred)
    }

    pub(super) fn ok(self, text: Text) -> Reply {
        reply::ok(&text.render(self.language))
    }

    pub(super) fn err(self, text: Text) -> Reply {
        reply::err(&text.render(self.language))
    }

    pub(super) fn err_with(self, code: Code, text: Text) -> Reply {
        let code = match code {
            Code::Auth => "AUTH",
            Code::SysTemp => "SYS/TEMP",
            Code::SysPerm => "SYS/PERM",
            Code::InUse => "IN-USE",
            Code::LoginDelay => "LOGIN-DELAY",
        };
        reply::err(&format!("[{code}] {}", text.render(self.language)))
    }

    pub(super) fn multi<'a>(self, text: Text, lines: impl IntoIterator<Item = &'a str>) -> Reply {
        reply::multi(&text.render(self.language), lines)
    }

    /// LANG, with a language range or without.
    pub(super) fn lang(&mut self, range: Option<&[u8]>) -> Reply {
        match range {
            Some(range) => self.speak(range),
            None => self.languages(),
        }
    }

    /// "If the command succeeds, the server returns a +OK response followed by a single
    /// space, the exact language tag selected, and another space." (RFC 6856 §3.2)
    ///
    /// An unknown language changes nothing.
    fn speak(&mut self, range: &[u8]) -> Reply {
        // "If the client issues a "LANG" command with the special "*" language range argument, it indicates a request to
        // use a language designated as preferred by the server administrator." (RFC 6856 §3.2)
        let language = if range == b"*" { Some(self.preferred) } else { Language::fitting(range) };
        let Some(language) = language else { return self.err(Text::UnknownLanguage) };
        self.language = language;
        reply::ok(&format!("{} {}", language.tag(), Text::LanguageChanged.render(language)))
    }

    /// "After the initial +OK, for each language tag the server supports, the POP3 server responds
    /// with a line for that language." (RFC 6856 §3.2)
    fn languages(self) -> Reply {
        let lines = Language::ALL.map(|language| format!("{} {}", language.tag(), language.own_name()));
        self.multi(Text::LanguagesFollow, lines.iter().map(String::as_str))
    }
}
