//! The account in words, by the names that most mail programs use.

use std::fmt::Write as _;

use super::{MailAccount, MailEncryption, MailServer};

/// The text.
pub(super) fn text(account: &MailAccount) -> String {
    let mut text = String::new();
    if let Some(address) = &account.address {
        line(&mut text, "mail address", address);
    }
    text.push_str("\nIncoming mail (POP3)\n");
    server(&mut text, &account.pop3);
    line(&mut text, "login name", &account.login);
    line(&mut text, "password", &format!("that of the entry {} in directory {}", account.entry, account.directory));
    if account.needs_certificate {
        line(&mut text, "certificate", "the person's own, which must be installed in the program");
    }
    for other in &account.alternatives {
        line(&mut text, "also possible", &format!("port {} with {}", other.port, encryption(other)));
    }
    text.push_str("\nOutgoing mail (SMTP)\n");
    match &account.smtp {
        Some(smtp) => {
            server(&mut text, smtp);
            line(&mut text, "login name", "the same, if that server uses the same directory");
        }
        None => line(&mut text, "server", "not configured here (client_settings.smtp)"),
    }
    let _ = write!(text, "\nLeaving messages on the server\n{}", leaving(account));
    text
}

fn server(text: &mut String, server: &MailServer) {
    line(text, "server", &server.host);
    line(text, "port", &server.port.to_string());
    line(text, "encryption", encryption(server));
}

fn encryption(server: &MailServer) -> &'static str {
    match server.encryption {
        MailEncryption::Implicit => "SSL/TLS",
        MailEncryption::StartTls => "STARTTLS",
        MailEncryption::None => "no encryption: the password can be read on the way",
    }
}

/// What the retention of the person's mail means for the program.
fn leaving(account: &MailAccount) -> String {
    let Some(days) = account.expires_after_days else {
        return "  Possible for as long as wanted: the server removes nothing by age. Several devices can fetch the same\n  \
                mail if each is told to leave messages on the server.\n"
            .to_owned();
    };
    let since = if account.also_unretrieved { "it arrived, fetched or not" } else { "it was first fetched" };
    format!(
        "  Possible for {days} days: the server removes each message {days} days after {since}.\n  \
         A second device that fetches less often than that will miss mail.\n"
    )
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<14}{value}");
}
