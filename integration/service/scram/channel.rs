//! SCRAM-SHA-256-PLUS: bound to the TLS connection.

use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};

use super::{ALAN, REFUSAL, World, opened};
use crate::support::certificates::showing_by;
use crate::support::conversation::{Conversation, trusting};
use crate::support::scram::Client;

fn tls(world: &World, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    showing_by(&[version], &world.site.authority(), None)
}

/// A greeted client under TLS.
fn connect(world: &World, stls: bool, tls: &Arc<ClientConfig>) -> Conversation {
    if stls {
        let mut pop3 = world.connect();
        pop3.stls("localhost", tls);
        return pop3;
    }
    let mut pop3 = Conversation::tls(world.service.pop3s(), "localhost", tls);
    pop3.expect("+OK");
    pop3
}

/// `tls-exporter` as this end of the connection sees it (RFC 9266).
fn channel(pop3: &Conversation) -> [u8; 32] {
    pop3.session().export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None).unwrap()
}

/// The mechanisms of CAPA, and those that AUTH lists.
fn offered(pop3: &mut Conversation) -> (Vec<String>, Vec<String>) {
    let mut lines = |command: &str| {
        pop3.ask(command, "+OK");
        let told = String::from_utf8(pop3.message()).unwrap();
        told.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let capabilities = lines("CAPA");
    let sasl = capabilities.iter().find_map(|line| line.strip_prefix("SASL ")).unwrap();
    (sasl.split(' ').map(str::to_owned).collect(), lines("AUTH"))
}

#[test]
fn is_offered_under_tls_1_3_only() {
    let world = World::new();
    let (plain, plus) = ("SCRAM-SHA-256".to_owned(), "SCRAM-SHA-256-PLUS".to_owned());
    let offers = |mut pop3: Conversation, is_bound: bool| {
        let (sasl, listed) = offered(&mut pop3);
        assert_eq!(sasl, listed);
        assert_eq!((sasl.contains(&plain), sasl.contains(&plus)), (true, is_bound), "{sasl:?}");
        if !is_bound {
            pop3.ask("AUTH SCRAM-SHA-256-PLUS", "-ERR unknown mechanism");
        }
    };
    offers(world.connect(), false);
    for stls in [true, false] {
        offers(connect(&world, stls, &tls(&world, &TLS12)), false);
        offers(connect(&world, stls, &tls(&world, &TLS13)), true);
    }
}

#[test]
fn logs_in_with_the_binding_of_its_own_connection() {
    let world = World::new();
    for stls in [true, false] {
        let mut pop3 = connect(&world, stls, &trusting(&world.site.authority()));
        let reply = Client::bound(ALAN, &channel(&pop3)).log_in(&mut pop3);
        assert_eq!(opened(&mut pop3, reply).as_deref(), Ok("ajones"));
    }
    world.service.wait_for_logs(&[" login ", "mechanism=SCRAM-SHA-256-PLUS proof=\"scram\" "], 2);
}

/// Somebody in the middle has two TLS connections, one to each end; what the client proves holds for its own only.
#[test]
fn the_binding_of_another_connection_is_refused() {
    let world = World::new();
    let config = tls(&world, &TLS13);
    let (mut pop3, other) = (connect(&world, false, &config), connect(&world, false, &config));
    assert_eq!(Client::bound(ALAN, &channel(&other)).log_in(&mut pop3), REFUSAL);
    let reason = "reason=\"SCRAM: the client is bound to another TLS connection; somebody may be in the middle";
    world.service.wait_for_log(&["login refused", "person=\"ajones\"", "mechanism=SCRAM-SHA-256-PLUS", reason]);
    assert!(Client::bound(ALAN, &channel(&pop3)).log_in(&mut pop3).starts_with("+OK"));
}

/// A client that could bind, but was not told that the server can.
#[test]
fn a_downgrade_is_refused_where_there_is_one() {
    let world = World::new();
    let downgraded = Client { header: "y,,", ..Client::new(ALAN) };
    assert!(downgraded.log_in(&mut world.connect()).starts_with("+OK"));
    assert!(downgraded.log_in(&mut connect(&world, true, &tls(&world, &TLS12))).starts_with("+OK"));
    assert_eq!(downgraded.log_in(&mut connect(&world, true, &tls(&world, &TLS13))), REFUSAL);
    let reason = "reason=\"SCRAM: the client was not told of SCRAM-SHA-256-PLUS; somebody may be in the middle";
    world.service.wait_for_log(&["login refused", reason]);
    // Who cannot bind may log in.
    assert!(Client::new(ALAN).log_in(&mut connect(&world, true, &tls(&world, &TLS13))).starts_with("+OK"));
}

#[test]
fn is_taken_only_where_a_password_is() {
    let world = World::with(crate::support::slapd::Options::default(), |plan, _| {
        "  - { address: \"127.0.0.1:0\", tls: starttls, login_without_tls: refuse }\n".clone_into(&mut plan.listeners);
    });
    let mut pop3 = world.connect();
    pop3.ask("CAPA", "+OK");
    assert!(!String::from_utf8(pop3.message()).unwrap().contains("SCRAM"));
    let refusal = Client::new(ALAN).log_in(&mut pop3);
    assert!(refusal.starts_with("-ERR passwords are accepted under TLS only"), "{refusal}");
    pop3.stls("localhost", &trusting(&world.site.authority()));
    assert!(Client::new(ALAN).log_in(&mut pop3).starts_with("+OK"));
}
