//! The parts of the page, from top to bottom.

use std::time::SystemTime;

use super::escape::Escaped;
use super::plot::plot;
use super::table::{Cell, PageTable};
use crate::admin::ServiceView;
use crate::admin::view::whole_days;
use crate::date::Date;
use crate::ledger::MinuteOfLogins;

/// Sessions that the page lists; `restante who` lists all.
const SESSIONS: usize = 200;

/// Addresses that the page lists.
const ADDRESSES: usize = 10;

/// Days before a certificate's end from which on it is marked.
const SOON: i64 = 14;

fn section(heading: &str, content: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{content}</section>\n", Escaped(heading))
}

/// Whether the service can be used, and how busy it is.
pub(super) fn state(service: &ServiceView) -> String {
    let ledger = &service.ledger;
    let readiness = match service.readiness() {
        Ok(()) => "<span class=\"good\">Ready</span>".to_owned(),
        Err(why) => format!("<span class=\"bad\">Not ready: {}</span>", Escaped(why)),
    };
    let (began, (current, total)) = (ledger.began().0, ledger.sessions.counts());
    format!(
        "<p>{readiness}. Version {version}, running since {since}. Sessions: {current} now, {total} since the start. \
         Lock-outs in force: {lockouts}.</p>\n",
        version = env!("CARGO_PKG_VERSION"),
        since = Date::of(began).of_log(),
        lockouts = ledger.lock_outs.current(),
    )
}

/// Logins and refusals by minute.
pub(super) fn last_hour(service: &ServiceView) -> String {
    let minutes = service.ledger.last_hour.logins();
    let of = |count: fn(&MinuteOfLogins) -> u32| minutes.iter().map(count).collect::<Vec<_>>();
    let plots = [
        plot("Logins", &of(|minute| minute.accepted)),
        plot("Refused logins", &of(|minute| minute.refused)),
        plot("Logins not possible", &of(|minute| minute.impossible)),
    ];
    section("Last hour", &format!("<div class=\"plots\">\n{}</div>\n", plots.concat()))
}

/// Who is connected.
pub(super) fn sessions(service: &ServiceView) -> String {
    let all = service.sessions(None);
    let columns = ["Session", "Person", "Address", "Listener", "Since", "State", "TLS"];
    let mut table = PageTable::new("Sessions being served, from the oldest on", &columns);
    for session in all.iter().take(SESSIONS) {
        table.row(vec![
            session.id.as_str().into(),
            session.person.as_deref().unwrap_or("–").into(),
            session.peer.to_string().into(),
            (&*session.listener).into(),
            Date::of(session.since).of_log().into(),
            session.state.word().into(),
            session.protection.into(),
        ]);
    }
    let more = match all.len().saturating_sub(SESSIONS) {
        0 => String::new(),
        more => format!("<p>And {more} more: <code>restante who</code> lists them.</p>\n"),
    };
    section("Sessions", &(table.or("Nobody is connected.") + &more))
}

/// Whether the directories answer.
pub(super) fn directories(service: &ServiceView) -> String {
    let mut table = PageTable::new("Servers of the directories", &["Server", "Directory", "State"]);
    for directory in &service.directories {
        for (url, is_up) in directory.servers() {
            let state = if is_up { Cell::Good("in use".to_owned()) } else { Cell::Bad("does not answer".to_owned()) };
            table.row(vec![url.into(), (&*directory.settings().name).into(), state]);
        }
    }
    section("Directories", &table.or("There is no directory."))
}

/// When certificates expire.
pub(super) fn certificates(service: &ServiceView, now: SystemTime) -> String {
    let mut table = PageTable::new("The service's own certificates", &["Names", "File", "Valid until", "Days left"]);
    for certificate in service.ledger.certificates() {
        let days = whole_days(certificate.days_left(now));
        let left = days.to_string();
        let until = Date::of(certificate.valid_until).of_log();
        let left = if days < SOON { Cell::Bad(left) } else { Cell::Plain(left) };
        table.row(vec![certificate.name.into(), certificate.file.into(), until.into(), left]);
    }
    section("Certificates", &table.or("There is no certificate, so there is no TLS."))
}

/// How well the caches work.
pub(super) fn caches(service: &ServiceView) -> String {
    let caches = &service.ledger.caches;
    let mut table = PageTable::new("Caches, since the start", &["Cache", "Entries", "Hits", "Misses"]);
    for (name, counter) in caches.all() {
        let (hits, misses) = counter.counts();
        let entries = caches.size(name).map_or_else(|| "–".to_owned(), |entries| entries.to_string());
        table.row(vec![name.into(), entries.into(), hits.to_string().into(), misses.to_string().into()]);
    }
    section("Caches", &table.or(""))
}

/// Maildrops that took long to read.
pub(super) fn slowest(service: &ServiceView) -> String {
    let mut table = PageTable::new("Reading a changed Maildir, last hour", &["Maildir", "Person", "Milliseconds"]);
    for slow in service.ledger.last_hour.slowest() {
        let took = format!("{:.1}", slow.took.as_secs_f64() * 1000.0);
        table.row(vec![slow.maildrop.into(), slow.person.into(), took.into()]);
    }
    section("Slowest maildrops", &table.or("No Maildir was read in the last hour."))
}

/// Addresses with most refusals.
pub(super) fn noisiest(service: &ServiceView) -> String {
    let caption = "Refused logins, connections without a login and connections turned away, last half to whole hour";
    let mut table = PageTable::new(caption, &["Address", "Count"]);
    for noisy in service.ledger.last_hour.noisiest(ADDRESSES) {
        let suffix = if noisy.address.is_ipv6() { "/64" } else { "" };
        table.row(vec![format!("{}{suffix}", noisy.address).into(), noisy.count.to_string().into()]);
    }
    section("Noisiest addresses", &table.or("None."))
}
