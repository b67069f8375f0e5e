//! `client_settings`: what `restante client-settings` says beyond POP3.

use super::clients;
use super::section::Section;
use crate::client_settings::{self as mail_programs, MailEncryption, MailServer};

/// The settings; there is no server for submission without its name.
pub(super) fn read(root: &Section<'_>) -> mail_programs::Settings {
    let smtp = root.section("client_settings").section("smtp");
    let words = [
        ("implicit", MailEncryption::Implicit),
        ("starttls", MailEncryption::StartTls),
        ("none", MailEncryption::None),
    ];
    let encryption = smtp.word("tls", MailEncryption::Implicit, &words);
    let default = default_port(encryption);
    let port = u16::try_from(smtp.count("port", default.into(), 1..=u16::MAX.into())).unwrap_or(default);
    let host = smtp.parsed("host", clients::host);
    if smtp.get("host").is_none() {
        let what = "has no effect without host; expected that key as well, or neither";
        let without = |key| smtp.fault(key, smtp.place_of(key), what);
        if encryption != MailEncryption::Implicit {
            without("tls");
        }
        if port != default {
            without("port");
        }
    }
    mail_programs::Settings { smtp: host.map(|host| MailServer { host, port, encryption }) }
}

/// Of submission (RFC 6409 §3.1), and of submission with TLS from the first octet (RFC 8314 §7.3).
fn default_port(encryption: MailEncryption) -> u16 {
    match encryption {
        MailEncryption::Implicit => 465,
        MailEncryption::StartTls | MailEncryption::None => 587,
    }
}
