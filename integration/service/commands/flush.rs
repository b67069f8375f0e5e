//! `restante flush` and the admin socket, on a running service.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::people::{self, SERVICE};
use restante::names::Dn;
use rustix::process::Signal;

use super::{Ended, command};
use crate::support::directory::unchanged_for_long;
use crate::support::login::{give_mail, log_in, opens, refuses};
use crate::support::service::{Plan, Service, Site};

const ALAN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
const PASSWORD: &str = "violet-harbour-17";
const LAMB: &str = "seven green lamps";

struct World {
    service: Service,
    site: Site,
    directory: EmbeddedDirectory,
}

impl World {
    fn new() -> Self {
        let directory = EmbeddedDirectory::start(unchanged_for_long(people::LDIF), Dn::parse(SERVICE)).unwrap();
        let site = Site::new();
        for name in ["ajones", "alamb"] {
            give_mail(&site, name);
        }
        let service = site.serve(&plan(&directory));
        Self { service, site, directory }
    }

    fn flush(&self, words: &[&str]) -> Ended {
        command(&self.site, &[&["flush"], words].concat(), "")
    }

    /// Flushes, and is told this.
    fn flushes(&self, words: &[&str], told: &str) {
        let ended = self.flush(words);
        assert_eq!((ended.status, ended.told.trim_end()), (0, told), "{}", ended.complained);
    }

    fn binds(&self) -> u64 {
        self.directory.controls().asked().binds
    }

    /// As a directory whose change stamp may not be read.
    fn set_password(&self, password: &str) {
        self.directory.controls().change(|tree| tree.set(ALAN, "userPassword", [password])).unwrap();
    }
}

fn plan(directory: &EmbeddedDirectory) -> Plan {
    Plan::at(&directory.url()).and("refusal_step: 0s").and("admin: { socket: admin.sock, mode: \"0660\" }")
}

#[test]
fn an_old_password_stops_at_once() {
    for whom in [&[][..], &["ajones"], &["Alan Jones"], &["alan.jones@renovations.example"], &[ALAN]] {
        let world = World::new();
        for (name, password) in [("ajones", PASSWORD), ("alamb", LAMB)] {
            opens(&world.service, name, password, name);
        }
        world.set_password("new one");
        opens(&world.service, "ajones", PASSWORD, "ajones");
        let all = "dropped 2 login names, 2 verified passwords, 0 refused passwords";
        let one = "dropped 1 login name, 1 verified password, 0 refused passwords";
        world.flushes(whom, if whom.is_empty() { all } else { one });
        refuses(&world.service, "ajones", PASSWORD, "AUTH");
        opens(&world.service, "ajones", "new one", "ajones");
        // The others were flushed only with everybody.
        let before = world.binds();
        opens(&world.service, "alamb", LAMB, "alamb");
        assert_eq!(world.binds() - before, u64::from(whom.is_empty()), "{whom:?}");
    }
}

#[test]
fn what_an_address_caused_is_forgotten() {
    let world = World::new();
    refuses(&world.service, "ajones", "stale", "AUTH");
    let before = world.binds();
    refuses(&world.service, "ajones", "stale", "AUTH");
    world.flushes(&["192.0.2.7"], "dropped 0 login names, 0 verified passwords, 0 refused passwords");
    refuses(&world.service, "ajones", "stale", "AUTH");
    assert_eq!(world.binds(), before, "held");
    let here = Ipv4Addr::LOCALHOST.to_string();
    world.flushes(&[&here], "dropped 0 login names, 0 verified passwords, 1 refused password");
    refuses(&world.service, "ajones", "stale", "AUTH");
    assert_eq!(world.binds(), before + 1);
}

#[test]
fn a_name_that_identifies_nobody_is_refused() {
    let world = World::new();
    let ended = world.flush(&["Mary Brown"]);
    assert_eq!((ended.status, ended.told.as_str()), (1, ""));
    assert!(ended.complained.contains("ambiguous: uid=mbrown,"), "{}", ended.complained);
    assert_eq!(world.flush(&["a\u{7}b"]).status, 2);
    let network = world.flush(&["192.0.2.0/24"]);
    assert_eq!((network.status, network.told.as_str()), (2, ""));
    assert!(network.complained.contains("192.0.2.0/24 is a network; expected one address"), "{}", network.complained);
    let stranger = world.flush(&["stranger"]);
    assert_eq!((stranger.status, stranger.told.as_str()), (1, ""));
    let words = "stranger: no such login name, and nothing was cached under it: nothing was dropped";
    assert!(stranger.complained.contains(words), "{}", stranger.complained);
    let json = |whom: &str| {
        let ended = world.flush(&["--json", whom]);
        (ended.status, serde_json::from_str::<serde_json::Value>(&ended.told).unwrap()["clean"].clone())
    };
    assert_eq!((json("ajones"), json("stranger")), ((0, true.into()), (1, false.into())));
    // Nobody of that name: what is held of the name goes all the same.
    assert!(log_in(&world.service, "unknown", "x").is_err());
    world.flushes(&["unknown"], "dropped 1 login name, 0 verified passwords, 0 refused passwords");
}

#[test]
fn every_command_is_logged_and_the_socket_has_its_mode() {
    let world = World::new();
    let socket = world.site.folder().join("admin.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    world.flush(&["ajones"]);
    world.service.wait_for_log(&["admin socket", "command=\"flush ajones\"", "answer=\"OK dropped"]);
    let World { service, site, .. } = world;
    assert!(service.terminate().0.success());
    assert!(!socket.exists());
    let ended = command(&site, &["flush"], "");
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("is the service running?"), "{}", ended.complained);
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_left_alone() {
    let world = World::new();
    let second = command(&world.site, &["serve"], "");
    assert_eq!(second.status, 1);
    assert!(second.complained.contains("another service is listening"), "{}", second.complained);
    world.flushes(&[], "dropped 0 login names, 0 verified passwords, 0 refused passwords");
    let World { mut service, site, directory } = world;
    service.signal(Signal::KILL);
    service.ended();
    assert!(site.folder().join("admin.sock").exists());
    let world = World { service: site.serve(&plan(&directory)), site, directory };
    world.flushes(&[], "dropped 0 login names, 0 verified passwords, 0 refused passwords");
}

#[test]
fn a_service_without_socket_says_so() {
    let directory = EmbeddedDirectory::start(people::tree().unwrap(), Dn::parse(SERVICE)).unwrap();
    let site = super::configured(&Plan::at(&directory.url()));
    let ended = command(&site, &["flush"], "");
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("the configuration has no admin.socket"), "{}", ended.complained);
}
