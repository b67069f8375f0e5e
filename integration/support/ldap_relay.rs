//! A relay in front of an LDAP server that knows where messages begin and end: it breaks off in the middle of one, holds
//! answers back, and turns away whom it shall.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use restante::demo::people::BASE;

/// The controls Sync Request and Sync State (RFC 4533 §2.2 and §2.3).
const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";

/// Tags of protocol operations (RFC 4511 Appendix B).
const BIND_REQUEST: u8 = 0x60;
const BIND_RESPONSE: u8 = 0x61;
const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_DONE: u8 = 0x65;
const SEARCH_RESULTS: [u8; 2] = [0x64, SEARCH_DONE];
const ABANDON_REQUEST: u8 = 0x50;

/// What a relay does with what it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conduct {
    /// Nothing.
    #[default]
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
    /// Lets the server seem to spell some octets otherwise, each in as many octets as it really does.
    Spells(&'static [(&'static [u8], &'static [u8])]),
    /// Never passes the answers to searches that hold this text. All others are answered.
    WithholdsAnswersTo(&'static str),
    /// The same of binds that hold one of these texts.
    WithholdsBindsOf(&'static [&'static str]),
    /// Ends searches that hold this text with a result code, whatever the server finds.
    EndsSearchesFor(&'static str, u8),
}

/// A port that leads to an LDAP server, in clear.
pub struct LdapRelay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    conduct: Mutex<Conduct>,
    binds: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
    searching: AtomicUsize,
    withheld: Mutex<Vec<Instant>>,
    abandoned: AtomicUsize,
}

/// What is known of one connection.
#[derive(Default)]
struct Link {
    /// Who binds as one of the people does nothing else on the same connection.
    is_of_people: AtomicBool,
    has_searched: AtomicBool,
    /// The message-ids of searches and binds that the conduct is about.
    marked: Mutex<Vec<Vec<u8>>>,
}

