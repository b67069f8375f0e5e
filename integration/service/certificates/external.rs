//! SASL EXTERNAL: authorization identities as clients send them, a real client, and a directory that is silent.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{World, mechanisms, opened};
use crate::support::certificates::Request;
use crate::support::directory::RealDirectory;
use crate::support::process::output;
use crate::support::service::restante;

const ALAN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";

/// A client may ask to act as somebody (RFC 4422 appendix A): here only as itself, under any of its names.
#[test]
fn the_authorization_identity_is_empty_or_any_name_of_the_same_person() {
    let world = World::new();
    for name in ["ajones", "AJONES", "Alan Jones", "Al Jones", "alan.jones@renovations.example", ALAN] {
        let mut client = world.with_certificate(&world.own);
        client.send(&format!("AUTH EXTERNAL {}", STANDARD.encode(name)));
        assert_eq!(opened(&mut client).as_deref(), Ok("ajones"), "{name}");
    }
    for name in ["alamb", "nobody", "Alan", "\u{7}"] {
        let mut client = world.with_certificate(&world.own);
        client.ask(&format!("AUTH EXTERNAL {}", STANDARD.encode(name)), "-ERR [AUTH]");
    }
    let reason = "the authorization identity is not a name of the certificate's owner";
    world.service.wait_for_log(&["event=login_refused person=\"ajones\" login=\"alamb\"", reason]);
}

#[test]
fn the_response_may_come_after_an_empty_challenge() {
    let world = World::new();
    for response in ["", "YWpvbmVz"] {
        let mut client = world.with_certificate(&world.own);
        assert_eq!(mechanisms(&mut client), "PLAIN LOGIN EXTERNAL");
        assert_eq!(client.ask("AUTH EXTERNAL", "+ "), "+ ");
        client.send(response);
        assert_eq!(opened(&mut client).as_deref(), Ok("ajones"));
    }
    let mut client = world.with_certificate(&world.own);
    client.ask("AUTH EXTERNAL", "+ ");
    client.ask("*", "-ERR authentication cancelled");
}

/// Their common name is ambiguous as a login name; their keys tell them apart.
#[test]
fn two_people_of_one_name_are_told_apart_by_their_keys() {
    let world = World::new();
    for (certificate, owner) in world.smiths.iter().zip(["jsmith1", "jsmith2"]) {
        assert_eq!(world.external(certificate).as_deref(), Ok(owner));
        let mut client = world.with_certificate(certificate);
        client.send(&format!("AUTH EXTERNAL {}", STANDARD.encode("John Smith")));
        assert_eq!(opened(&mut client).as_deref(), Ok(owner));
    }
    world.refuses(
        &world.authority.sign(Request::named("John Smith").numbered(20)),
        "no person found for the certificate: its key is not",
    );
}

#[test]
fn curl_logs_in_with_a_certificate() {
    let world = World::new();
    world.own.write(world.site.folder(), "alan");
    let file = |name: &str| world.site.folder().join(name);
    for (stls, scheme) in [(false, "pop3s"), (true, "pop3")] {
        let mut curl = std::process::Command::new("curl");
        curl.args(["--silent", "--show-error", "--ssl-reqd", "--user", "ajones:", "--login-options", "AUTH=EXTERNAL"]);
        curl.arg("--cacert").arg(world.site.authority()).arg("--cert").arg(file("alan.pem"));
        curl.arg("--key").arg(file("alan.key"));
        let port = world.port(("required", "optional"), stls).port();
        let run = output(curl.arg(format!("{scheme}://localhost:{port}/1")), "");
        let told = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
        assert!(told.contains("Subject: mail of ajones"), "{told}");
    }
}

