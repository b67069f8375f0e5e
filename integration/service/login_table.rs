//! Who may log in, as one table: three real directories, both presets, every kind of name, every state of an account.
//!
//! The same people stand in each directory as far as it can hold them, and the same expectations hold in all of them. What
//! a directory cannot hold stands in the table with its reason, and the directory is asked to hold it all the same: it
//! must refuse. Nothing is held between two logins but refused passwords, so each cell is the directory's own answer.

mod names;
mod people;
mod servers;
mod states;
mod times;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::support::directory::RealDirectory;
use crate::support::login::{give_mail, log_in_from};
use crate::support::service::{Plan, Service, Site};
use names::{Lacking, NAMES, Name};
use people::{GROUP, ldif};
use servers::Holder;
use states::{Row, STATES, Told};

/// The three directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Slapd,
    Ds389,
    Samba,
}

/// The two presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preset {
    Fewer,
    More,
}

const REFUSAL: &str = "-ERR [AUTH] name or password is wrong";
/// Results of a change that a schema does not allow (RFC 4511 Appendix A): no such attribute, undefined attribute type,
/// constraint violation, object class violation, not allowed on RDN.
const BY_SCHEMA: [i32; 5] = [16, 17, 19, 65, 67];
const NOBODY: Told = Told::Refused("no such login name");

impl Preset {
    fn word(self) -> &'static str {
        match self {
            Self::Fewer => "fewer",
            Self::More => "more",
        }
    }

    fn has(self, name: &Name) -> bool {
        self == Self::More || name.in_fewer
    }
}

/// What comes of a cell.
fn expected(server: Server, preset: Preset, name: &Name, row: &Row) -> Told {
    if preset.has(name) && !lacks(server, name.nowhere_in) { row.told_by(server) } else { NOBODY }
}

fn lacks(server: Server, lacking: &[Lacking]) -> bool {
    lacking.iter().any(|Lacking(other, ..)| *other == server)
}

fn serve<D: Holder>(site: &Site, directory: &D, preset: Preset, refusal_step: Duration) -> Service {
    let (schema, step) = (D::SCHEMA, refusal_step.as_secs());
    let mut plan = Plan::at(&directory.url())
        .and("cache: { found: 0s, missed: 0s, password: 0s, outage_grace: 0s }")
        .and(&format!("refusal_step: {step}s\ninternet_authentication: {{ names: {} }}", preset.word()));
    let switch = "enabled_attribute: { name: employeeType, value: mail }";
    writeln!(plan.directory, "{schema}    allowed_group: \"{GROUP}\"\n    {switch}").unwrap();
    "  path: \"{attr:employeeNumber}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    site.serve(&plan)
}

/// The whole table at one server. Everybody logs in at once; each person's logins come one after the other, since 389
/// Directory Server may lock an account that binds several times at the same moment with an expired password.
fn holds<D: Holder + Sync>(server: Server, directory: &D) {
    let rows: Vec<&Row> = STATES.iter().filter(|row| !lacks(server, row.nowhere_in)).collect();
    refuses_what_it_cannot_hold(server, directory);
    let site = Site::new();
    for row in &rows {
        directory.bring(row.state, &row.person);
        give_mail(&site, row.person.number);
    }
    let services =
        [Preset::Fewer, Preset::More].map(|preset| (preset, serve(&site, directory, preset, Duration::ZERO)));
    let cells = |row| services.iter().flat_map(move |service| NAMES.iter().map(move |name| (service, name, row)));
    let fault = |((preset, service), name, row): (&(Preset, Service), &'static Name, &Row)| {
        let fault = fault_in(service, directory, expected(server, *preset, name, row), (name, row))?;
        Some(format!("{preset:?}, {fault}"))
    };
    let faults: Vec<String> = std::thread::scope(|scope| {
        let threads = rows.iter().map(|row| scope.spawn(|| cells(*row).filter_map(fault).collect::<Vec<_>>()));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{server:?}:\n{}", faults.join("\n"));
    times::tell_nothing(server, &serve(&site, directory, Preset::Fewer, times::STEP), &rows);
}

/// An address that nobody has used yet: of many refusals of one network, not each has a line in the log.
fn an_address() -> Ipv4Addr {
    static USED: AtomicU16 = AtomicU16::new(0);
    let [high, low] = USED.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low.max(1))
}

/// Tries one cell; tells what is wrong with it.
fn fault_in(service: &Service, directory: &impl RealDirectory, expected: Told, cell: (&Name, &Row)) -> Option<String> {
    let (name, row @ Row { state, person, .. }) = cell;
    let typed = (name.typed)(person, &directory.dn(person.short));
    let seen = log_in_from(an_address(), service, &typed, &row.password());
    let line = service.wait_for_log(&[" login ", &format!(" login={typed:?} ")]);
    let logged = |words: &str| line.contains(words);
    let is_as_expected = match expected {
        Told::Opened(proof) => {
            seen.as_deref() == Ok(person.number)
                && logged(&format!(" event=login person={:?} ", person.short))
                && logged(&format!(" kind={:?} ", name.kind))
                && logged(&format!(" proof=\"{proof}"))
        }
        Told::Refused(reason) => {
            seen.as_ref().is_err_and(|said| said == REFUSAL) && logged(&format!(" reason=\"{reason}"))
        }
    };
    (!is_as_expected).then(|| format!("{state:?} by {}: {expected:?}, but {seen:?}, {line}", name.what))
}

/// The list of what cannot be is neither too long nor, as the other cells show, too short.
fn refuses_what_it_cannot_hold(server: Server, directory: &impl RealDirectory) {
    let administrator = directory.administrator();
    for Row { person, nowhere_in, .. } in &STATES {
        let names = NAMES.iter().map(|name| (name.nowhere_in, (name.typed)(person, "")));
        let state = (*nowhere_in, "20991231235959Z".to_owned());
        for (lacking, value) in names.chain([state]) {
            for Lacking(_, attribute, why) in lacking.iter().filter(|lack| lack.0 == server) {
                let dn = directory.dn(person.short);
                let change = format!("dn: {dn}\nchangetype: modify\nadd: {attribute}\n{attribute}: {value}\n");
                let result = administrator.result_of(&change);
                assert!(BY_SCHEMA.contains(&result), "{why}, but {server:?} gave {result} for {attribute}: {value}");
            }
        }
    }
}

#[test]
fn slapd() {
    holds(Server::Slapd, &servers::slapd(&ldif()));
}

#[test]
fn ds389() {
    holds(Server::Ds389, &crate::support::ds389::Ds389::start(&ldif()));
}

#[test]
fn samba() {
    holds(Server::Samba, &crate::support::samba::Samba::start(&ldif()));
}
