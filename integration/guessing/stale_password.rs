//! A phone with a stale password, in front of a slapd that locks accounts itself.

use std::process::Command;
use std::time::{Duration, Instant};

use restante::demo::people::{LDIF, SERVICE};

use super::support::login::give_mail;
use super::support::service::{Plan, Site};
use super::support::slapd::{Options, Slapd, output, program};
use super::{ALAN, REFUSAL, reply};

const POLICY: &str = "cn=policy,ou=services,dc=renovations,dc=example";
const DN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";

/// Every five minutes.
const POLLS_OF_A_DAY: u32 = 288;

/// A slapd that locks an account for good at the fifth failed bind, whenever the others were.
fn slapd() -> Slapd {
    let policy = format!(
        "\ndn: {POLICY}\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: policy\npwdAttribute: userPassword\n\
         pwdLockout: TRUE\npwdMaxFailure: 5\npwdLockoutDuration: 0\npwdFailureCountInterval: 0\n"
    );
    let options = Options {
        global: "moduleload ppolicy".to_owned(),
        further: format!("overlay ppolicy\nppolicy_default \"{POLICY}\""),
        ..Options::default()
    };
    Slapd::start_with(&format!("{LDIF}{policy}"), &options)
}

/// The failed binds that slapd remembers of Alan Jones, and whether it has locked the account.
fn remembered(slapd: &Slapd) -> (usize, bool) {
    let mut command: Command = program("ldapsearch");
    let password = restante::demo::people::service_password().unwrap();
    command.args(["-x", "-LLL", "-H", &slapd.url(), "-D", SERVICE, "-w", &password, "-b", DN, "-s", "base"]);
    let found = output(command.args(["pwdFailureTime", "pwdAccountLockedTime"]), "");
    let text = String::from_utf8(found.stdout).unwrap();
    assert!(text.contains(DN), "{text}");
    (text.matches("pwdFailureTime:").count(), text.contains("pwdAccountLockedTime:"))
}

/// A day of five-minute polls under `refused: 10m`, made six seconds under `refused: 1s`: five lifetimes and more, each of
/// which would be a failed bind if a repeated password were tried anew.
#[test]
fn a_day_of_it_locks_the_owner_out_neither_here_nor_there() {
    let slapd = slapd();
    let site = Site::new();
    give_mail(&site, "ajones");
    let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s\ncache: { refused: 1s, found: 1s, password: 1s }");
    "person: 5, network: 50".clone_into(&mut plan.lockout);
    let service = site.serve(&plan);
    let (began, day) = (Instant::now(), Duration::from_secs(6));
    for poll in 1..=POLLS_OF_A_DAY {
        assert_eq!(reply(service.pop3(), "127.0.0.2", "ajones", "stale").0, REFUSAL);
        std::thread::sleep((day * poll / POLLS_OF_A_DAY).saturating_sub(began.elapsed()));
    }
    let (failed, is_locked) = remembered(&slapd);
    assert!((1..5).contains(&failed) && !is_locked, "{failed} failed binds, locked: {is_locked}");
    assert!(reply(service.pop3(), "127.0.0.3", "ajones", ALAN.1).0.starts_with("+OK"), "the owner is let in");
    assert!(reply(service.pop3(), "127.0.0.2", "ajones", ALAN.1).0.starts_with("+OK"), "from there as well");
    assert!(!service.log().iter().any(|line| line.contains("lock-out")));
}
