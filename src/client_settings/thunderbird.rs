//! The XML that Thunderbird, K-9 Mail, Evolution and `KMail` fetch from
//! `https://autoconfig.DOMAIN/mail/config-v1.1.xml`. It is the same for everybody at the domain where the login name is
//! made of the address.

use std::fmt::Write as _;

use super::xml::XmlText;
use super::{MailAccount, MailEncryption, MailServer, MissingForForm};

/// The document.
pub(super) fn document(account: &MailAccount) -> Result<String, MissingForForm> {
    let smtp = account.needed_smtp()?;
    let (_, domain) = account.address_parts().ok_or(MissingForForm::Address)?;
    let (domain, login) = (XmlText(domain), login(account));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n  \
         <emailProvider id=\"{domain}\">\n    <domain>{domain}</domain>\n    \
         <displayName>{domain}</displayName>\n    <displayShortName>{domain}</displayShortName>\n"
    );
    for pop3 in std::iter::once(&account.pop3).chain(&account.alternatives) {
        incoming(&mut text, pop3, &login, account.expires_after_days);
    }
    let _ = writeln!(
        text,
        "    <outgoingServer type=\"smtp\">\n{}    </outgoingServer>\n  </emailProvider>\n</clientConfig>",
        server(smtp, &login)
    );
    Ok(text)
}

/// The first of several servers is the one that the program takes.
fn incoming(text: &mut String, pop3: &MailServer, login: &str, days: Option<u64>) {
    let days = days.map(|days| format!("<daysToLeaveMessagesOnServer>{days}</daysToLeaveMessagesOnServer>"));
    let days = days.unwrap_or_default();
    let _ = writeln!(
        text,
        "    <incomingServer type=\"pop3\">\n{}      \
         <pop3><leaveMessagesOnServer>true</leaveMessagesOnServer>{days}</pop3>\n    </incomingServer>",
        server(pop3, login)
    );
}

fn server(server: &MailServer, login: &str) -> String {
    let socket_type = match server.encryption {
        MailEncryption::Implicit => "SSL",
        MailEncryption::StartTls => "STARTTLS",
        MailEncryption::None => "plain",
    };
    let (host, port) = (XmlText(&server.host), server.port);
    format!(
        "      <hostname>{host}</hostname>\n      <port>{port}</port>\n      <socketType>{socket_type}</socketType>\n      \
         <username>{login}</username>\n      <authentication>password-cleartext</authentication>\n"
    )
}

/// A placeholder where the name is made of the address, so that the document is nobody's own.
fn login(account: &MailAccount) -> String {
    match account.address_parts() {
        _ if account.address.as_deref() == Some(&account.login) => "%EMAILADDRESS%".to_owned(),
        Some((local, _)) if local == account.login => "%EMAILLOCALPART%".to_owned(),
        _ => XmlText(&account.login).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::account;
    use super::*;

    #[test]
    fn the_login_name_is_a_placeholder_where_it_is_made_of_the_address() {
        for (name, written) in [("r&d@example.org", "%EMAILADDRESS%"), ("r&d", "%EMAILLOCALPART%"), ("a&b", "a&amp;b")]
        {
            let account = MailAccount { login: name.to_owned(), ..account() };
            assert_eq!(login(&account), written);
        }
    }
}
