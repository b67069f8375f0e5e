//! SCRAM against a real slapd whose entries hold RFC 5803 credentials.

mod accounts;
mod challenges;
mod channel;
mod directories;
mod mpop;
mod wrong_proofs;

use std::fs;

use restante::demo::people::LDIF;

use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::login::{give_mail, opened};
use crate::support::process::output;
use crate::support::scram::{Client, SCHEMA, stored};
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::{Options, Slapd};

type Person = (&'static str, &'static str);

/// His password by SCRAM is another than the one by which he binds.
const ALAN: Person = ("ajones", "copper-lantern-5");
const ALANS_SALT: &[u8] = b"sixteen octets..";
/// Has a password to bind with, and no SCRAM credentials.
const LAMB: Person = ("alamb", "seven green lamps");
const REFUSAL: &str = "-ERR [AUTH] name or password is wrong";

/// Restante in front of slapd.
struct World {
    service: Service,
    site: Site,
    slapd: Slapd,
    plan: Plan,
}

impl World {
    fn new() -> Self {
        Self::with(Options::default(), |_, _| {})
    }

    /// With slapd set up differently, and the plan changed. Look-ups are believed for long; refusals are told at once.
    fn with(options: Options, change: impl FnOnce(&mut Plan, &Site)) -> Self {
        let slapd = Slapd::start_with(LDIF, &Options { global: SCHEMA.to_owned(), ..options });
        let site = Site::new();
        fs::write(site.folder().join("scram.key"), "a secret of all nodes\n").unwrap();
        let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s").and("scram: { key_file: scram.key }");
        plan.directory.push_str("    attributes: { scram: authPassword }\n");
        change(&mut plan, &site);
        let service = site.serve(&plan);
        for person in [ALAN, LAMB] {
            give_mail(&site, person.0);
        }
        for (person, _) in [ALAN, LAMB] {
            let dn = slapd.dn(person);
            slapd.modify(&format!("dn: {dn}\nchangetype: modify\nadd: objectClass\nobjectClass: authPasswordObject\n"));
        }
        let world = Self { service, site, slapd, plan };
        world.give(ALAN.0, &["{SSHA}other scheme", &stored(ALAN.1, ALANS_SALT, 4096)]);
        world
    }

    /// Gives a person other credentials than before.
    fn give(&self, short_name: &str, values: &[&str]) {
        let values: String = values.iter().map(|value| ["authPassword: ", value, "\n"].concat()).collect();
        let dn = self.slapd.dn(short_name);
        self.slapd.modify(&format!("dn: {dn}\nchangetype: modify\nreplace: authPassword\n{values}\n"));
    }

    /// A greeted client in clear, on a port that allows passwords there.
    fn connect(&self) -> Conversation {
        self.service.client()
    }

    /// Logs in; whose mail was opened, or the refusal.
    fn log_in(&self, person: Person) -> Result<String, String> {
        let mut pop3 = self.connect();
        let reply = Client::new(person).log_in(&mut pop3);
        opened(&mut pop3, reply)
    }

    /// What a command says that ends well.
    fn command(&self, words: &[&str]) -> String {
        let ended = output(&mut self.site.command(words), "");
        assert!(ended.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    }

    /// Refused in the words of any other refusal, and the true reason logged.
    fn refuses(&self, person: Person, reason: &str) {
        assert_eq!(self.log_in(person), Err(REFUSAL.to_owned()), "{person:?}");
        self.service.wait_for_log(&["login refused", "mechanism=SCRAM-SHA-256", &format!("reason=\"{reason}")]);
    }
}
