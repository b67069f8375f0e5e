//! What was counted and cached before a reload.

use super::{ALAN, LAMB, Reloading};
use crate::support::directory::RealDirectory;
use crate::support::login::{log_in, opens, refuses};
use crate::support::process::output;
use crate::support::service::Plan;

fn one_guess_locks_out(plan: &mut Plan) {
    "person: 2, network: 0, exempt_networks: []".clone_into(&mut plan.lockout);
}

#[test]
fn a_lock_out_survives_a_reload_and_the_counters_go_on() {
    let mut world = Reloading::with(one_guess_locks_out);
    refuses(&world.service, LAMB.0, "first guess", "AUTH");
    for guess in ["one", "two"] {
        refuses(&world.service, ALAN.0, guess, "AUTH");
    }
    world.service.wait_for_log(&["lock-out begins"]);
    world.plan.further.push_str("internet_authentication: { names: more }\ncache: { people: 1000 }\n");
    world.plan.lockout = world.plan.lockout.replace("person: 2", "person: 3");
    let told = world.reloads();
    assert!(told.contains("lockout.person") && told.contains("cache.people"), "{told}");
    refuses(&world.service, ALAN.0, ALAN.1, "AUTH");
    // With those from before, the third wrong password of three.
    for guess in ["second guess", "third guess"] {
        refuses(&world.service, LAMB.0, guess, "AUTH");
    }
    world.service.wait_for_logs(&["lock-out begins"], 2);
    refuses(&world.service, LAMB.0, LAMB.1, "AUTH");
}

#[test]
fn a_lock_out_ends_when_its_counter_is_switched_off() {
    let mut world = Reloading::with(one_guess_locks_out);
    for guess in ["one", "two"] {
        refuses(&world.service, ALAN.0, guess, "AUTH");
    }
    world.service.wait_for_log(&["lock-out begins"]);
    refuses(&world.service, ALAN.0, ALAN.1, "AUTH");
    world.plan.lockout = world.plan.lockout.replace("person: 2", "person: 0");
    world.reloads();
    world.service.wait_for_log(&["lock-out lifted by an administrator"]);
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
}

/// slapd is silent afterwards: only a cached password lets anybody in.
#[test]
fn cached_passwords_survive_a_change_that_does_not_concern_them() {
    let mut world = Reloading::new();
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    world.plan.further.push_str("language: de\nlimits: { connections: 500 }\n");
    assert_eq!(world.reloads(), "reloaded: language, limits.connections\n");
    assert_eq!((world.cached("names"), world.cached("passwords")), (1, 1));
    world.slapd.kill();
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
}

/// Whoever lengthens the grace during an outage helps people.
#[test]
fn cached_passwords_survive_other_lifetimes_even_while_the_directory_is_silent() {
    let mut world = Reloading::with(|plan| plan.further.push_str("cache: { found: 0s, password: 0s }\n"));
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    world.slapd.kill();
    world.plan.further = world.plan.further.replace("password: 0s }", "password: 0s, outage_grace: 8h }");
    assert_eq!(world.reloads(), "reloaded: cache.outage_grace\n");
    opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
    world.service.wait_for_log(&["outage grace"]);
    let refusal = log_in(&world.service, LAMB.0, LAMB.1).unwrap_err();
    assert!(refusal.starts_with("-ERR [SYS/TEMP]"), "{refusal}");
}

#[test]
fn cached_passwords_are_dropped_when_directories_names_or_paths_change() {
    for change in [
        |plan: &mut Plan| plan.directory.push_str("    concurrent_lookups: 7\n"),
        |plan: &mut Plan| plan.further.push_str("internet_authentication: { names: more }\n"),
        |plan: &mut Plan| plan.mailboxes = plan.mailboxes.replace("Maildir", "Mail"),
    ] {
        let mut world = Reloading::new();
        opens(&world.service, ALAN.0, ALAN.1, ALAN.0);
        assert_eq!(world.cached("passwords"), 1);
        change(&mut world.plan);
        let told = world.reloads();
        assert_eq!((world.cached("names"), world.cached("passwords")), (0, 0), "{told}");
    }
}

/// Metrics of servers that are no longer configured would raise alarms for ever.
#[test]
fn a_server_that_is_no_longer_configured_is_no_longer_reported() {
    let mut world = Reloading::with(|plan| {
        plan.directory = plan.directory.replace("urls: [", "urls: [\"ldap://127.0.0.1:9\", ");
    });
    let servers = |world: &Reloading| {
        let status = output(&mut world.site.command(&["status"]), "");
        String::from_utf8(status.stdout).unwrap()
    };
    assert!(servers(&world).contains("127.0.0.1:9"));
    world.plan.directory = world.plan.directory.replace("\"ldap://127.0.0.1:9\", ", "");
    assert_eq!(world.reloads(), "reloaded: directories[1].urls\n");
    let after = servers(&world);
    assert!(!after.contains("127.0.0.1:9") && after.contains(&world.slapd.url()), "{after}");
}