impl LdapRelay {
    /// Begins to carry what is sent to a port of its own to a server (`ldap://` and its address).
    pub fn to(url: &str) -> Self {
        let server: SocketAddr = url.trim_start_matches("ldap://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared: Arc<Shared> = Arc::default();
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

    /// Connections on which anything was searched so far.
    pub fn search_connections(&self) -> usize {
        self.shared.searching.load(Ordering::SeqCst)
    }

    /// When each search came whose answer is withheld.
    pub fn withheld(&self) -> Vec<Instant> {
        self.shared.withheld.lock().unwrap().clone()
    }

    /// Searches with withheld answers that were abandoned (RFC 4511 §4.11).
    pub fn abandoned(&self) -> usize {
        self.shared.abandoned.load(Ordering::SeqCst)
    }
}

/// What becomes of a message.
enum Fate {
    Passed,
    Withheld,
    /// These octets are sent instead, and the connection goes on.
    Replaced(Vec<u8>),
    /// These octets are sent instead, and the connection ends.
    Ended(Vec<u8>),
}

impl Shared {
    fn carry(self: &Arc<Self>, client: &TcpStream, upstream: &TcpStream) {
        let both = [client, upstream].map(|stream| stream.try_clone().unwrap());
        self.connections.lock().unwrap().extend(both);
        let link: Arc<Link> = Arc::default();
        for answers in [false, true] {
            let (shared, link) = (Arc::clone(self), Arc::clone(&link));
            let (client, upstream) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            std::thread::spawn(move || {
                if answers {
                    pass(&upstream, &client, |message| shared.fate_of_answer(message, &link));
                } else {
                    pass(&client, &upstream, |message| shared.fate_of_request(message, &link));
                }
            });
        }
    }

    fn fate_of_request(&self, message: &[u8], link: &Link) -> Fate {
        let operation = operation(message);
        if operation == SEARCH_REQUEST && !link.has_searched.swap(true, Ordering::SeqCst) {
            self.searching.fetch_add(1, Ordering::SeqCst);
        }
        let conduct = *self.conduct.lock().unwrap();
        if let Conduct::Spells(spellings) = conduct {
            return Fate::Replaced(spelled(message, spellings.iter().map(|(own, seeming)| (*seeming, *own))));
        }
        match operation {
            BIND_REQUEST if holds(message, BASE) => {
                link.is_of_people.store(true, Ordering::SeqCst);
                self.binds.fetch_add(1, Ordering::SeqCst);
                if let Conduct::WithholdsBindsOf(texts) = conduct
                    && texts.iter().any(|text| holds(message, text))
                {
                    link.mark(message);
                }
                Fate::Passed
            }
            SEARCH_REQUEST if conduct == Conduct::TurnsFollowersAway && holds(message, SYNC_REQUEST) => {
                Fate::Ended(Vec::new())
            }
            SEARCH_REQUEST => {
                match conduct {
                    Conduct::WithholdsAnswersTo(text) if holds(message, text) => {
                        self.withheld.lock().unwrap().push(Instant::now());
                        link.mark(message);
                    }
                    Conduct::EndsSearchesFor(text, _) if holds(message, text) => link.mark(message),
                    _ => {}
                }
                Fate::Passed
            }
            ABANDON_REQUEST => {
                let what = abandoned(message);
                if link.marked.lock().unwrap().iter().any(|id| id[2..] == *what) {
                    self.abandoned.fetch_add(1, Ordering::SeqCst);
                }
                Fate::Passed
            }
            _ => Fate::Passed,
        }
    }

    fn fate_of_answer(&self, message: &[u8], link: &Link) -> Fate {
        let operation = operation(message);
        let is_marked = link.is_marked(message);
        let mut conduct = self.conduct.lock().unwrap();
        match &mut *conduct {
            Conduct::Spells(spellings) => Fate::Replaced(spelled(message, spellings.iter().copied())),
            Conduct::CutsInSearches(left @ 1..) if SEARCH_RESULTS.contains(&operation) => {
                *left -= 1;
                Fate::Ended(message[..message.len() / 2].to_vec())
            }
            Conduct::CutsInBinds(left @ 1..)
                if operation == BIND_RESPONSE && link.is_of_people.load(Ordering::SeqCst) =>
            {
                *left -= 1;
                Fate::Ended(message[..message.len() / 2].to_vec())
            }
            Conduct::WantsFollowersAnew if holds(message, SYNC_STATE) => Fate::Ended(refresh_required(message)),
            Conduct::EndsSearchesFor(_, code) if is_marked => match operation {
                SEARCH_DONE => Fate::Replaced(search_done(message, &[*code])),
                _ => Fate::Withheld,
            },
            _ if is_marked => Fate::Withheld,
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

impl Link {
    fn mark(&self, request: &[u8]) {
        self.marked.lock().unwrap().push(request[message_id(request)].to_vec());
    }

    fn is_marked(&self, answer: &[u8]) -> bool {
        self.marked.lock().unwrap().iter().any(|id| *id == answer[message_id(answer)])
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
                Fate::Withheld => continue,
                Fate::Replaced(instead) => (instead, true),
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

/// A message with octets replaced by others, as many as there were.
fn spelled<'a>(message: &[u8], spellings: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut message = message.to_vec();
    for (from, to) in spellings {
        assert_eq!(from.len(), to.len());
        for at in 0..message.len().saturating_sub(from.len() - 1) {
            if message[at..].starts_with(from) {
                message[at..at + to.len()].copy_from_slice(to);
            }
        }
    }
    message
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

/// The octets of the message-id that an abandon request is about: it is nothing else (RFC 4511 §4.11).
fn abandoned(message: &[u8]) -> &[u8] {
    &message[message_id(message).end + 2..]
}

/// The end of the search that a message belongs to, with e-syncRefreshRequired (4096, RFC 4533 §2.5).
fn refresh_required(message: &[u8]) -> Vec<u8> {
    search_done(message, &[0x10, 0])
}

/// The end of the search that a message belongs to: a result code, without matched DN and text.
fn search_done(message: &[u8], code: &[u8]) -> Vec<u8> {
    let id = &message[message_id(message)];
    let octets = |count: usize| u8::try_from(count).unwrap();
    let result = [&[0x0a, octets(code.len())], code, &[0x04, 0, 0x04, 0]].concat();
    let result = [&[SEARCH_DONE, octets(result.len())], &*result].concat();
    [&[0x30, octets(id.len() + result.len())], id, &result].concat()
}
