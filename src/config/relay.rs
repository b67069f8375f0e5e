//! `relay`: which hosts hold people's mail besides this one, and how sessions are passed on to them.

use std::sync::Arc;
use std::time::Duration;

use super::clients::host;
use super::paths::Base;
use super::schema;
use super::section::Section;
use super::tree::quoted;
use super::value_kind::ValueKind;
use crate::directory;
use crate::identity::RelayPolicy;
use crate::maildir::PathTemplate;
use crate::relay::{self, BackEndLogin, BackEndTls, ClientAddress, HostLimits, HostPattern, HostSettings, SEPARATOR};
use crate::secret::Password;

const ATTRIBUTE: &str = "mailHost";

/// The person's name at a host, unless something else is configured.
const USER: &str = "{short_name}";

/// When TLS begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TlsWord {
    Implicit,
    Starttls,
    None,
}

/// How people are logged in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LoginWord {
    Password,
    ProxyAccount,
    MasterUser,
    Certificate,
}

/// The hosts; none if none is listed. `hostname`: this service's own name.
pub(super) fn read(root: &Section<'_>, base: &Base, hostname: &str) -> Option<RelayPolicy> {
    let section = root.section("relay");
    let attribute = section.parsed("attribute", schema::attribute).unwrap_or_else(|| ATTRIBUTE.to_owned());
    let items = section.list("own_names").unwrap_or_default();
    let own = items.iter().filter_map(|item| section.parsed_of("own_names", item, host));
    let own_names: Vec<String> = own.chain([hostname.to_owned()]).map(|name| name.to_ascii_lowercase()).collect();
    let sections = section.sections("hosts").unwrap_or_default();
    let read: Vec<Option<(HostSettings, PathTemplate)>> = sections.iter().map(|host| one(host, base)).collect();
    if sections.is_empty() {
        let is_set = [("own_names", !items.is_empty()), ("attribute", attribute != ATTRIBUTE)];
        for (key, _) in is_set.into_iter().filter(|(_, is_set)| *is_set) {
            let what = "has no effect without relay.hosts; expected hosts, or no such key";
            section.fault(key, section.place_of(key), what);
        }
        return None;
    }
    let (hosts, users) = read.into_iter().flatten().unzip();
    // Whoever lists hosts and names no mail root has no mail here.
    let serves_here = root.section("mailboxes").get("root").is_some();
    Some(RelayPolicy { settings: Arc::new(relay::Settings { attribute, own_names, hosts }), users, serves_here })
}

/// One item of the list, with the template of people's names there.
fn one(section: &Section<'_>, base: &Base) -> Option<(HostSettings, PathTemplate)> {
    section.require("name", "a host name, or something like \"*.mail.example.org\" for every name below a domain");
    let pattern = section.parsed("name", |text| {
        HostPattern::parse(text).ok_or_else(|| {
            format!("{} is not a host name; expected one, or something like \"*.mail.example.org\"", quoted(text))
        })
    });
    let words = [("implicit", TlsWord::Implicit), ("starttls", TlsWord::Starttls), ("none", TlsWord::None)];
    let tls = section.word("tls", TlsWord::Implicit, &words);
    let usual = if tls == TlsWord::Implicit { 995 } else { 110 };
    let port = u16::try_from(section.count("port", usual, 1..=65_535)).ok();
    let words = [
        ("password", LoginWord::Password),
        ("proxy_account", LoginWord::ProxyAccount),
        ("master_user", LoginWord::MasterUser),
        ("certificate", LoginWord::Certificate),
    ];
    let word = section.word("login", LoginWord::Password, &words);
    let login = login(section, base, word);
    let tls = protection(section, base, tls, word);
    let words =
        [("none", ClientAddress::None), ("proxy_v2", ClientAddress::ProxyV2), ("xclient", ClientAddress::Xclient)];
    let client_address = section.word("client_address", ClientAddress::None, &words);
    let (user, limits) = (user(section), limits(section));
    Some((HostSettings { pattern: pattern?, port: port?, tls: tls?, login: login?, client_address, limits }, user?))
}

fn user(section: &Section<'_>) -> Option<PathTemplate> {
    section.accept("user", ValueKind::Text);
    let text = section.get("user").and_then(|node| section.text_of("user", node)).map_or(USER, |text| &text.value);
    match PathTemplate::parse_text(text) {
        Ok(template) => Some(template),
        Err(fault) => {
            let what = format!("{fault}; expected something like \"{{short_name}}\"");
            section.fault("user", section.place_of("user"), what);
            None
        }
    }
}

