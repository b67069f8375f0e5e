//! The texts of replies, in each language. Keywords, response codes and figures are the same in all.

use super::message_number::MessageNumber;

/// A language that replies can be in (RFC 6856 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, in ASCII: the language in which every session begins.
    #[default]
    English,
    /// German.
    German,
}

/// A text of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    AlreadyLoggedIn,
    AuthenticationCancelled,
    BeginTls,
    Bye,
    CannotCheckNow,
    CannotCheckTellAdministrator,
    CapabilitiesFollow,
    ExternalWantsCertificate,
    HostNeedsPassword,
    HostRefuses,
    InternalError,
    LanguageChanged,
    LanguagesFollow,
    LineTooLong,
    LogInFirst,
    LoginTooSoon,
    MalformedResponse,
    MarkedForRemoval(MessageNumber),
    MechanismsFollow,
    MessageCompressed,
    MessageDamaged,
    MessageEncrypted,
    MessageTooLarge,
    MessageUnreadableNow,
    Messages { count: usize, octets: u64 },
    MaildropHas { count: usize, octets: u64 },
    MaildropForbidden,
    MaildropInUse,
    MaildropUnavailable,
    NoSuchMessage(MessageNumber),
    NotAllRemoved,
    NoTokensHere,
    Octets(u64),
    PasswordsUnderTls,
    PasswordsUnderTlsSendStls,
    Usage(&'static str),
    SendPass,
    SendUserFirst,
    StlsNotAvailable,
    TokenDoesNotCount,
    TokensUnderTls,
    TokensUnderTlsSendStls,
    TooManyWrongCommands,
    TopFollows,
    UnknownCommand,
    UnknownLanguage,
    UnknownMechanism,
    UniqueIdsFollow,
    UniqueIdsUnavailable,
    Utf8Accepted,
    WrongNameOrPassword,
}

impl Language {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language tag (RFC 5646).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its name in the language itself.
    pub(super) fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The language that fits a language range, by look-up (RFC 4647 §3.4): "the language range is progressively
    /// truncated from the end until a matching language tag is located", so `de-AT` is German.
    #[must_use]
    pub fn fitting(range: &[u8]) -> Option<Self> {
        let mut parts: Vec<&[u8]> = range.split(|octet| *octet == b'-').collect();
        let is_subtag = |part: &&[u8]| (1..=8).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric);
        if !parts.iter().all(is_subtag) {
            return None;
        }
        while !parts.is_empty() {
            let tag = parts.join(&b'-');
            if let Some(language) =
                Self::ALL.into_iter().find(|language| tag.eq_ignore_ascii_case(language.tag().as_bytes()))
            {
                return Some(language);
            }
            parts.pop();
        }
        None
    }
}

impl Text {
    /// The text in a language.
    pub(super) fn render(self, language: Language) -> String {
        match language {
            Language::English => self.in_english(),
            Language::German => self.in_german(),
        }
    }

