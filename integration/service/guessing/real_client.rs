//! A lock-out as an owner's real mail client lives through it, in front of a slapd with a lock-out of its own.

use std::path::PathBuf;
use std::process::{Command, Output};

use restante::demo::people::LDIF;

use super::{ALAN, LAMB};
use crate::support::directory::RealDirectory;
use crate::support::login::give_mail;
use crate::support::overlays::Overlay;
use crate::support::probe::bind;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::{Options, Slapd};

/// curl's "the remote server denied curl to login", `curl(1)`.
const DENIED: i32 = 67;

/// curl, which trusts the service's certificate.
struct Curl {
    service: Service,
    authority: PathBuf,
}

impl Curl {
    /// Fetches the first message over TLS, from an address of this machine.
    fn fetch(&self, from: &str, (name, password): (&str, &str)) -> Output {
        let mut command = Command::new("curl");
        command.args(["--disable", "--silent", "--show-error", "--interface", from]);
        command.arg("--cacert").arg(&self.authority).args(["--user", &format!("{name}:{password}")]);
        // The name in the certificate leads to IPv4, where the addresses are.
        command.args(["--ipv4", &format!("pop3s://localhost:{}/1", self.service.pop3s().port())]);
        command.output().expect("curl cannot be started; it is in the Debian package curl, see integration/packages")
    }

    fn gets_mail(&self, from: &str, credentials: (&str, &str)) {
        let fetched = self.fetch(from, credentials);
        let mail = String::from_utf8_lossy(&fetched.stdout);
        assert!(mail.contains(&format!("Subject: mail of {}\r\n", credentials.0)), "{from}: {fetched:?}");
    }

    fn is_denied(&self, from: &str, credentials: (&str, &str)) {
        let denied = self.fetch(from, credentials);
        assert!(denied.status.code() == Some(DENIED) && denied.stdout.is_empty(), "{from}: {denied:?}");
    }
}

#[tokio::test]
async fn the_owner_fetches_mail_at_home_while_somebody_guesses_elsewhere() {
    let overlays = &[Overlay::PasswordPolicy];
    let (slapd, site) = (Slapd::start_with(LDIF, &Options { overlays, ..Options::default() }), Site::new());
    for (person, _) in [ALAN, LAMB] {
        give_mail(&site, person);
    }
    // Below slapd's own threshold. No password is held, so that slapd lets the owner in each time.
    let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s\ncache: { password: 0s }");
    "person: 3, network: 50".clone_into(&mut plan.lockout);
    let curl = Curl { service: site.serve(&plan), authority: site.authority() };
    curl.gets_mail("127.0.0.7", ALAN);
    for guess in 1..=20 {
        curl.is_denied("127.0.6.6", (ALAN.0, &format!("guess {guess}")));
        curl.gets_mail("127.0.0.7", ALAN);
    }
    curl.service.wait_for_log(&["WARN", "lock-out begins", "person=\"ajones\""]);
    // Not even the right password is let in there, nor anywhere else where its owner has not been.
    curl.is_denied("127.0.6.6", ALAN);
    curl.is_denied("127.0.8.8", ALAN);
    curl.gets_mail("127.0.6.6", LAMB);
    let answer = bind(&slapd, ALAN.0, ALAN.1).await;
    assert_eq!(answer.code, 0, "slapd itself has locked the account: {answer}");
}
