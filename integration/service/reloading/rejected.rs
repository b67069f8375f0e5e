//! What is not reloaded: everything stays as it was, and every reason is told.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;

use rustix::process::Signal;

use super::{ALAN, LAMB, Reloading};
use crate::support::login::{opens, refuses};
use crate::support::process::output;
use crate::support::service::{Plan, Site};

/// Nothing of it applies: neither what is right, nor what comes before a mistake.
#[test]
fn a_wrong_configuration_is_rejected_with_every_mistake() {
    let mut world = Reloading::new();
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    let before = world.plan.yaml();
    let wrong = "internet_authentication: { names: [mail], ambiguus: refuse }\ncache: { found: soon }\n";
    world.plan.further.push_str(wrong);
    world.plan.certificates = "    - { chain: tls/missing.pem, key: tls/server.key }\n".to_owned();
    world.write();
    let mistakes = ["ambiguus", "soon", "missing.pem"];
    let ended = world.reload();
    assert_eq!((ended.status, ended.told.as_str()), (78, ""));
    for mistake in mistakes {
        assert!(ended.complained.contains(mistake), "{}", ended.complained);
    }
    assert!(ended.complained.contains("restante.yaml:"), "with their places: {}", ended.complained);
    world.service.signal(Signal::HUP);
    for mistake in mistakes {
        world.service.wait_for_logs(&["ERROR", "not reloaded", mistake], 2);
    }
    opens(&world.service, LAMB.0, LAMB.1, LAMB.0);
    refuses(&world.service, "alan.jones@elsewhere.example", ALAN.1, "AUTH");
    fs::write(world.site.folder().join("restante.yaml"), before).unwrap();
    let ended = world.reload();
    assert_eq!((ended.status, ended.told.as_str()), (0, "reloaded: nothing has changed\n"));
}

#[test]
fn a_port_that_cannot_be_bound_rejects_the_whole_reload() {
    let mut world = Reloading::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    writeln!(world.plan.listeners, "  - {{ address: \"{address}\", tls: none }}").unwrap();
    world.plan.further.push_str("internet_authentication: { names: [mail] }\n");
    world.write();
    let ended = world.reload();
    assert_eq!((ended.status, ended.told.as_str()), (1, ""));
    assert!(ended.complained.contains(&address.to_string()), "{}", ended.complained);
    assert!(ended.complained.contains("in use"), "{}", ended.complained);
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    drop(taken);
    world.reloads();
    refuses(&world.service, ALAN.0, ALAN.1, "AUTH");
}

#[test]
fn a_mail_root_that_is_missing_rejects_the_whole_reload() {
    let mut world = Reloading::new();
    world.plan.mailboxes.push_str("  marker: .mounted\n");
    world.write();
    let ended = world.reload();
    assert_eq!((ended.status, ended.told.as_str()), (1, ""));
    assert!(ended.complained.contains(".mounted"), "{}", ended.complained);
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
}

#[test]
fn without_a_running_service_the_error_says_so() {
    let site = Site::new();
    let plan = Plan::at("ldap://127.0.0.1:9").and("admin: { socket: admin.sock }");
    fs::write(site.folder().join("restante.yaml"), plan.yaml()).unwrap();
    let ended = output(&mut site.command(&["reload"]), "");
    let complained = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{complained}");
    assert!(complained.contains("admin.sock") && complained.contains("is the service running?"), "{complained}");
    fs::write(site.folder().join("restante.yaml"), Plan::at("ldap://127.0.0.1:9").yaml()).unwrap();
    let ended = output(&mut site.command(&["reload"]), "");
    let complained = String::from_utf8(ended.stderr).unwrap();
    assert!(complained.contains("has no admin.socket"), "{complained}");
}
