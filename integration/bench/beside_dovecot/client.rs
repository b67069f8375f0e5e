//! A POP3 client that costs little: the servers are to be measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};

use super::mail::PASSWORD;

/// A session with one server.
pub struct Client {
    server: SocketAddr,
    wire: Wire,
    block: Box<[u8]>,
    begin: usize,
    end: usize,
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Client {
    /// Connects, and reads the greeting.
    pub fn connect(server: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        let wire = match tls {
            None => Wire::Plain(stream),
            Some(config) => {
                let name = ServerName::try_from("localhost").unwrap();
                let session = ClientConnection::new(Arc::clone(config), name).unwrap();
                Wire::Tls(Box::new(StreamOwned::new(session, stream)))
            }
        };
        let mut client = Self { server, wire, block: vec![0; 256 * 1024].into_boxed_slice(), begin: 0, end: 0 };
        client.ok();
        client
    }

    /// Logs in by USER and PASS, one after the other.
    pub fn log_in(&mut self, name: &str) -> String {
        self.ask(&format!("USER {name}"));
        self.ask(&format!("PASS {PASSWORD}"))
    }

    /// Whether TLS went on from an earlier session.
    pub fn is_resumed(&self) -> bool {
        matches!(&self.wire, Wire::Tls(tls) if tls.conn.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    /// Sends one command, and expects `+OK`.
    pub fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n").as_bytes());
        self.ok()
    }

    /// Sends octets.
    pub fn send(&mut self, octets: &[u8]) {
        match &mut self.wire {
            Wire::Plain(stream) => stream.write_all(octets).unwrap(),
            Wire::Tls(stream) => {
                stream.write_all(octets).unwrap();
                stream.flush().unwrap();
            }
        }
    }

    /// A line that begins with `+OK`; what stands behind it.
    pub fn ok(&mut self) -> String {
        let mut line = Vec::new();
        self.line(&mut line);
        let line = String::from_utf8(line).unwrap();
        line.strip_prefix("+OK").unwrap_or_else(|| panic!("expected +OK, got {line:?}")).trim().to_owned()
    }

    /// The rest of a multi-line reply up to the final dot, each line handed on as it was sent.
    pub fn multiline(&mut self, mut take: impl FnMut(&[u8])) {
        let mut line = Vec::new();
        loop {
            self.line(&mut line);
            if line == b".\r\n" {
                return;
            }
            take(&line);
        }
    }

    fn line(&mut self, line: &mut Vec<u8>) {
        line.clear();
        while line.last() != Some(&b'\n') {
            let waiting = self.waiting();
            let length = memchr::memchr(b'\n', waiting).map_or(waiting.len(), |at| at + 1);
            line.extend_from_slice(&waiting[..length]);
            self.begin += length;
        }
    }

    /// What was read and not looked at; reads when there is nothing.
    fn waiting(&mut self) -> &[u8] {
        if self.begin == self.end {
            let read = match &mut self.wire {
                Wire::Plain(stream) => stream.read(&mut self.block),
                Wire::Tls(stream) => stream.read(&mut self.block),
            };
            (self.begin, self.end) = (0, read.unwrap());
            assert!(self.end > 0, "the server at {} closed in the middle", self.server);
        }
        &self.block[self.begin..self.end]
    }
}
