//! A configuration profile for iOS, iPadOS and macOS: a property list with the payload `com.apple.mail.managed`. It is
//! unsigned; a signed one is this text in CMS (`openssl smime -sign -nodetach`).

use std::fmt::Write as _;

use super::xml::XmlText;
use super::{MailAccount, MailEncryption, MailServer, MissingForForm};

/// The name space of domain names (RFC 9562 §6.6): identifiers begin with one.
const NAME_SPACE: [u8; 16] =
    [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// The property list.
pub(super) fn profile(account: &MailAccount) -> Result<String, MissingForForm> {
    let smtp = account.needed_smtp()?;
    let identifier = identifier(account);
    let mut mail = Dictionary::default();
    mail.payload("com.apple.mail.managed", &format!("{identifier}.mail"), &account.pop3.host);
    mail.string("EmailAccountType", "EmailTypePOP");
    if let Some(address) = &account.address {
        mail.string("EmailAddress", address);
    }
    mail.server("Incoming", &account.pop3, &account.login);
    mail.server("Outgoing", smtp, &account.login);
    mail.flag("OutgoingPasswordSameAsIncomingPassword", true);
    let mut profile = Dictionary::default();
    profile.payload("Configuration", &identifier, &account.pop3.host);
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n{}<key>PayloadContent</key>\n<array>\n<dict>\n{}</dict>\n</array>\n</dict>\n</plist>\n",
        profile.0, mail.0
    ))
}

/// The same at each call, so that a profile replaces the one installed before.
fn identifier(account: &MailAccount) -> String {
    let reversed: Vec<&str> = account.pop3.host.rsplit('.').collect();
    format!("{}.restante.{}", reversed.join("."), account.login)
}

/// The keys and values of a dictionary.
#[derive(Default)]
struct Dictionary(String);

impl Dictionary {
    /// What every payload has.
    fn payload(&mut self, kind: &str, identifier: &str, display_name: &str) {
        self.string("PayloadType", kind);
        self.number("PayloadVersion", 1);
        self.string("PayloadIdentifier", identifier);
        self.string("PayloadUUID", &uuid(identifier));
        self.string("PayloadDisplayName", display_name);
    }

    fn server(&mut self, direction: &str, server: &MailServer, login: &str) {
        self.string(&format!("{direction}MailServerHostName"), &server.host);
        self.number(&format!("{direction}MailServerPortNumber"), server.port);
        // With a port for STARTTLS, the program sends that command.
        self.flag(&format!("{direction}MailServerUseSSL"), server.encryption != MailEncryption::None);
        self.string(&format!("{direction}MailServerAuthentication"), "EmailAuthPassword");
        self.string(&format!("{direction}MailServerUsername"), login);
    }

    fn string(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.0, "<key>{key}</key>\n<string>{}</string>", XmlText(value));
    }

    fn number(&mut self, key: &str, value: u16) {
        let _ = writeln!(self.0, "<key>{key}</key>\n<integer>{value}</integer>");
    }

    fn flag(&mut self, key: &str, value: bool) {
        let _ = writeln!(self.0, "<key>{key}</key>\n<{value}/>");
    }
}

/// "`UUIDv3` is meant for generating UUIDs from names": the MD5 of a name space and a name in it, with version and variant
/// (RFC 9562 §5.3).
fn uuid(name: &str) -> String {
    let mut octets = md5::compute([&NAME_SPACE, name.as_bytes()].concat()).0;
    octets[6] = (octets[6] & 0x0f) | 0x30;
    octets[8] = (octets[8] & 0x3f) | 0x80;
    let digits = octets.iter().fold(String::new(), |digits, octet| digits + &format!("{octet:02X}"));
    let part = |from, to| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_those_that_other_programs_make_of_the_same_name() {
        // `uuid.uuid3(uuid.NAMESPACE_DNS, "python.org")`, from the documentation of Python's module uuid.
        assert_eq!(uuid("python.org"), "6FA459EA-EE8A-3CA4-894E-DB77E160355E");
    }
}
