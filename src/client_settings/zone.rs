//! SRV records by which mail programs find the servers of a domain (RFC 6186; for submission with TLS from the first
//! octet RFC 8314 §5.1), as lines of a zone file.

use std::fmt::Write as _;

use super::{MailAccount, MailEncryption, MailServer};

/// The records, with names relative to the domain of the mail addresses.
pub(super) fn records(account: &MailAccount) -> String {
    let mut text =
        "; For the zone of the domain of the mail addresses (RFC 6186). Clients prefer a lower priority.\n".to_owned();
    let pop3: Vec<&MailServer> = std::iter::once(&account.pop3).chain(&account.alternatives).collect();
    let of = |encryption| pop3.iter().find(|server| server.encryption == encryption).copied();
    // "_pop3s" is POP3 with TLS from the first octet, "_pop3" is POP3, by which clients send STLS.
    record(&mut text, "_pop3s", 0, of(MailEncryption::Implicit));
    record(&mut text, "_pop3", 10, of(MailEncryption::StartTls).or_else(|| of(MailEncryption::None)));
    if let Some(smtp) = &account.smtp {
        let is_implicit = smtp.encryption == MailEncryption::Implicit;
        record(&mut text, "_submissions", 0, Some(smtp).filter(|_| is_implicit));
        record(&mut text, "_submission", 10, Some(smtp).filter(|_| !is_implicit));
    }
    text
}

/// "A Target of "." means that the service is decidedly not available at this domain." (RFC 2782)
fn record(text: &mut String, service: &str, priority: u16, server: Option<&MailServer>) {
    let _ = match server {
        Some(MailServer { host, port, .. }) => {
            let host = host.trim_end_matches('.');
            writeln!(text, "{service}._tcp IN SRV {priority} 1 {port} {host}.")
        }
        None => writeln!(text, "{service}._tcp IN SRV 0 0 0 ."),
    };
}