    fn in_english(self) -> String {
        let text = match self {
            Self::AlreadyLoggedIn => "already logged in",
            Self::AuthenticationCancelled => "authentication cancelled",
            Self::BeginTls => "begin TLS",
            Self::Bye => "bye",
            Self::CannotCheckNow => "cannot check names and passwords now, try again later",
            Self::CannotCheckTellAdministrator => "cannot check names and passwords, tell your administrator",
            Self::CapabilitiesFollow => "capabilities follow",
            Self::ExternalWantsCertificate => "EXTERNAL requires a client certificate that is accepted here",
            Self::HostNeedsPassword => "the maildrop is on another server: log in with name and password",
            Self::HostRefuses => "the server that has this maildrop refuses the login",
            Self::InternalError => "internal error",
            Self::LanguageChanged => "language changed",
            Self::LanguagesFollow => "languages follow",
            Self::LineTooLong => "line too long",
            Self::LogInFirst => "log in first",
            Self::LoginTooSoon => "the last login was too recent, try again later",
            Self::MalformedResponse => "malformed response",
            Self::MarkedForRemoval(number) => return format!("message {number} will be removed at QUIT"),
            Self::MechanismsFollow => "mechanisms follow",
            Self::MessageCompressed => {
                "this message is compressed in a way that cannot be read here, tell your administrator"
            }
            Self::MessageDamaged => "this message is damaged on the server, tell your administrator",
            Self::MessageEncrypted => "this message is encrypted on the server, tell your administrator",
            Self::MessageTooLarge => "this message is too large to be sent, tell your administrator",
            Self::MessageUnreadableNow => "this message cannot be read now",
            Self::Messages { count, octets } => return format!("{count} messages ({octets} octets)"),
            Self::MaildropHas { count, octets } => return format!("maildrop has {count} messages ({octets} octets)"),
            Self::MaildropForbidden => "the maildrop cannot be opened, tell your administrator",
            Self::MaildropInUse => "another session has this maildrop",
            Self::MaildropUnavailable => "the maildrop cannot be opened now, try again later",
            Self::NoSuchMessage(number) => return format!("there is no message {number} in this session"),
            Self::NotAllRemoved => "some deleted messages not removed",
            Self::NoTokensHere => "tokens are not accepted here",
            Self::Octets(octets) => return format!("{octets} octets"),
            Self::PasswordsUnderTls => "passwords are accepted under TLS only",
            Self::PasswordsUnderTlsSendStls => "passwords are accepted under TLS only: send STLS first",
            Self::Usage(usage) => return format!("usage: {usage}"),
            Self::SendPass => "send PASS",
            Self::SendUserFirst => "send USER first",
            Self::StlsNotAvailable => "STLS is not available",
            Self::TokenDoesNotCount => "the token is not valid here",
            Self::TokensUnderTls => "tokens are accepted under TLS only",
            Self::TokensUnderTlsSendStls => "tokens are accepted under TLS only: send STLS first",
            Self::TooManyWrongCommands => "too many wrong commands",
            Self::TopFollows => "top of message follows",
            Self::UnknownCommand => "unknown command",
            Self::UnknownLanguage => "unknown language",
            Self::UnknownMechanism => "unknown mechanism",
            Self::UniqueIdsFollow => "unique-ids follow",
            Self::UniqueIdsUnavailable => "unique-ids are not available now, try again later",
            Self::Utf8Accepted => "UTF8 mode enabled",
            Self::WrongNameOrPassword => "name or password is wrong",
        };
        text.to_owned()
    }