/// What is held of a certificate is held as long as what is held of a login name, and no longer.
#[test]
fn a_certificate_is_known_for_a_while() {
    let forgets = World::new();
    let mut holds = World::with(|plan| {
        "refusal_step: 0s\ncache: { found: 1h }\nadmin: { socket: admin.sock }\n".clone_into(&mut plan.further);
    });
    for world in [&forgets, &holds] {
        assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
        world.slapd.modify(&format!("dn: {ALAN}\nchangetype: modify\ndelete: userCertificate;binary\n"));
    }
    forgets.refuses(&forgets.own, "no person found for the certificate: its key is not in uid=ajones");
    assert_eq!(holds.external(&holds.own).as_deref(), Ok("ajones"));
    holds.slapd.kill();
    assert_eq!(holds.external(&holds.own).as_deref(), Ok("ajones"));
    holds.service.wait_for_logs(&["event=login person=\"ajones\"", "proof=\"certificate\""], 3);
    holds.slapd.restart();
    let mut flush = restante();
    let flushed =
        output(flush.args(["flush", "ajones", "--config"]).arg(holds.site.folder().join("restante.yaml")), "");
    assert!(flushed.status.success(), "{flushed:?}");
    holds.refuses(&holds.own, "no person found for the certificate: its key is not in uid=ajones");
}

/// A certificate login makes no bind: the state of the account is read from the entry. What bars somebody counts with the
/// next look-up, and its end at once.
#[test]
fn an_expired_account_is_not_let_in_by_its_certificate() {
    let world = World::new();
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
    let change = |lines: &str| world.slapd.modify(&format!("dn: {ALAN}\nchangetype: modify\n{lines}"));
    change("add: objectClass\nobjectClass: shadowAccount\n-\nadd: shadowExpire\nshadowExpire: 1\n");
    world.refuses(&world.own, "account expired");
    change("replace: shadowExpire\nshadowExpire: 99999\n");
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
}

/// A certificate's refusal has the words of a refused password and comes at the same step, whatever the reason.
#[test]
fn a_refused_certificate_tells_nothing_by_its_time() {
    const STEP: Duration = Duration::from_secs(1);
    let world = World::with(|plan| {
        "refusal_step: 1s\ncache: { password: 0s, found: 0s, missed: 0s }\n".clone_into(&mut plan.further);
    });
    let smith = "dn: uid=jsmith1,ou=Sales,ou=people,dc=renovations,dc=example\nchangetype: modify\n";
    world.slapd.modify(&format!(
        "{smith}add: objectClass\nobjectClass: shadowAccount\n-\nadd: shadowExpire\nshadowExpire: 1\n"
    ));
    let nobodys = world.authority.sign(Request::named("Alan Jones").numbered(20));
    let others_name = format!("AUTH EXTERNAL {}", STANDARD.encode("alamb"));
    let others_password = format!("AUTH PLAIN {}", STANDARD.encode("\0alamb\0seven green lamps"));
    let refused = [
        ("no person found for the certificate", &nobodys, "AUTH EXTERNAL ="),
        ("account expired", &world.smiths[0], "AUTH EXTERNAL ="),
        ("not a name of the certificate's owner", &world.own, &others_name),
        ("the certificate is another person's", &world.own, &others_password),
    ];
    std::thread::scope(|scope| {
        for (reason, certificate, line) in refused {
            let mut client = world.with_certificate(certificate);
            scope.spawn(move || {
                let began = Instant::now();
                client.send(line);
                assert_eq!(client.line(), "-ERR [AUTH] name or password is wrong", "{reason}");
                let took = began.elapsed();
                assert!((STEP..STEP * 17 / 10).contains(&took), "{reason}: {took:?}");
            });
        }
    });
    for (reason, ..) in refused {
        world.service.wait_for_log(&["login refused", reason]);
    }
}

/// An outage is never told as a wrong certificate, and those known of late go on working.
#[test]
fn a_silent_directory_refuses_nobody() {
    let mut world = World::new();
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
    let by_both = |world: &World| {
        let mut client = world.with_certificate(&world.own);
        client.ask("USER ajones", "+OK");
        client.send("PASS violet-harbour-17");
        opened(&mut client)
    };
    assert_eq!(by_both(&world).as_deref(), Ok("ajones"));
    world.slapd.kill();
    assert_eq!(by_both(&world).as_deref(), Ok("ajones"));
    assert_eq!(world.external(&world.own).as_deref(), Ok("ajones"));
    world.service.wait_for_log(&["event=login person=\"ajones\"", "mechanism=EXTERNAL proof=\"outage grace\""]);
    let refusal = world.external(&world.smiths[0]).unwrap_err();
    assert!(refusal.starts_with("-ERR [SYS/TEMP]"), "{refusal}");
    world.slapd.restart();
    crate::support::wait_until("the directory is asked again", || world.external(&world.smiths[0]).is_ok());
}
