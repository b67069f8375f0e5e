//! A phone with a stale password, in front of directories that lock accounts themselves.

use std::process::Command;
use std::time::{Duration, Instant};

use restante::demo::people::{LDIF, SERVICE};

use super::support::directory::RealDirectory;
use super::support::ds389::Ds389;
use super::support::login::give_mail;
use super::support::samba::Samba;
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
/// which would be a failed bind if a repeated password were tried anew. The owner is let in afterwards, by a bind.
fn a_day_of_it(url: &str, schema: &str, looked_at: impl FnOnce()) {
    let site = Site::new();
    give_mail(&site, "ajones");
    let mut plan = Plan::at(url).and("refusal_step: 0s\ncache: { refused: 1s, found: 1s, password: 1s }");
    plan.directory.push_str(schema);
    "person: 5, network: 50".clone_into(&mut plan.lockout);
    let service = site.serve(&plan);
    let (began, day) = (Instant::now(), Duration::from_secs(6));
    for poll in 1..=POLLS_OF_A_DAY {
        assert_eq!(reply(service.pop3(), "127.0.0.2", "ajones", "stale").0, REFUSAL);
        std::thread::sleep((day * poll / POLLS_OF_A_DAY).saturating_sub(began.elapsed()));
    }
    looked_at();
    assert!(reply(service.pop3(), "127.0.0.3", "ajones", ALAN.1).0.starts_with("+OK"), "the owner is let in");
    assert!(reply(service.pop3(), "127.0.0.2", "ajones", ALAN.1).0.starts_with("+OK"), "from there as well");
    assert!(!service.log().iter().any(|line| line.contains("lock-out")));
}

#[test]
fn it_locks_the_owner_out_neither_here_nor_in_slapd() {
    let slapd = slapd();
    a_day_of_it(&slapd.url(), "", || {
        let (failed, is_locked) = remembered(&slapd);
        assert!((1..5).contains(&failed) && !is_locked, "{failed} failed binds, locked: {is_locked}");
    });
}

#[test]
fn it_locks_the_owner_out_neither_here_nor_in_389_directory_server() {
    a_day_of_it(&Ds389::start(LDIF).url(), "    schema: 389ds\n", || {});
}

#[test]
fn it_locks_the_owner_out_neither_here_nor_in_samba() {
    a_day_of_it(&Samba::start(LDIF).url(), "    schema: active_directory\n", || {});
}
