//! The answer of an Autodiscover server to Outlook, in the plain-XML form (POX, MS-OXDSCLI), as
//! `https://autodiscover.DOMAIN/autodiscover/autodiscover.xml` gives it for one person.

use std::fmt::Write as _;

use super::xml::XmlText;
use super::{MailAccount, MailEncryption, MailServer};

/// The document.
pub(super) fn document(account: &MailAccount) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n  \
         <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\n    \
         <Account>\n      <AccountType>email</AccountType>\n      <Action>settings</Action>\n"
        .to_owned();
    protocol(&mut text, "POP3", &account.pop3, &account.login);
    if let Some(smtp) = &account.smtp {
        protocol(&mut text, "SMTP", smtp, &account.login);
    }
    text.push_str("    </Account>\n  </Response>\n</Autodiscover>\n");
    text
}

fn protocol(text: &mut String, kind: &str, server: &MailServer, login: &str) {
    let (host, port, login) = (XmlText(&server.host), server.port, XmlText(login));
    // Encryption wins over SSL where a version of Outlook knows both.
    let (ssl, encryption) = match server.encryption {
        MailEncryption::Implicit => ("on", "SSL"),
        MailEncryption::StartTls => ("off", "TLS"),
        MailEncryption::None => ("off", "None"),
    };
    let _ = writeln!(
        text,
        "      <Protocol>\n        <Type>{kind}</Type>\n        <Server>{host}</Server>\n        <Port>{port}</Port>\n        \
         <LoginName>{login}</LoginName>\n        <SPA>off</SPA>\n        <SSL>{ssl}</SSL>\n        \
         <Encryption>{encryption}</Encryption>\n        <AuthRequired>on</AuthRequired>\n      </Protocol>"
    );
}
