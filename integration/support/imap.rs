//! An IMAP client for tests: one command after the other, each of which must succeed.

use super::conversation::Conversation;

/// A session of an IMAP server.
pub struct Imap {
    client: Conversation,
}

impl Imap {
    /// Logs in; the greeting must have been read.
    pub fn login(client: Conversation, name: &str, password: &str) -> Self {
        let mut imap = Self { client };
        imap.command(&format!("LOGIN {name} {password}"));
        imap
    }

    /// Carries out a command; gives the untagged lines of its answer.
    pub fn command(&mut self, command: &str) -> Vec<String> {
        let (lines, end) = self.attempt(command);
        assert!(end.starts_with("OK"), "{command}: {end}\n{}", self.client.dialogue());
        lines
    }

    /// The same for one that may be refused; with how it ended.
    pub fn attempt(&mut self, command: &str) -> (Vec<String>, String) {
        self.client.send(&format!("a {command}"));
        let mut lines = Vec::new();
        loop {
            let line = self.client.line();
            if let Some(end) = line.strip_prefix("a ") {
                return (lines, end.to_owned());
            }
            lines.push(line);
        }
    }

    /// Saves a message in INBOX.
    pub fn append(&mut self, message: &[u8]) {
        let command = format!("a APPEND INBOX {{{}+}}\r\n", message.len());
        self.client.send_octets(&[command.as_bytes(), message, b"\r\n"].concat());
        let mut line = self.client.line();
        while !line.starts_with("a ") {
            line = self.client.line();
        }
        assert!(line.starts_with("a OK"), "{line}");
    }

    /// The UIDs of all messages, ascending.
    pub fn uids(&mut self) -> Vec<u32> {
        self.fetched().into_iter().map(|(uid, _)| uid).collect()
    }

    /// The subject and flags of each message, as `one \Seen \Flagged`, ordered by UID; no flag that the server made up
    /// itself.
    pub fn flags(&mut self) -> Vec<String> {
        self.fetched().into_iter().map(|(_, told)| told).collect()
    }

    fn fetched(&mut self) -> Vec<(u32, String)> {
        let lines = self.command("UID FETCH 1:* (FLAGS ENVELOPE)");
        let told = lines.iter().filter_map(|line| {
            let (_, rest) = line.split_once(" FETCH (")?;
            let uid = rest.split_once("UID ")?.1.split([' ', ')']).next()?.parse().ok()?;
            let subject = rest.split_once("ENVELOPE (")?.1.split('"').nth(1)?;
            let flags = rest.split_once("FLAGS (")?.1.split(')').next()?;
            let mut flags: Vec<&str> = flags.split(' ').filter(|flag| !matches!(*flag, "" | "\\Recent")).collect();
            flags.sort_unstable();
            Some((uid, [&[subject], &*flags].concat().join(" ")))
        });
        let mut told: Vec<(u32, String)> = told.collect();
        told.sort();
        told
    }

    /// The names of all folders.
    pub fn folders(&mut self) -> Vec<String> {
        let lines = self.command("LIST \"\" *");
        let mut names: Vec<String> =
            lines.iter().filter_map(|line| Some(line.split_once("\".\" ")?.1.to_owned())).collect();
        names.sort();
        names
    }
}
