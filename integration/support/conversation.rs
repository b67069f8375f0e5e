//! A POP3 client for tests: it says what it is told to, and shows the whole dialogue when something is amiss.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use super::certificates::showing;

/// How long a reply may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// One connection to a POP3 server.
pub struct Conversation {
    wire: Wire,
    /// Read, but not yet looked at.
    input: Vec<u8>,
    /// All that was said, for whoever looks at a failure.
    dialogue: String,
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// TLS as a client that trusts one authority (a PEM file), and nobody else.
pub fn trusting(authority: &Path) -> Arc<ClientConfig> {
    showing(authority, None)
}

impl Conversation {
    /// Connects in clear; the greeting is still to be read.
    pub fn plain(server: SocketAddr) -> Self {
        Self { wire: Wire::Plain(connect(server)), input: Vec::new(), dialogue: String::new() }
    }

    /// Connects in clear from an address of this machine.
    pub fn plain_from(from: IpAddr, server: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
        let connected = socket.connect_timeout(&server.into(), DEADLINE);
        connected.unwrap_or_else(|fault| panic!("cannot connect from {from} to {server}: {fault}"));
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { wire: Wire::Plain(stream), input: Vec::new(), dialogue: String::new() }
    }

    /// Connects with TLS from the first octet, to a server of that name.
    pub fn tls(server: SocketAddr, name: &str, config: &Arc<ClientConfig>) -> Self {
        let mut conversation = Self::plain(server);
        conversation.begin_tls(name, config);
        conversation
    }

    /// Says STLS, expects `+OK`, and does the handshake.
    pub fn stls(&mut self, name: &str, config: &Arc<ClientConfig>) {
        self.ask("STLS", "+OK");
        self.begin_tls(name, config);
    }

    /// Does the handshake on the connection as it is.
    pub fn begin_tls(&mut self, name: &str, config: &Arc<ClientConfig>) {
        assert!(self.input.is_empty(), "said in clear before TLS\n{}", self.dialogue);
        let Wire::Plain(stream) = &self.wire else { panic!("TLS within TLS\n{}", self.dialogue) };
        let (name, mut stream) = (ServerName::try_from(name.to_owned()).unwrap(), stream.try_clone().unwrap());
        let mut session = ClientConnection::new(Arc::clone(config), name).unwrap();
        while session.is_handshaking() {
            let done = session.complete_io(&mut stream);
            done.unwrap_or_else(|fault| panic!("the handshake failed: {fault}\n{}", self.dialogue));
        }
        self.dialogue.push_str("** TLS\n");
        self.wire = Wire::Tls(Box::new(StreamOwned::new(session, stream)));
    }

    /// Sends a line; CRLF is added.
    pub fn send(&mut self, line: &str) {
        self.send_octets(format!("{line}\r\n").as_bytes());
    }

    /// Sends octets as they are.
    pub fn send_octets(&mut self, octets: &[u8]) {
        writeln!(self.dialogue, "C: {}", octets.escape_ascii()).unwrap();
        let sent = match &mut self.wire {
            Wire::Plain(stream) => stream.write_all(octets),
            Wire::Tls(stream) => stream.write_all(octets).and_then(|()| stream.flush()),
        };
        sent.unwrap_or_else(|fault| panic!("cannot send: {fault}\n{}", self.dialogue));
    }

    /// Sends a line to a server that may have ended; none if it has.
    pub fn try_send(&mut self, line: &str) -> Option<()> {
        writeln!(self.dialogue, "C: {line}").unwrap();
        match &mut self.wire {
            Wire::Plain(stream) => stream.write_all(format!("{line}\r\n").as_bytes()).ok(),
            Wire::Tls(stream) => stream.write_all(format!("{line}\r\n").as_bytes()).and_then(|()| stream.flush()).ok(),
        }
    }

    /// The next line, without its CRLF.
    pub fn line(&mut self) -> String {
        let octets = self.line_octets();
        let text = String::from_utf8(octets);
        text.unwrap_or_else(|fault| panic!("not UTF-8: {fault}\n{}", self.dialogue)).trim_end_matches("\r\n").to_owned()
    }

    /// The next line, which must begin like this.
    pub fn expect(&mut self, beginning: &str) -> String {
        let line = self.line();
        assert!(line.starts_with(beginning), "expected {beginning:?}, got {line:?}\n{}", self.dialogue);
        line
    }

