//! What a person types into a mail program, in words and in the forms that mail programs and name servers read.
//!
//! | file | form |
//! |---|---|
//! | `words` | sentences for people |
//! | `thunderbird` | the XML that Thunderbird and others fetch (autoconfig) |
//! | `apple` | a configuration profile for iOS and macOS |
//! | `outlook` | the answer of an Autodiscover server to Outlook (POX) |
//! | `zone` | SRV records for a zone (RFC 6186, RFC 8314) |
//! | `xml` | escaping, which the first three need |
//!
//! Everything here is pure: what is known about the person and the server is handed in.

mod apple;
mod outlook;
mod thunderbird;
mod words;
mod xml;
mod zone;

use std::fmt;

/// What the configuration says about mail programs beyond POP3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The server to which they submit mail; none: it is not named.
    pub smtp: Option<MailServer>,
}

/// A server, as mail programs know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How connections are protected.
    pub encryption: MailEncryption,
}

/// How connections to a server are protected. The better ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MailEncryption {
    /// TLS from the first octet.
    Implicit,
    /// TLS after a command.
    StartTls,
    /// Not at all.
    None,
}

/// A person's account, as a mail program has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAccount {
    /// The best way to fetch mail.
    pub pop3: MailServer,
    /// Other ways, the better ones first.
    pub alternatives: Vec<MailServer>,
    /// Where mail is submitted, if that is known.
    pub smtp: Option<MailServer>,
    /// The login name.
    pub login: String,
    /// The person's mail address, if their entry has one.
    pub address: Option<String>,
    /// After how many days the server removes mail that was retrieved; none: it does not.
    pub expires_after_days: Option<u64>,
    /// Whether mail that was not retrieved is removed then, too.
    pub also_unretrieved: bool,
    /// Whether the program must show a certificate as well.
    pub needs_certificate: bool,
    /// The directory whose password it is.
    pub directory: String,
    /// The DN of the person's entry.
    pub entry: String,
}

/// The forms in which an account can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountForm {
    /// Sentences.
    Words,
    /// Thunderbird's XML.
    Thunderbird,
    /// A configuration profile.
    Apple,
    /// Outlook's XML.
    Outlook,
    /// Records for a zone.
    Zone,
}

/// What is missing for a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingForForm {
    /// The program rejects it without a server for submission.
    Smtp,
    /// The program is found by the domain of the mail address.
    Address,
}

impl MailAccount {
    /// The account in a form.
    ///
    /// # Errors
    /// Something that the form needs is not known.
    pub fn write(&self, form: AccountForm) -> Result<String, MissingForForm> {
        match form {
            AccountForm::Words => Ok(words::text(self)),
            AccountForm::Thunderbird => thunderbird::document(self),
            AccountForm::Apple => apple::profile(self),
            AccountForm::Outlook => Ok(outlook::document(self)),
            AccountForm::Zone => Ok(zone::records(self)),
        }
    }

    /// The local part and the domain of the address.
    fn address_parts(&self) -> Option<(&str, &str)> {
        self.address.as_deref()?.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty())
    }

    fn needed_smtp(&self) -> Result<&MailServer, MissingForForm> {
        self.smtp.as_ref().ok_or(MissingForForm::Smtp)
    }
}

impl fmt::Display for MissingForForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smtp => {
                "this format must name a server for outgoing mail as well; set client_settings.smtp.host in the \
                 configuration"
            }
            Self::Address => {
                "this format needs the domain of the person's mail address, but the entry has no mail address"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An account whose every text has characters with a meaning in XML.
    pub(super) fn account() -> MailAccount {
        let server = |host: &str, port, encryption| MailServer { host: host.to_owned(), port, encryption };
        MailAccount {
            pop3: server("mail.example.org", 995, MailEncryption::Implicit),
            alternatives: vec![server("mail.example.org", 110, MailEncryption::StartTls)],
            smtp: Some(server("smtp.example.org", 587, MailEncryption::StartTls)),
            login: "R&D <team> \"x\" 'y'".to_owned(),
            address: Some("r&d@example.org".to_owned()),
            expires_after_days: Some(30),
            also_unretrieved: false,
            needs_certificate: false,
            directory: "staff".to_owned(),
            entry: "uid=x,dc=example,dc=org".to_owned(),
        }
    }

    #[test]
    fn forms_that_programs_reject_without_smtp_are_refused() {
        let account = MailAccount { smtp: None, ..account() };
        for (form, is_written) in [
            (AccountForm::Words, true),
            (AccountForm::Thunderbird, false),
            (AccountForm::Apple, false),
            (AccountForm::Outlook, true),
            (AccountForm::Zone, true),
        ] {
            assert_eq!(account.write(form).is_ok(), is_written, "{form:?}");
        }
        assert_eq!(account.write(AccountForm::Apple), Err(MissingForForm::Smtp));
    }

    #[test]
    fn thunderbird_finds_its_settings_by_the_domain_of_the_address() {
        let account = MailAccount { address: None, ..account() };
        assert_eq!(account.write(AccountForm::Thunderbird), Err(MissingForForm::Address));
        assert!(account.write(AccountForm::Apple).is_ok());
    }
}
