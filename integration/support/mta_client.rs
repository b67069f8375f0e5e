//! Clients of the sockets for mail transfer agents, which say what a test wants.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::PATIENCE;

/// A client of the SASL service.
pub struct SaslClient {
    stream: BufReader<UnixStream>,
    /// The lines of the handshake that name mechanisms.
    pub mechanisms: Vec<String>,
}

impl SaslClient {
    /// Connects, and reads the handshake, which comes unasked.
    pub fn connect(socket: &Path) -> Self {
        let mut client = Self { stream: BufReader::new(connect(socket)), mechanisms: Vec::new() };
        assert_eq!(client.line().unwrap(), "VERSION\t1\t2");
        loop {
            match client.line().unwrap() {
                line if line == "DONE" => break,
                line if line.starts_with("MECH\t") => client.mechanisms.push(line),
                _ => {}
            }
        }
        assert_eq!(client.mechanisms[..2], ["MECH\tPLAIN\tplaintext", "MECH\tLOGIN\tplaintext"]);
        client.send("VERSION\t1\t0\nCPID\t77\n");
        client
    }

    /// Sends octets as they are; the service may have closed the connection.
    pub fn send(&mut self, text: &str) {
        let _closed_before = self.stream.get_mut().write_all(text.as_bytes());
    }

    /// Begins a login by PLAIN.
    pub fn plain(&mut self, id: u32, from: &str, (name, password): (&str, &str)) {
        let message = STANDARD.encode(format!("\0{name}\0{password}"));
        self.send(&format!("AUTH\t{id}\tPLAIN\tservice=smtp\tnologin\trip={from}\tresp={message}\n"));
    }

    /// The next line; none if the service has closed the connection.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.strip_suffix('\n').expect("a whole line").to_owned()),
            Err(fault) if fault.kind() == ErrorKind::ConnectionReset => None,
            Err(fault) => panic!("{fault}"),
        }
    }

    /// Sends a line; gives the next one.
    pub fn ask(&mut self, line: &str) -> Option<String> {
        self.send(&format!("{line}\n"));
        self.line()
    }
}

/// A client of the tables.
pub struct TableClient(UnixStream);

impl TableClient {
    /// Connects.
    pub fn connect(socket: &Path) -> Self {
        Self(connect(socket))
    }

    /// Looks a key up.
    pub fn look_up(&mut self, table: &str, key: &str) -> String {
        let request = format!("{table} {key}");
        self.raw(&format!("{}:{request},", request.len())).expect("an answer")
    }

    /// Sends octets as they are; the answer, or none if the connection is closed.
    pub fn raw(&mut self, text: &str) -> Option<String> {
        let _closed_before = self.0.write_all(text.as_bytes());
        let (mut length, mut octet) = (String::new(), [0]);
        loop {
            match self.0.read_exact(&mut octet) {
                Ok(()) if octet[0] == b':' => break,
                Ok(()) => length.push(char::from(octet[0])),
                Err(_) => return None,
            }
        }
        let mut reply = vec![0; length.parse::<usize>().unwrap() + 1];
        self.0.read_exact(&mut reply).unwrap();
        assert_eq!(reply.pop(), Some(b','));
        Some(String::from_utf8(reply).unwrap())
    }
}

fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).unwrap_or_else(|fault| panic!("{}: {fault}", socket.display()));
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}
