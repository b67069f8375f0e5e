//! A client that takes the end of a connection as it comes: whatever it asks, the service may be killed meanwhile.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::mail::number_in;
use crate::support::PATIENCE;
use crate::support::stage::PASSWORD;

pub(super) struct Talk(BufReader<TcpStream>);

/// What became of a message that was asked for.
pub(super) enum Got {
    /// It came whole: the number in its subject.
    Message(usize),
    /// The reply that began with `-ERR`.
    Refused(String),
}

impl Talk {
    /// Logs in as `ajones`. None if the service is gone, or closed the connection.
    pub(super) fn begin(node: SocketAddr) -> Option<Self> {
        let mut talk = Self::greeted(node)?;
        talk.ask("USER ajones")?;
        // Where one session has the maildrop, the others try again.
        while !talk.ask(&format!("PASS {PASSWORD}"))?.starts_with("+OK") {
            talk.ask("USER ajones")?;
        }
        Some(talk)
    }

    /// Reads the greeting. None if the service is gone, or closed the connection.
    pub(super) fn greeted(node: SocketAddr) -> Option<Self> {
        Self::behind("", node)
    }

    /// The same behind a proxy that sends this header.
    pub(super) fn behind(header: &str, node: SocketAddr) -> Option<Self> {
        let mut stream = TcpStream::connect(node).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(header.as_bytes()).ok()?;
        let mut talk = Self(BufReader::new(stream));
        talk.line()?.starts_with("+OK").then_some(talk)
    }

    /// The first line of the reply.
    pub(super) fn ask(&mut self, command: &str) -> Option<String> {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes()).ok()?;
        self.line()
    }

    /// The unique-ids of all messages, in order.
    pub(super) fn unique_ids(&mut self) -> Option<Vec<String>> {
        let reply = self.ask("UIDL")?;
        assert!(reply.starts_with("+OK"), "UIDL: {reply}");
        let mut unique_ids = Vec::new();
        loop {
            let line = self.line()?;
            let Some((at, unique_id)) = line.trim_end().split_once(' ') else { return Some(unique_ids) };
            unique_ids.push(unique_id.to_owned());
            assert_eq!(at, unique_ids.len().to_string());
        }
    }

    pub(super) fn retrieve(&mut self, at: usize) -> Option<Got> {
        let reply = self.ask(&format!("RETR {at}"))?;
        if reply.starts_with("-ERR") {
            return Some(Got::Refused(reply));
        }
        let message = self.message()?;
        let octets: usize = reply.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(message.len(), octets, "other octets than announced");
        Some(Got::Message(number_in(&message)))
    }

    /// The same of a message's header and its first line.
    pub(super) fn top(&mut self, at: usize) -> Option<Got> {
        let reply = self.ask(&format!("TOP {at} 1"))?;
        if reply.starts_with("-ERR") {
            return Some(Got::Refused(reply));
        }
        Some(Got::Message(number_in(&self.message()?)))
    }

    fn message(&mut self) -> Option<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            match self.line()?.as_str() {
                ".\r\n" => return Some(message),
                line => message.extend_from_slice(line.strip_prefix('.').unwrap_or(line).as_bytes()),
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        line.ends_with('\n').then_some(line)
    }
}