    /// Sends a line, and expects a reply that begins like this.
    pub fn ask(&mut self, line: &str, beginning: &str) -> String {
        self.send(line);
        self.expect(beginning)
    }

    /// Logs in by USER and PASS; the greeting must have been read.
    pub fn login(&mut self, name: &str, password: &str) {
        self.ask(&format!("USER {name}"), "+OK");
        self.ask(&format!("PASS {password}"), "+OK");
    }

    /// The lines of a multi-line reply behind its first, exactly as sent: stuffed dots, every CRLF, the final dot.
    pub fn multiline(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        loop {
            let line = self.line_octets();
            octets.extend_from_slice(&line);
            if line == b".\r\n" {
                return octets;
            }
        }
    }

    /// The same as a client keeps it: the stuffed dots taken off (RFC 1939 §3), the final dot left out.
    pub fn message(&mut self) -> Vec<u8> {
        let octets = self.multiline();
        let lines = octets.split_inclusive(|octet| *octet == b'\n').filter(|line| *line != b".\r\n");
        lines.flat_map(|line| line.strip_prefix(b".").unwrap_or(line)).copied().collect()
    }

    /// The next line without its CRLF; none at the end of the connection, whatever stands before it.
    pub fn line_or_end(&mut self) -> Option<String> {
        let deadline = Instant::now() + DEADLINE;
        while !self.input.contains(&b'\n') {
            if !self.fill(deadline) {
                return None;
            }
        }
        Some(self.line())
    }

    /// Expects that the server has nothing more to say and closes the connection.
    pub fn ended(&mut self) {
        while self.fill(Instant::now() + DEADLINE) {}
        assert!(self.input.is_empty(), "more said: {}\n{}", self.input.escape_ascii(), self.dialogue);
    }

    /// Expects that the server has nothing more to say and closes so that the end is no cut: under TLS with its alert,
    /// in clear without breaking the connection.
    pub fn ended_in_good_order(&mut self) {
        let closed = match &mut self.wire {
            Wire::Tls(stream) => stream.read_to_end(&mut self.input),
            Wire::Plain(stream) => stream.read_to_end(&mut self.input),
        };
        closed.unwrap_or_else(|fault| panic!("not closed in good order: {fault}\n{}", self.dialogue));
        assert!(self.input.is_empty(), "more said: {}\n{}", self.input.escape_ascii(), self.dialogue);
    }

    /// The TLS session, to ask what came of the handshake.
    pub fn session(&self) -> &ClientConnection {
        let Wire::Tls(stream) = &self.wire else { panic!("no TLS\n{}", self.dialogue) };
        &stream.conn
    }

    /// Puts a remark into the dialogue.
    pub fn note(&mut self, remark: &str) {
        writeln!(self.dialogue, "** {remark}").unwrap();
    }

    /// What was said so far; what the server said begins with `S:`.
    pub fn dialogue(&self) -> &str {
        &self.dialogue
    }

    fn line_octets(&mut self) -> Vec<u8> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(end) = self.input.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                writeln!(self.dialogue, "S: {}", line.escape_ascii()).unwrap();
                assert!(line.ends_with(b"\r\n"), "a line that ends without CR\n{}", self.dialogue);
                return line;
            }
            let open = self.fill(deadline);
            assert!(open, "closed behind {:?}\n{}", self.input.escape_ascii().to_string(), self.dialogue);
        }
    }

    /// Reads what there is; false at the end of the connection.
    fn fill(&mut self, deadline: Instant) -> bool {
        let mut octets = [0; 16_384];
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "no reply within {DEADLINE:?}\n{}", self.dialogue);
        let read = match &mut self.wire {
            Wire::Plain(stream) => stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut octets)),
            Wire::Tls(stream) => stream.sock.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut octets)),
        };
        match read {
            Ok(count) => {
                self.input.extend_from_slice(&octets[..count]);
                count > 0
            }
            Err(fault) if matches!(fault.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof) => false,
            Err(fault) => panic!("no reply: {fault}\n{}", self.dialogue),
        }
    }
}

fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&server, DEADLINE);
    let stream = stream.unwrap_or_else(|fault| panic!("cannot connect to {server}: {fault}"));
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}