    fn in_german(self) -> String {
        let text = match self {
            Self::AlreadyLoggedIn => "bereits angemeldet",
            Self::AuthenticationCancelled => "Anmeldung abgebrochen",
            Self::BeginTls => "TLS kann beginnen",
            Self::Bye => "auf Wiedersehen",
            Self::CannotCheckNow => "Namen und Passwörter sind gerade nicht prüfbar, bitte später erneut versuchen",
            Self::CannotCheckTellAdministrator => {
                "Namen und Passwörter können nicht geprüft werden, bitte Administrator informieren"
            }
            Self::CapabilitiesFollow => "Fähigkeiten folgen",
            Self::ExternalWantsCertificate => "EXTERNAL erfordert ein Client-Zertifikat, das hier akzeptiert wird",
            Self::HostNeedsPassword => "Postfach auf anderem Server: bitte mit Name und Passwort anmelden",
            Self::HostRefuses => "der Server mit diesem Postfach lehnt die Anmeldung ab",
            Self::InternalError => "interner Fehler",
            Self::LanguageChanged => "Sprache gewechselt",
            Self::LanguagesFollow => "Sprachen folgen",
            Self::LineTooLong => "Zeile zu lang",
            Self::LogInFirst => "bitte zuerst anmelden",
            Self::LoginTooSoon => "die letzte Anmeldung war zu kurz zuvor, bitte später erneut versuchen",
            Self::MalformedResponse => "fehlerhafte Antwort",
            Self::MarkedForRemoval(number) => return format!("Nachricht {number} wird bei QUIT entfernt"),
            Self::MechanismsFollow => "Verfahren folgen",
            Self::MessageCompressed => {
                "die Nachricht ist so komprimiert, dass sie hier nicht gelesen werden kann, bitte Administrator informieren"
            }
            Self::MessageDamaged => "die Nachricht ist auf dem Server beschädigt, bitte Administrator informieren",
            Self::MessageEncrypted => "die Nachricht ist auf dem Server verschlüsselt, bitte Administrator informieren",
            Self::MessageTooLarge => "die Nachricht ist zu groß zum Versenden, bitte Administrator informieren",
            Self::MessageUnreadableNow => "die Nachricht kann gerade nicht gelesen werden",
            Self::Messages { count, octets } => return format!("{count} Nachrichten ({octets} Oktette)"),
            Self::MaildropHas { count, octets } => {
                return format!("{count} Nachrichten im Postfach ({octets} Oktette)");
            }
            Self::MaildropForbidden => "das Postfach kann nicht geöffnet werden, bitte Administrator informieren",
            Self::MaildropInUse => "eine andere Sitzung benutzt dieses Postfach",
            Self::MaildropUnavailable => "das Postfach ist gerade nicht erreichbar, bitte später erneut versuchen",
            Self::NoSuchMessage(number) => return format!("in dieser Sitzung gibt es keine Nachricht {number}"),
            Self::NotAllRemoved => "einige gelöschte Nachrichten wurden nicht entfernt",
            Self::NoTokensHere => "Token werden hier nicht akzeptiert",
            Self::Octets(octets) => return format!("{octets} Oktette"),
            Self::PasswordsUnderTls => "Passwörter werden nur unter TLS akzeptiert",
            Self::PasswordsUnderTlsSendStls => "Passwörter werden nur unter TLS akzeptiert: zuerst STLS senden",
            Self::Usage(usage) => return format!("Syntax: {usage}"),
            Self::SendPass => "weiter mit PASS",
            Self::SendUserFirst => "zuerst USER senden",
            Self::StlsNotAvailable => "STLS ist nicht verfügbar",
            Self::TokenDoesNotCount => "das Token ist hier nicht gültig",
            Self::TokensUnderTls => "Token werden nur unter TLS akzeptiert",
            Self::TokensUnderTlsSendStls => "Token werden nur unter TLS akzeptiert: zuerst STLS senden",
            Self::TooManyWrongCommands => "zu viele ungültige Befehle",
            Self::TopFollows => "Anfang der Nachricht folgt",
            Self::UnknownCommand => "unbekannter Befehl",
            Self::UnknownLanguage => "unbekannte Sprache",
            Self::UnknownMechanism => "unbekanntes Verfahren",
            Self::UniqueIdsFollow => "Kennungen folgen",
            Self::UniqueIdsUnavailable => "Kennungen sind gerade nicht verfügbar, bitte später erneut versuchen",
            Self::Utf8Accepted => "UTF8-Modus eingeschaltet",
            Self::WrongNameOrPassword => "Name oder Passwort ist falsch",
        };
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_finds_the_language_it_is_about() {
        for (range, language) in [
            ("de", Some(Language::German)),
            ("DE-at", Some(Language::German)),
            ("en-GB-oed", Some(Language::English)),
            ("fr", None),
            ("deu", None),
            ("de_AT", None),
            ("de-", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(Language::fitting(range.as_bytes()), language, "{range}");
        }
    }

    #[test]
    fn what_every_session_begins_with_is_ascii() {
        let number = MessageNumber::parse(b"1").unwrap();
        for text in [Text::WrongNameOrPassword, Text::NoSuchMessage(number), Text::CannotCheckNow] {
            assert!(text.render(Language::default()).is_ascii());
        }
    }
}
