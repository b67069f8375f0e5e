//! Playing a dialogue against Restante, in every way in which a client may send it.

use std::cell::Cell;
use std::sync::Arc;

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::fault_injection::InjectedFault;
use restante::demo::people;
use restante::names::Dn;
use rustls::ClientConfig;

use super::script::{Directory, On, Script, Step, matches};
use crate::support::conversation::{Conversation, trusting};
use crate::support::maildir;
use crate::support::service::{Plan, Service, Site};

/// The server's name in its certificate.
const NAME: &str = "localhost";

/// How the client's octets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// A line, then its reply, then the next line.
    Lines,
    /// Each octet in a packet of its own.
    Octets,
    /// All lines in one write; then the replies.
    AtOnce,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    Clear,
    Implicit,
    Stls,
}

/// Every way in which a dialogue is played.
const WAYS: [(Protection, Pace); 6] = [
    (Protection::Clear, Pace::Lines),
    (Protection::Clear, Pace::Octets),
    (Protection::Clear, Pace::AtOnce),
    (Protection::Implicit, Pace::Lines),
    (Protection::Stls, Pace::Lines),
    (Protection::Stls, Pace::AtOnce),
];

/// Plays a dialogue in all ways that it allows.
pub(super) fn play(text: &str) {
    let script = Script::parse(text);
    let stage = Stage::set(&script);
    for (protection, pace) in WAYS {
        let allowed = if protection == Protection::Clear { script.clear } else { script.tls };
        if allowed {
            stage.play(&script, protection, pace);
        }
    }
}

struct Stage {
    world: World,
    service: Service,
    tls: Arc<ClientConfig>,
}

/// The directory, and mail that is new for each play.
pub(super) struct World {
    pub(super) site: Site,
    directory: EmbeddedDirectory,
    plays: Cell<usize>,
}

/// One play under way.
struct Play<'a> {
    stage: &'a Stage,
    /// Where the mail of this play lies, below the root.
    folder: String,
    client: Conversation,
    under_tls: bool,
}

impl Stage {
    fn set(script: &Script) -> Self {
        let world = World::new();
        let mut plan = world.plan(script);
        if let Some(listener) = &script.listener {
            plan.listeners = format!("  - {{ address: \"127.0.0.1:0\", {listener} }}\n");
        }
        let service = world.site.serve(&plan);
        let controls = world.directory.controls();
        // The look at the start is over then: cut in the middle, it would be what the first login hears of.
        service.wait_for_log(&["the directory answers"]);
        match script.directory {
            Directory::Answers => {}
            Directory::Gone => controls.inject(InjectedFault::Refuse),
            Directory::WrongBind => {
                controls.change(|tree| tree.set(people::SERVICE, "userPassword", ["another"])).unwrap();
                controls.close_connections();
            }
        }
        Self { tls: trusting(&world.site.authority()), world, service }
    }

    fn play(&self, script: &Script, protection: Protection, pace: Pace) {
        let folder = self.world.fill_folder(script);
        let mut client = match protection {
            Protection::Implicit => Conversation::tls(self.service.pop3s(), NAME, &self.tls),
            Protection::Clear | Protection::Stls => Conversation::plain(self.service.listeners[0].0),
        };
        client.note(&format!("{protection:?}, {pace:?}"));
        let mut play = Play { stage: self, folder, client, under_tls: protection == Protection::Implicit };
        let (greeting, steps) = script.steps.split_first().unwrap();
        play.step(greeting);
        if protection == Protection::Stls {
            play.client.ask("STLS", "+OK");
            play.step(&Step::Tls);
        }
        // After the TLS handshake the client begins anew.
        for part in steps.split_inclusive(|step| *step == Step::Tls) {
            play.part(part, pace);
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        let directory = EmbeddedDirectory::start(people::tree().unwrap(), Dn::parse(people::SERVICE)).unwrap();
        Self { site: Site::new(), directory, plays: Cell::new(0) }
    }

    /// Each play has Maildirs of its own. The directory says where, and is asked anew at each login.
    pub(super) fn plan(&self, script: &Script) -> Plan {
        let mut plan = Plan::at(&self.directory.url()).and("refusal_step: 0s\ncache: { found: 0s, missed: 0s }");
        plan.mailboxes = String::from("  path: \"{attr:description}/{short_name}\"\n");
        plan.further.push_str(&script.config);
        plan
    }

    /// Everybody gets the messages, in Maildirs where no play was before.
    pub(super) fn fill_folder(&self, script: &Script) -> String {
        self.plays.set(self.plays.get() + 1);
        let folder = format!("play-{}", self.plays.get());
        let messages: Vec<(String, &[u8])> =
            (1..).zip(&script.messages).map(|(number, octets)| (place(number), octets.as_slice())).collect();
        let messages: Vec<(&str, &[u8])> = messages.iter().map(|(name, octets)| (name.as_str(), *octets)).collect();
        for person in people::people().unwrap() {
            maildir::make(&self.site.root().join(&folder).join(person.short_name), &messages);
            let described = |tree: &mut restante::demo::tree::Tree| tree.set(&person.dn, "description", [&*folder]);
            self.directory.controls().change(described).unwrap();
        }
        folder
    }

    /// What is left of the messages of the person who logs in.
    pub(super) fn left(&self, folder: &str) -> Vec<String> {
        maildir::names(&self.site.root().join(folder).join("ajones"))
    }
}

/// The messages of these numbers, as [`World::left`] gives them.
pub(super) fn places(numbers: &[usize]) -> Vec<String> {
    let mut places: Vec<String> = numbers.iter().map(|number| place(*number)).collect();
    places.sort();
    places
}

/// Where message n lies in its Maildir; unread ones lie in `new`. Its unique-id is the name without place and flags.
fn place(number: usize) -> String {
    if number % 2 == 1 { format!("cur/{number}.mx:2,S") } else { format!("new/{number}.mx") }
}

impl Play<'_> {
    fn part(&mut self, steps: &[Step], pace: Pace) {
        if pace == Pace::AtOnce {
            let all: Vec<u8> = steps.iter().filter_map(Step::client).flatten().copied().collect();
            self.client.send_octets(&all);
        }
        for step in steps {
            match (step, pace) {
                (Step::Client(_), Pace::AtOnce) => {}
                (Step::Client(line), Pace::Octets) => line.chunks(1).for_each(|octet| self.client.send_octets(octet)),
                (step, _) => self.step(step),
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Client(line) => self.client.send_octets(line),
            Step::Server { pattern, on } => {
                if *on == On::Both || (*on == On::Tls) == self.under_tls {
                    let line = self.client.line();
                    assert!(matches(pattern, &line), "expected {pattern:?}\n{}", self.client.dialogue());
                }
            }
            Step::Tls => {
                self.client.begin_tls(NAME, &self.stage.tls);
                self.under_tls = true;
            }
            Step::Closed => self.client.ended(),
            Step::Left(numbers) => self.left(numbers),
        }
    }

    fn left(&self, numbers: &[usize]) {
        let left = self.stage.world.left(&self.folder);
        assert_eq!(left, places(numbers), "left on disk\n{}", self.client.dialogue());
    }
}

impl Step {
    pub(super) fn client(&self) -> Option<&Vec<u8>> {
        if let Self::Client(octets) = self { Some(octets) } else { None }
    }
}
