//! A phone with a stale password, in front of directories that lock accounts themselves.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use restante::demo::people::{LDIF, SERVICE};

use super::{ALAN, REFUSAL, reply};
use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::login::give_mail;
use crate::support::process::{output, program};
use crate::support::samba::Samba;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::{Options, Slapd};
use crate::support::wait_until;

const POLICY: &str = "cn=policy,ou=services,dc=renovations,dc=example";
const DN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";

/// Until the administrator unlocks it.
const FOR_GOOD: u32 = 0;

/// Longer by a second than a verified password is held here, and by another since slapd counts whole ones; but shorter
/// than a refused one is doubted.
const SECONDS_LOCKED: u32 = 3;

/// Every five minutes.
const POLLS_OF_A_DAY: u32 = 288;

/// A slapd that locks an account at the fifth failed bind, whenever the others were. It tells nobody so.
fn slapd(seconds_locked: u32) -> Slapd {
    let policy = format!(
        "\ndn: {POLICY}\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: policy\npwdAttribute: userPassword\n\
         pwdLockout: TRUE\npwdMaxFailure: 5\npwdLockoutDuration: {seconds_locked}\npwdFailureCountInterval: 0\n"
    );
    let options = Options {
        hidden: if seconds_locked == FOR_GOOD { String::new() } else { "pwdAccountLockedTime".to_owned() },
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

fn has_locked_nobody(slapd: &Slapd) {
    let (failed, is_locked) = remembered(slapd);
    assert!((1..5).contains(&failed) && !is_locked, "{failed} failed binds, locked: {is_locked}");
}

fn serve(site: &Site, directory: &impl RealDirectory, schema: &str) -> Service {
    give_mail(site, "ajones");
    let mut plan = Plan::at(&directory.url()).and("refusal_step: 0s\ncache: { refused: 1s, found: 1s, password: 1s }");
    plan.directory.push_str(schema);
    "person: 5, network: 50".clone_into(&mut plan.lockout);
    site.serve(&plan)
}

fn is_let_in(service: &Service, from: &str, password: &str) -> bool {
    reply(service.pop3(), from, "ajones", password).0.starts_with("+OK")
}

/// A day of five-minute polls under `refused: 10m`, made six seconds under `refused: 1s`: five lifetimes and more, each of
/// which would be a failed bind if a repeated password were tried anew. Then, behind a look at the directory, the owner
/// comes.
fn a_day_of_it_locks_nobody_out(service: &Service, stale: &str, right: &str, look: impl FnOnce()) {
    let (began, day) = (Instant::now(), Duration::from_secs(6));
    for poll in 1..=POLLS_OF_A_DAY {
        assert_eq!(reply(service.pop3(), "127.0.0.2", "ajones", stale).0, REFUSAL);
        std::thread::sleep((day * poll / POLLS_OF_A_DAY).saturating_sub(began.elapsed()));
    }
    look();
    assert!(is_let_in(service, "127.0.0.3", right), "the owner is let in");
    assert!(is_let_in(service, "127.0.0.2", right), "from there as well");
    assert!(!service.log().iter().any(|line| line.contains("lock-out")));
}

#[test]
fn a_day_of_it_locks_the_owner_out_neither_here_nor_there() {
    let (slapd, site) = (slapd(FOR_GOOD), Site::new());
    a_day_of_it_locks_nobody_out(&serve(&site, &slapd, ""), "stale", ALAN.1, || has_locked_nobody(&slapd));
}

/// Five failed binds lock an account in most directories: whoever guesses from everywhere gets no further than four.
#[test]
fn guessing_locks_an_account_here_before_the_directory_does() {
    let (slapd, site) = (slapd(FOR_GOOD), Site::new());
    give_mail(&site, "ajones");
    let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s");
    plan.lockout.clear();
    let service = site.serve(&plan);
    for guess in 1..=20 {
        assert!(!is_let_in(&service, &format!("127.0.1.{guess}"), &format!("guess {guess}")));
    }
    service.wait_for_log(&["WARN", "lock-out begins", "person=\"ajones\"", "wrong_passwords=4"]);
    has_locked_nobody(&slapd);
}

#[test]
fn nor_in_389_directory_server() {
    let (server, site) = (Ds389::start(LDIF), Site::new());
    a_day_of_it_locks_nobody_out(&serve(&site, &server, "    schema: 389ds\n"), "stale", ALAN.1, || {});
}

#[test]
fn nor_in_samba() {
    let (samba, site) = (Samba::start(LDIF), Site::new());
    a_day_of_it_locks_nobody_out(&serve(&site, &samba, "    schema: active_directory\n"), "stale", ALAN.1, || {});
}

/// The phone's password was right until a moment ago, and held.
#[test]
fn neither_does_a_day_behind_a_change_of_the_password() {
    let (slapd, site) = (slapd(FOR_GOOD), Site::new());
    let service = serve(&site, &slapd, "");
    assert!(is_let_in(&service, "127.0.0.2", ALAN.1));
    // Change stamps have whole seconds: the change must fall into another one than the entry's last.
    std::thread::sleep(Duration::from_millis(1_100));
    slapd.set_password("ajones", "a new Password 27");
    wait_until("the old password is refused", || !is_let_in(&service, "127.0.0.2", ALAN.1));
    a_day_of_it_locks_nobody_out(&service, ALAN.1, "a new Password 27", || has_locked_nobody(&slapd));
}

/// Somebody else had slapd lock the account, which shows neither in its answer nor in what the service may read of the
/// entry. The phone goes on with the right password, without a pause in which it would be forgotten.
fn a_lock_that_does_not_show_ends(slapd: &Slapd, password: &str) {
    let site = Site::new();
    let service = serve(&site, slapd, "");
    assert!(is_let_in(&service, "127.0.0.2", password));
    slapd.lock("ajones");
    wait_until("the right password is refused", || !is_let_in(&service, "127.0.0.2", password));
    service.wait_for_log(&["login refused", "person=\"ajones\"", "reason=\"wrong password"]);
    wait_until("it works again", || is_let_in(&service, "127.0.0.2", password));
}

/// The failed binds change the entry, and its modifyTimestamp with it.
#[test]
fn a_right_password_works_again_after_a_lock_that_does_not_show() {
    let slapd = slapd(SECONDS_LOCKED);
    // Change stamps have whole seconds: the failed binds must fall into another one than the entry's last.
    std::thread::sleep(Duration::from_millis(1_100));
    a_lock_that_does_not_show_ends(&slapd, ALAN.1);
}

/// When the password was set (pwdChangedTime), the failed binds do not change.
#[test]
fn so_it_does_where_the_directory_tells_when_it_was_set() {
    let slapd = slapd(SECONDS_LOCKED);
    slapd.set_password("ajones", "a new Password 27");
    // A change stamp of whole seconds settles nothing before it is three seconds old.
    std::thread::sleep(Duration::from_millis(3_100));
    a_lock_that_does_not_show_ends(&slapd, "a new Password 27");
}

/// Somebody guesses once, and slapd, which writes the guess down in the entry, is stopped.
#[test]
fn a_strangers_guess_takes_away_neither_the_cached_password_nor_the_outage_grace() {
    for policy in ["", "cache: { found: 0s, password: 0s }"] {
        let (mut slapd, site) = (slapd(FOR_GOOD), Site::new());
        give_mail(&site, "ajones");
        let service = site.serve(&Plan::at(&slapd.url()).and("refusal_step: 0s").and(policy));
        assert!(is_let_in(&service, "127.0.0.3", ALAN.1));
        assert_eq!(reply(service.pop3(), "127.0.0.66", "ajones", "a guess").0, REFUSAL);
        assert_eq!(remembered(&slapd).0, 1);
        if policy.is_empty() {
            assert!(is_let_in(&service, "127.0.0.3", ALAN.1));
            service.wait_for_log(&["event=login person=\"ajones\"", "proof=\"cache\""]);
        }
        slapd.kill();
        assert!(is_let_in(&service, "127.0.0.3", ALAN.1), "{policy}");
    }
}

/// Refused, and made right within one second: most directories' change stamps cannot tell that.
fn a_password_made_right_at_once_works_at_once(directory: &impl RealDirectory, schema: &str) {
    let site = Site::new();
    give_mail(&site, "ajones");
    let mut plan = Plan::at(&directory.tls_url()).and("refusal_step: 0s");
    write!(plan.directory, "    ca: {}\n{schema}", directory.authority().display()).unwrap();
    let service = site.serve(&plan);
    for round in 0..3 {
        let (before, password) = (format!("a new Password {round}"), format!("another Password {round}"));
        directory.set_password("ajones", &before);
        assert_eq!(reply(service.pop3(), "127.0.0.2", "ajones", &password).0, REFUSAL);
        directory.set_password("ajones", &password);
        assert!(is_let_in(&service, "127.0.0.2", &password), "round {round}");
    }
}

#[test]
fn a_password_made_right_at_once_works_at_once_on_openldap() {
    a_password_made_right_at_once_works_at_once(&slapd(FOR_GOOD), "");
}

#[test]
fn a_password_made_right_at_once_works_at_once_on_389_directory_server() {
    a_password_made_right_at_once_works_at_once(&Ds389::start(LDIF), "    schema: 389ds\n");
}
