//! Every form of a name, under every policy, typed into a mail client: a real slapd behind a Restante of its own.

mod authorization;
mod characters;
mod mailboxes;
mod policies;
mod schemas;
mod wild;

use std::cell::Cell;
use std::net::Ipv4Addr;

use restante::demo::{ldif, people};
use restante::names::LoginName;

use crate::support::directory::RealDirectory;
use crate::support::login::{give_mail, log_in, log_in_from};
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;

/// What is added to the sample people.
const FURTHER: &str = include_str!("login_names/people.ldif");

/// The same words for whatever reason.
const REFUSAL: &str = "-ERR [AUTH] name or password is wrong";

/// A login name, the person whose password is typed with it, and what the log says: the kind of name, or the reason of
/// the refusal.
type Row = (&'static str, &'static str, &'static str);

/// Restante in front of slapd, with mail for everybody.
struct World {
    service: Service,
    site: Site,
    slapd: Slapd,
    entries: Vec<ldif::LdifRecord>,
    /// Logins that were refused so far.
    refused: Cell<u16>,
}

impl World {
    /// With lines of `internet_authentication`, as in `names: more`.
    fn with_names(lines: &str) -> Self {
        Self::with(lines, |_| {})
    }

    /// The same, and the plan changed.
    fn with(lines: &str, change: impl FnOnce(&mut Plan)) -> Self {
        Self::before(Slapd::start(&ldif()), lines, change)
    }

    fn before(slapd: Slapd, lines: &str, change: impl FnOnce(&mut Plan)) -> Self {
        let (site, entries) = (Site::new(), ldif::parse(&ldif()).unwrap());
        // Every login asks slapd: what is held must not stand in for it.
        let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s").and("cache: { password: 0s }");
        plan = plan.and(&format!("internet_authentication: {{ {lines} }}"));
        change(&mut plan);
        let service = site.serve(&plan);
        let world = Self { service, site, slapd, entries, refused: Cell::default() };
        world.people().for_each(|person| give_mail(&world.site, person.texts("uid").next().unwrap()));
        world
    }

    fn people(&self) -> impl Iterator<Item = &ldif::LdifRecord> {
        self.entries.iter().filter(|entry| entry.texts("uid").next().is_some())
    }

    /// The password of the entry that has this short name, or common name.
    fn password(&self, whose: &str) -> &str {
        let is =
            |entry: &&ldif::LdifRecord| ["uid", "cn"].into_iter().any(|name| entry.texts(name).any(|own| own == whose));
        let mut passwords = self.entries.iter().filter(is).filter_map(|entry| entry.texts("userPassword").next());
        passwords.next().unwrap_or_else(|| panic!("nobody is called {whose}"))
    }

    /// Each name opens that person's mail, and only with that person's password.
    fn opens(&self, rows: &[Row]) {
        for (login, whose, kind) in rows {
            let opened = log_in(&self.service, login, self.password(whose));
            assert_eq!(opened.as_deref(), Ok(*whose), "{login}");
            let line = self.service.wait_for_log(&[" event=login person=", &field(login), "proof=\"bind\""]);
            assert!(line.contains(&format!(" event=login person={whose:?} ")), "{line}");
            assert!(line.contains(&format!(" kind={kind:?} ")), "{line}");
            self.refuses_with(login, "not the password", "wrong password");
        }
    }

    /// Each name is refused even with that person's password.
    fn refuses(&self, rows: &[Row]) {
        for (login, whose, reason) in rows {
            self.refuses_with(login, self.password(whose), reason);
        }
    }

    fn refuses_with(&self, login: &str, password: &str, reason: &str) {
        let before = self.refusals(login).len();
        // Of many refusals of one network, not each has a line in the log.
        self.refused.set(self.refused.get() + 1);
        let [high, low] = self.refused.get().to_be_bytes();
        let refusal = log_in_from(Ipv4Addr::new(127, 1, high, low), &self.service, login, password);
        assert_eq!(refusal, Err(REFUSAL.to_owned()), "{login}");
        crate::support::wait_until("the refusal is logged", || self.refusals(login).len() > before);
        let line = self.refusals(login).pop().unwrap();
        assert!(line.contains(&format!(" reason=\"{reason}")), "{line}");
    }

    fn refusals(&self, login: &str) -> Vec<String> {
        let of_login = |line: &String| line.contains(" login refused ") && line.contains(&field(login));
        self.service.log().into_iter().filter(of_login).collect()
    }
}

/// Everybody.
fn ldif() -> String {
    format!("{}\n{FURTHER}", people::LDIF)
}

/// How the log tells what was typed.
fn field(login: &str) -> String {
    format!(" login={:?} ", LoginName::as_typed(login.as_bytes()))
}