fn limits(section: &Section<'_>) -> HostLimits {
    let default = HostLimits::default();
    let second = Duration::from_secs(1);
    let connections = section.count("connections", default.connections as u64, 1..=1_000_000);
    HostLimits {
        connections: usize::try_from(connections).unwrap_or(default.connections),
        connect: section.duration("connect_timeout", default.connect, second..=60 * second),
        login: section.duration("login_timeout", default.login, second..=300 * second),
        retry_after: section.duration("retry_after", default.retry_after, Duration::ZERO..=300 * second),
    }
}

/// The account, where one is needed. Keys that have no effect are mistakes.
fn login(section: &Section<'_>, base: &Base, word: LoginWord) -> Option<BackEndLogin> {
    let has_account = matches!(word, LoginWord::ProxyAccount | LoginWord::MasterUser);
    if has_account {
        section.require("account", "the name of the account that acts for others at this host");
        section.require("account_password_file", "a file whose first line is that account's password");
    }
    let account = section.parsed("account", account);
    let password = section.parsed("account_password_file", |path| base.password(path));
    for key in ["account", "account_password_file"].into_iter().filter(|_| !has_account) {
        if section.get(key).is_some() {
            let what = "has an effect only with login: proxy_account or login: master_user; expected one of them, or no such key";
            section.fault(key, section.place_of(key), what);
        }
    }
    let both = |make: fn(String, Password) -> BackEndLogin| Some(make(account?, password?));
    match word {
        LoginWord::Password => Some(BackEndLogin::ClientPassword),
        LoginWord::Certificate => Some(BackEndLogin::Certificate),
        LoginWord::ProxyAccount => both(|account, password| BackEndLogin::ProxyAccount { account, password }),
        LoginWord::MasterUser => both(|account, password| BackEndLogin::MasterUser { account, password }),
    }
}

fn account(text: &str) -> Result<String, String> {
    if text.contains(SEPARATOR) || text.chars().any(char::is_control) {
        return Err(format!("{} is not an account name; expected one without {SEPARATOR:?}", quoted(text)));
    }
    Ok(text.to_owned())
}

/// TLS to the host, with our certificate if that is how people are logged in.
fn protection(section: &Section<'_>, base: &Base, tls: TlsWord, login: LoginWord) -> Option<BackEndTls> {
    let ca = section.parsed("ca", |path| base.resolve(path));
    let needs_certificate = login == LoginWord::Certificate;
    if needs_certificate {
        section.require("certificate", "a PEM file of our certificate for this host, with its chain");
        section.require("key", "the PEM file of its key");
    }
    let certificate = section.parsed("certificate", |path| base.resolve(path));
    let key = section.parsed("key", |path| base.resolve(path));
    for name in ["certificate", "key"].into_iter().filter(|name| !needs_certificate && section.get(name).is_some()) {
        let what = "has an effect only with login: certificate; expected that, or no such key";
        section.fault(name, section.place_of(name), what);
    }
    let allows_clear_text = section.flag("allow_clear_text");
    if tls == TlsWord::None {
        return in_clear(section, needs_certificate, allows_clear_text);
    }
    let fault = |key: &str, fault: String| {
        let right =
            "expected PEM files: in ca the authorities that sign this host's certificate, in certificate and key ours";
        section.fault(key, section.place_of(key), format!("{fault}; {right}"));
    };
    let own = if needs_certificate { Some((certificate?, key?)) } else { None };
    let config = match own {
        None => directory::trust(ca.as_deref()).map_err(|why| fault("ca", why)).ok()?.configuration(),
        Some((certificate, key)) => {
            let shown = directory::trust_showing(ca.as_deref(), &certificate, &key);
            shown.map_err(|why| fault("certificate", why)).ok()?
        }
    };
    Some(if tls == TlsWord::Implicit { BackEndTls::Implicit(config) } else { BackEndTls::Stls(config) })
}

/// Passwords in clear: only on the way to this machine, unless somebody says that the network is safe.
fn in_clear(section: &Section<'_>, needs_certificate: bool, allows_clear_text: bool) -> Option<BackEndTls> {
    if section.get("ca").is_some() {
        section.fault("ca", section.place_of("ca"), "has no effect without TLS; expected no such key, or TLS");
    }
    if needs_certificate {
        let what = "a certificate can be shown only under TLS; expected implicit or starttls";
        section.fault("tls", section.place_of("tls"), what);
        return None;
    }
    let name = section.text("name").unwrap_or_default();
    let is_near = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if !is_near && !allows_clear_text {
        let what = "would send passwords in clear; expected implicit, starttls, or allow_clear_text: true";
        section.fault("tls", section.place_of("tls"), what);
        return None;
    }
    Some(BackEndTls::None)
}
