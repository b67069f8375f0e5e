//! A relay in front of an LDAP server that knows where messages begin and end: it breaks off in the middle of one, holds
//! answers back, and turns away whom it shall.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use restante::demo::people::BASE;

/// The controls Sync Request and Sync State (RFC 4533 §2.2 and §2.3).
const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";

/// Tags of protocol operations (RFC 4511 Appendix B).
const BIND_REQUEST: u8 = 0x60;
const BIND_RESPONSE: u8 = 0x61;
const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_RESULTS: [u8; 2] = [0x64, 0x65];

/// What a relay does with what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Nothing.
    Faithful,
    /// Ends connections in the middle of the answer to a search, so many times.
    CutsInSearches(usize),
    /// Ends connections in the middle of the answer to a bind as one of the people, so many times.
    CutsInBinds(usize),
    /// Holds each answer back for so long.
    Slow(Duration),
    /// Ends connections that ask to follow the directory.
    TurnsFollowersAway,
    /// Instead of the next change, tells who follows the directory to begin anew, whose connection ends behind that.
    WantsFollowersAnew,
}

/// A port that leads to an LDAP server, in clear.
pub struct LdapRelay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    conduct: Mutex<Conduct>,
    binds: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
}

impl LdapRelay {
    /// Begins to carry what is sent to a port of its own to a server (`ldap://` and its address).
    pub fn to(url: &str) -> Self {
        let server: SocketAddr = url.trim_start_matches("ldap://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let conduct = Mutex::new(Conduct::Faithful);
        let shared = Arc::new(Shared { conduct, binds: AtomicUsize::default(), connections: Mutex::default() });
        let relay = Self { address: listener.local_addr().unwrap(), shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if let Ok(upstream) = TcpStream::connect(server) {
                    shared.carry(&client, &upstream);
                }
            }
        });
        relay
    }

    /// `ldap://` and its address.
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// Changes what it does from now on, with connections that there are too.
    pub fn set(&self, conduct: Conduct) {
        *self.shared.conduct.lock().unwrap() = conduct;
    }

    /// Ends all connections there are.
    pub fn end_connections(&self) {
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            let _ended_before = connection.shutdown(Shutdown::Both);
        }
    }

    /// Binds as one of the people that were sent through it so far.
    pub fn binds(&self) -> usize {
        self.shared.binds.load(Ordering::SeqCst)
    }
}

/// What becomes of a message.
enum Fate {
    Passed,
    /// These octets are sent instead, and the connection ends.
    Ended(Vec<u8>),
}

impl Shared {
    fn carry(self: &Arc<Self>, client: &TcpStream, upstream: &TcpStream) {
        let both = [client, upstream].map(|stream| stream.try_clone().unwrap());
        self.connections.lock().unwrap().extend(both);
        // Who binds as one of the people does nothing else on the same connection.
        let is_of_people = Arc::new(AtomicBool::default());
        for answers in [false, true] {
            let (shared, is_of_people) = (Arc::clone(self), Arc::clone(&is_of_people));
            let (client, upstream) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            std::thread::spawn(move || {
                if answers {
                    pass(&upstream, &client, |message| shared.fate_of_answer(message, &is_of_people));
                } else {
                    pass(&client, &upstream, |message| shared.fate_of_request(message, &is_of_people));
                }
            });
        }
    }

    fn fate_of_request(&self, message: &[u8], is_of_people: &AtomicBool) -> Fate {
        let conduct = *self.conduct.lock().unwrap();
        match operation(message) {
            BIND_REQUEST if holds(message, BASE) => {
                is_of_people.store(true, Ordering::SeqCst);
                self.binds.fetch_add(1, Ordering::SeqCst);
                Fate::Passed
            }
            SEARCH_REQUEST if conduct == Conduct::TurnsFollowersAway && holds(message, SYNC_REQUEST) => {
                Fate::Ended(Vec::new())
            }
            _ => Fate::Passed,
        }
    }

    fn fate_of_answer(&self, message: &[u8], is_of_people: &AtomicBool) -> Fate {
        let operation = operation(message);
        let mut conduct = self.conduct.lock().unwrap();
        match &mut *conduct {
            Conduct::CutsInSearches(left @ 1..) if SEARCH_RESULTS.contains(&operation) => {
                *left -= 1;
                Fate::Ended(message[..message.len() / 2].to_vec())
            }
            Conduct::CutsInBinds(left @ 1..) if operation == BIND_RESPONSE && is_of_people.load(Ordering::SeqCst) => {
                *left -= 1;
                Fate::Ended(message[..message.len() / 2].to_vec())
            }
            Conduct::WantsFollowersAnew if holds(message, SYNC_STATE) => Fate::Ended(refresh_required(message)),
            Conduct::Slow(pause) => {
                let pause = *pause;
                drop(conduct);
                std::thread::sleep(pause);
                Fate::Passed
            }
            _ => Fate::Passed,
        }
    }
}

/// Passes messages on until the connection ends.
fn pass(mut from: &TcpStream, mut to: &TcpStream, fate: impl Fn(&[u8]) -> Fate) {
    let (mut input, mut octets) = (Vec::new(), [0; 4096]);
    'connection: while let Ok(count @ 1..) = from.read(&mut octets) {
        input.extend_from_slice(&octets[..count]);
        while let Some(length) = length(&input).filter(|length| *length <= input.len()) {
            let message: Vec<u8> = input.drain(..length).collect();
            let (octets, goes_on) = match fate(&message) {
                Fate::Passed => (message, true),
                Fate::Ended(instead) => (instead, false),
            };
            if to.write_all(&octets).is_err() || !goes_on {
                break 'connection;
            }
        }
    }
    for stream in [from, to] {
        let _ended_before = stream.shutdown(Shutdown::Both);
    }
}

/// The octets of the message that begins here: a sequence (X.690 §8.1.3), if its length is there already.
fn length(octets: &[u8]) -> Option<usize> {
    let first = usize::from(*octets.get(1)?);
    if first < 0x80 {
        return Some(2 + first);
    }
    let more = octets.get(2..2 + (first - 0x80))?;
    Some(2 + more.len() + more.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)))
}

/// Whether a message has a text somewhere, upper or lower case alike.
fn holds(message: &[u8], text: &str) -> bool {
    message.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

/// The tag behind the message-id.
fn operation(message: &[u8]) -> u8 {
    let id = message_id(message);
    message[id.end]
}

/// Where the message-id stands, an integer.
fn message_id(message: &[u8]) -> Range<usize> {
    let header = if message[1] < 0x80 { 2 } else { 2 + usize::from(message[1] - 0x80) };
    header..header + 2 + usize::from(message[header + 1])
}

/// The end of the search that a message belongs to, with e-syncRefreshRequired (4096, RFC 4533 §2.5): a result without
/// matched DN and text.
fn refresh_required(message: &[u8]) -> Vec<u8> {
    let id = &message[message_id(message)];
    let result = [0x65, 8, 0x0a, 2, 0x10, 0, 0x04, 0, 0x04, 0];
    let length = u8::try_from(id.len() + result.len()).unwrap();
    [&[0x30, length], id, &result].concat()
}
