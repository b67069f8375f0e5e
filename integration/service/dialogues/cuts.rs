//! Dialogues played in memory, without a socket: wherever the client's octets are cut, the server answers the same.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use restante::config::{self, Configuration};
use restante::connection::{
    Client, MaildropLeases, Openings, RecentAddresses, Service, Transport, Unacknowledged, serve,
};
use restante::current::Current;
use restante::directory::Directory;
use restante::identity::{IdentityMap, KnownMaildrops};
use restante::maildir::Store;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::play::{World, places};
use super::script::{On, Script, Step, matches};

/// A client in memory. Its octets arrive piece by piece, each when the server waits for more; then it says nothing more.
struct InMemory {
    pieces: VecDeque<Vec<u8>>,
    /// The server was told to wait for the next piece.
    has_waited: bool,
    replies: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for InMemory {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.has_waited = !self.has_waited;
        if self.has_waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(mut piece) = self.pieces.pop_front() else { return Poll::Ready(Ok(())) };
        let rest = piece.split_off(piece.len().min(buffer.remaining()));
        buffer.put_slice(&piece);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for InMemory {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.replies.lock().unwrap().extend_from_slice(octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Transport for InMemory {
    /// What was written was taken.
    fn unacknowledged(&self) -> Unacknowledged {
        Unacknowledged::Octets(0)
    }
}

/// A service inside this process, with a port in clear.
fn service(world: &World, script: &Script) -> Arc<Service> {
    let file = world.site.folder().join("restante.yaml");
    fs::write(&file, world.plan(script).yaml()).unwrap();
    let Ok(configuration) = config::load(&file) else { panic!("the configuration is wrong") };
    let Configuration { connection: settings, identity, directories, maildir, .. } = configuration;
    let directories = directories.into_iter().map(Directory::new).collect();
    let store = Arc::new(Store::new(maildir).unwrap_or_else(|fault| panic!("{fault}")));
    Arc::new(Service {
        identities: Arc::new(IdentityMap::new(directories, identity).unwrap()),
        known: Arc::new(KnownMaildrops::new(100)),
        openings: Some(Openings::new(store.clone(), settings.file_deadline, Arc::default())),
        leases: Arc::new(MaildropLeases::new(settings.sessions)),
        store: Some(store),
        back_ends: None,
        settings,
        repeats: Arc::default(),
        recent: Arc::new(RecentAddresses::new(Duration::ZERO)),
        ledger: Arc::default(),
    })
}

/// What the server answers to a client whose octets arrive in these pieces.
async fn replies(service: Arc<Service>, pieces: VecDeque<Vec<u8>>) -> String {
    let replies = Arc::default();
    let client = Client {
        transport: InMemory { pieces, has_waited: false, replies: Arc::clone(&replies) },
        peer: ([127, 0, 0, 1], 110).into(),
        listener: "in memory".into(),
        tls: None,
        implicit_tls: false,
        stls: false,
        passwords_in_clear: true,
        is_relayed: false,
        takes_logins: true,
        tls_before: None,
        is_probe: false,
    };
    let (_runs, drain) = watch::channel(false);
    serve(client, Arc::new(Current::new(service)), drain).await;
    let octets = replies.lock().unwrap().clone();
    String::from_utf8(octets).unwrap()
}

/// What the client of a dialogue says, all of it.
fn said(script: &Script) -> Vec<u8> {
    script.steps.iter().filter_map(Step::client).flatten().copied().collect()
}

/// Checks every reply, and what is left on disk.
fn check(script: &Script, replies: &str, left: &[String], cut: &str) {
    let mut lines = replies.split_terminator("\r\n");
    for step in &script.steps {
        match step {
            // This port offers no TLS.
            Step::Server { pattern, on } if *on == On::Both || *on == On::Clear && pattern != "STLS" => {
                let line = lines.next().unwrap_or_else(|| panic!("{cut}: no line for {pattern:?}\n{replies}"));
                assert!(matches(pattern, line), "{cut}: expected {pattern:?}, got {line:?}\n{replies}");
            }
            Step::Left(numbers) => assert_eq!(left, places(numbers), "{cut}: left on disk\n{replies}"),
            _ => {}
        }
    }
    assert_eq!(lines.next(), None, "{cut}\n{replies}");
}

async fn play_at_every_cut(text: &str) {
    let script = Script::parse(text);
    let world = World::new();
    let (service, said) = (service(&world, &script), said(&script));
    let in_two =
        (0..=said.len()).map(|at| (format!("cut at {at}"), [&said[..at], &said[at..]].map(<[u8]>::to_vec).into()));
    let octets = said.chunks(1).map(<[u8]>::to_vec).collect();
    for (cut, pieces) in in_two.chain([("octet by octet".to_owned(), octets)]) {
        let pieces: VecDeque<Vec<u8>> = pieces;
        let folder = world.fill_folder(&script);
        // An empty piece would be the end of what the client says.
        let pieces = pieces.into_iter().filter(|piece: &Vec<u8>| !piece.is_empty()).collect();
        let replies = replies(Arc::clone(&service), pieces).await;
        check(&script, &replies, &world.left(&folder), &cut);
    }
}

/// A test for each.
macro_rules! cut {
    ($($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            play_at_every_cut(include_str!(concat!(stringify!($name), ".txt"))).await;
        })*
    };
}

cut! {
    auth_cancelled
    auth_login
    auth_plain
    language
    message_numbers
    retr
    update
    user_and_pass
    utf8_mode
}
