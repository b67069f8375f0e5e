//! Coexistence with other programs that use the same Maildirs during our sessions: a real IMAP server, delivery agents, mbsync, mutt.

mod compressed;
mod imap;
mod postfix;
mod programs;
use crate::support::dovecot::Dovecot;
use crate::support::stage::Stage;

/// Restante and Dovecot on the same mail, under the same user.
struct Neighbours {
    dovecot: Dovecot,
    stage: Stage,
}

impl Neighbours {
    /// With further lines of `mailboxes:`, and messages in the Maildir of `ajones`.
    fn new(mailboxes: &str, messages: &[(&str, &[u8])]) -> Self {
        Self::beside(mailboxes, messages, "")
    }

    /// The same, with further lines for Dovecot.
    fn beside(mailboxes: &str, messages: &[(&str, &[u8])], dovecot: &str) -> Self {
        let stage = Stage::set_by(messages, |plan, site| {
            plan.mailboxes.push_str(mailboxes);
            if rustix::process::geteuid().is_root() {
                plan.further.push_str("user: mail\n");
                crate::support::dovecot::hand_over(site);
            }
        });
        Self { dovecot: Dovecot::serve(&stage.site, dovecot), stage }
    }

    /// The unique-ids of a session of ours, with their numbers.
    fn unique_ids(&self) -> Vec<String> {
        let mut client = self.stage.session();
        client.ask("UIDL", "+OK");
        let lines = String::from_utf8(client.multiline()).unwrap();
        client.ask("QUIT", "+OK");
        lines.lines().filter(|line| *line != ".").map(str::to_owned).collect()
    }
}
