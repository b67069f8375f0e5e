//! Two directories: a person is found only if they are the only one anywhere, and judged by the one that holds them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use restante::demo::directory::{Controls, EmbeddedDirectory};
use restante::demo::fault_injection::InjectedFault;
use restante::demo::people::{self, SERVICE};
use restante::directory::{self, NameLimits, ServiceBind};
use restante::identity::{Ambiguous, IdentityMap, Lifetimes, RetentionPolicy, ScramSettings, Settings};
use restante::lockout;
use restante::maildir::PathTemplate;
use restante::names::{Dn, DnPattern, Policy};

use super::{ALAN, LAMB, PASSWORD, asking, told, unchanged_for_long};
use crate::support::{PATIENCE, factory};

const LAMBS: &str = "seven green lamps";
const NIGHT_LAMB: &str = "uid=alamb2,ou=Night,ou=people,o=factory";
const BEA: &str = "uid=bwright,ou=people,o=factory";

/// An identity map in front of two directories, `renovations` and `factory`.
pub(super) struct Two {
    pub(super) map: IdentityMap,
    pub(super) first: Controls,
    pub(super) second: Controls,
    _directories: [EmbeddedDirectory; 2],
}

/// What a test has differently.
pub(super) struct Setup {
    pub(super) cache: Lifetimes,
    pub(super) ambiguous: Ambiguous,
    pub(super) lockout: lockout::Settings,
    /// The names that each directory is for.
    pub(super) limits: [NameLimits; 2],
    pub(super) second: &'static str,
    pub(super) base: &'static str,
    pub(super) service: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            cache: Lifetimes::default(),
            ambiguous: Ambiguous::Refuse,
            lockout: lockout::Settings::off(),
            limits: Default::default(),
            second: factory::LDIF,
            base: factory::BASE,
            service: factory::SERVICE,
        }
    }
}

impl Two {
    fn new() -> Self {
        Self::with(Setup::default())
    }

    /// Nothing is held but the grace.
    fn holding_nothing() -> Self {
        let no_time = Duration::ZERO;
        let cache =
            Lifetimes { found: no_time, missed: no_time, password: no_time, refused: no_time, ..Lifetimes::default() };
        Self::with(Setup { cache, ..Setup::default() })
    }

    pub(super) fn with(setup: Setup) -> Self {
        let second = unchanged_for_long(setup.second);
        let directories = [(unchanged_for_long(people::LDIF), SERVICE), (second, setup.service)]
            .map(|(tree, service)| EmbeddedDirectory::start(tree, Dn::parse(service)).unwrap());
        let [of_first, of_second] = setup.limits;
        let first = directory::Settings { names: of_first, ..asking("renovations", &directories[0].url()) };
        let second = asking("factory", &directories[1].url());
        let bind = second.bind.map(|bind| ServiceBind { dn: Dn::parse(setup.service).unwrap(), ..bind });
        let base = Dn::parse(setup.base).unwrap();
        let second = directory::Settings { names: of_second, base, bind, ..second };
        let settings = Settings {
            policy: Policy::fewer(),
            ambiguous: setup.ambiguous,
            ends_sessions: true,
            template: PathTemplate::parse("{short_name}/Maildir").unwrap(),
            root: PathBuf::from("/srv/mail"),
            cache: setup.cache,
            lockout: setup.lockout,
            scram: ScramSettings::default(),
            retention: RetentionPolicy::default(),
            tokens: None,
            relay: None,
        };
        let asked = [first, second].map(directory::Directory::new);
        let map = IdentityMap::new(asked.into(), settings).unwrap();
        let [first, second] = [&directories[0], &directories[1]].map(EmbeddedDirectory::controls);
        Self { map, first, second, _directories: directories }
    }

    pub(super) async fn login(&self, name: &str, password: &str) -> String {
        told(&self.map, "127.0.0.1", name, password).await
    }

    pub(super) async fn until(&self, name: &str, password: &str, wanted: &str) {
        let began = Instant::now();
        while self.login(name, password).await != wanted {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {wanted:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Binds as people in each.
    pub(super) fn binds(&self) -> (u64, u64) {
        (self.first.asked().binds, self.second.asked().binds)
    }
}

#[tokio::test]
async fn each_person_is_proven_by_their_own_directory() {
    let two = Two::new();
    assert_eq!(two.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(two.binds(), (1, 0));
    assert_eq!(two.login("bea@factory.example", "anvil").await, "bwright/Maildir by bind");
    assert_eq!(two.login("bwright", "wrong").await, "refused: wrong password");
    assert_eq!(two.binds(), (1, 2), "never tried on another directory");
    assert_eq!(two.login("bwright", PASSWORD).await, "refused: wrong password");
    assert_eq!(two.login("nobody", "x").await, "refused: no such login name");
    // A DN is read in the directory whose base it lies below; the other is not asked.
    let before = two.first.asked().searches;
    assert_eq!(two.login(BEA, "anvil").await, "bwright/Maildir by cache");
    assert_eq!(two.first.asked().searches, before);
}

#[tokio::test]
async fn a_name_that_two_directories_have_is_ambiguous() {
    let two = Two::new();
    let both = format!("refused: ambiguous: {LAMB} in renovations and {NIGHT_LAMB} in factory");
    for password in [LAMBS, "bellows", "neither"] {
        assert_eq!(two.login("Alan Lamb", password).await, both);
    }
    let told = two.login("jmueller", "chisel").await;
    assert!(told.starts_with("refused: ambiguous: ") && told.ends_with(" in factory"), "{told}");
    assert_eq!(two.binds(), (0, 0));
    for (name, password, opened) in [("alamb", LAMBS, "alamb"), ("alamb2", "bellows", "alamb2")] {
        assert_eq!(two.login(name, password).await, format!("{opened}/Maildir by bind"));
    }
}

/// The same DN, the same entryUUID: still two people.
#[tokio::test]
async fn entries_of_two_directories_are_never_taken_for_one() {
    let two = Two::with(Setup { second: people::LDIF, base: people::BASE, service: SERVICE, ..Setup::default() });
    let uuid = "5e0c2a4e-0000-4000-8000-000000000001";
    for controls in [&two.first, &two.second] {
        controls.change(|tree| tree.set(ALAN, "entryUUID", [uuid]).unwrap());
    }
    assert_eq!(
        two.login("ajones", PASSWORD).await,
        format!("refused: ambiguous: {ALAN} in renovations and {ALAN} in factory")
    );
    // Names of their own: what is held of one is not believed of the other.
    two.first.change(|tree| tree.set(ALAN, "cn", ["Alan the First"]).unwrap());
    two.second.change(|tree| {
        tree.set(ALAN, "cn", ["Alan the Second"]).unwrap();
        tree.set(ALAN, "userPassword", ["of the second"]).unwrap();
        tree.set(ALAN, "pwdChangedTime", ["20400101000000Z"]).unwrap();
    });
    two.first.change(|tree| tree.set(ALAN, "pwdChangedTime", ["20400101000000Z"]).unwrap());
    for (name, password) in [("Alan the First", PASSWORD), ("Alan the Second", "of the second")] {
        assert_eq!(two.login(name, password).await, "ajones/Maildir by bind");
        assert_eq!(two.login(name, password).await, "ajones/Maildir by cache");
    }
    assert_eq!(two.login("Alan the First", "of the second").await, "refused: wrong password");
    assert_eq!(two.login("Alan the Second", PASSWORD).await, "refused: wrong password");
    assert_eq!(two.binds(), (2, 2));
}

/// One entry from half of the directories is not exactly one, and none is not nobody.
#[tokio::test]
async fn while_one_is_silent_nobody_new_is_known() {
    for fault in [InjectedFault::Refuse, InjectedFault::Silent, InjectedFault::DropOnSearch] {
        let two = Two::new();
        two.second.inject(fault);
        for (name, password) in [("ajones", PASSWORD), ("Alan Lamb", LAMBS), ("bwright", "anvil"), ("nobody", "x")] {
            assert_eq!(two.login(name, password).await, "unavailable", "{name}");
        }
        assert_eq!(two.binds(), (0, 0));
        // None of that was held.
        two.second.inject(InjectedFault::None);
        two.until("nobody", "x", "refused: no such login name").await;
        assert_eq!(two.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
        assert!(two.login("Alan Lamb", LAMBS).await.starts_with("refused: ambiguous"));
    }
}

/// Two in one half are two, whatever the other half holds.
#[tokio::test]
async fn ambiguous_in_one_is_ambiguous_whoever_is_silent() {
    let two = Two::new();
    two.second.inject(InjectedFault::Refuse);
    assert!(two.login("Mary Brown", "paper-boat-42").await.starts_with("refused: ambiguous: "));
}

/// Their own directory still proves them: nobody is let in with an old password, and a new one works at once.
#[tokio::test]
async fn whoever_is_known_goes_on_while_the_other_directory_is_silent() {
    let two = Two::holding_nothing();
    assert_eq!(two.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(two.login("bwright", "anvil").await, "bwright/Maildir by bind");
    two.second.inject(InjectedFault::Refuse);
    assert_eq!(two.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(two.login("ajones", "wrong").await, "refused: wrong password");
    two.first.change(|tree| tree.set(ALAN, "userPassword", ["new one"]).unwrap());
    assert_eq!(two.login("ajones", PASSWORD).await, "refused: wrong password");
    assert_eq!(two.login("ajones", "new one").await, "ajones/Maildir by bind");
    // The silent one's people have the grace, and so far as nobody else is found.
    assert_eq!(two.login("bwright", "anvil").await, "bwright/Maildir by outage grace");
    assert_eq!(two.login("bwright", "wrong").await, "unavailable");
    two.first.change(|tree| tree.set(LAMB, "uid", ["alamb", "bwright"]).unwrap());
    assert_eq!(two.login("bwright", "anvil").await, "unavailable");
}

/// The word of their own directory counts, whichever other is silent.
#[tokio::test]
async fn whoever_left_has_no_grace() {
    let two = Two::holding_nothing();
    assert_eq!(two.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    two.second.inject(InjectedFault::Refuse);
    two.first.change(|tree| tree.remove(ALAN).unwrap());
    assert_eq!(two.login("ajones", PASSWORD).await, "unavailable");
    two.first.inject(InjectedFault::Refuse);
    assert_eq!(two.login("ajones", PASSWORD).await, "unavailable");
}

/// What bars somebody stands in their own entry.
#[tokio::test]
async fn the_state_of_the_account_is_that_of_their_directory() {
    let two = Two::new();
    two.second.change(|tree| tree.set(BEA, "nsAccountLock", ["true"]).unwrap());
    assert_eq!(two.login("bwright", "anvil").await, "refused: account disabled");
    assert_eq!(two.login("ajones", PASSWORD).await, "ajones/Maildir by bind");
    assert_eq!(two.binds(), (1, 0));
}

fn limited(below: &[&str], domains: &[&str]) -> NameLimits {
    NameLimits {
        below: below.iter().map(|text| DnPattern::parse(text).unwrap()).collect(),
        mail_domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
    }
}

#[tokio::test]
async fn a_directory_is_not_asked_for_names_that_it_is_not_for() {
    let limits = [limited(&[], &["renovations.example"]), limited(&[], &["factory.example"])];
    let two = Two::with(Setup { limits, ..Setup::default() });
    two.second.inject(InjectedFault::Refuse);
    let mail = "alan.jones@renovations.example";
    assert_eq!(two.login(mail, PASSWORD).await, "ajones/Maildir by bind", "the silent one need not answer");
    assert_eq!(two.login("alan@renovations.example", "x").await, "refused: no such login name");
    assert_eq!(two.login("bea@factory.example", "anvil").await, "unavailable");
    assert_eq!(two.login("alamb", LAMBS).await, "unavailable", "a short name may be either's");
    let nobodys = "refused: outside the limits of the directories: no directory accepts such a name";
    assert_eq!(two.login("x@elsewhere.example", "x").await, nobodys);
}

#[tokio::test]
async fn an_entry_that_does_not_fit_is_refused_and_makes_nobody_ambiguous() {
    let limits = [NameLimits::default(), limited(&["ou=*,ou=people,o=factory"], &[])];
    let two = Two::with(Setup { limits, ..Setup::default() });
    let misfit = "the entry lies below none of names_below";
    let bea = format!("refused: outside the limits of the directories: {BEA} in factory: {misfit}");
    for name in ["bwright", "Bea Wright", "bea@factory.example"] {
        assert_eq!(two.login(name, "anvil").await, bea);
    }
    assert!(two.login("Alan Lamb", LAMBS).await.starts_with("refused: ambiguous"));

    let limits = [NameLimits::default(), limited(&[], &["works.example"])];
    let two = Two::with(Setup { limits, ..Setup::default() });
    assert_eq!(two.login("Alan Lamb", LAMBS).await, "alamb/Maildir by bind");
    let told = two.login("bwright", "anvil").await;
    assert!(told.ends_with("no mail address of the entry is of one of mail_domains"), "{told}");
    assert_eq!(two.binds(), (1, 0));
}
