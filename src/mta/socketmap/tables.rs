//! The tables, and what each answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::address::{MailAddress, extended};
use super::delivery::{self, DeliveryPaths};
use super::reply::TableReply;
use crate::connection::Service;
use crate::current::Current;
use crate::directory::Fault;
use crate::identity::{AddressOwner, Identity, MailHost};
use crate::mta::account_name::account_name;
use crate::mta::settings::SocketmapSettings;

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PostfixTable {
    /// Whether anybody receives mail under an address.
    Recipient,
    /// Where mail for an address belongs.
    Maildir,
    /// Who may send mail as an address: what the SASL service calls them.
    Sender,
    /// The primary address of whoever has a further one.
    Alias,
    /// Which other host mail for an address is passed on to.
    Host,
    /// Whether somebody has logged in by POP3 from a client's address of late.
    PopBeforeSmtp,
}

/// All tables.
const TABLES: [(&str, PostfixTable); 6] = [
    ("recipient", PostfixTable::Recipient),
    ("maildir", PostfixTable::Maildir),
    ("sender", PostfixTable::Sender),
    ("alias", PostfixTable::Alias),
    ("host", PostfixTable::Host),
    ("pop_before_smtp", PostfixTable::PopBeforeSmtp),
];

/// Answers look-ups.
pub(super) struct Tables {
    service: Arc<Current<Service>>,
    recipient_delimiter: String,
    paths: DeliveryPaths,
    /// The last look-up that needed a directory had no answer.
    is_silent: AtomicBool,
}

/// Whose an address is, and its extension if it is theirs only without it.
struct OwnedAddress {
    owner: AddressOwner,
    extension: String,
}

impl Tables {
    pub(super) fn new(service: Arc<Current<Service>>, settings: &SocketmapSettings) -> Self {
        let paths = DeliveryPaths::new(service.clone());
        let recipient_delimiter = settings.recipient_delimiter.clone();
        Self { service, recipient_delimiter, paths, is_silent: AtomicBool::new(false) }
    }

    /// Answers a request: the name of a table, a blank, the key.
    pub(super) async fn answer(&self, request: &[u8]) -> TableReply {
        // Nothing in a directory can be found by octets that are no text.
        let text = String::from_utf8_lossy(request);
        let (name, key) = text.split_once(' ').unwrap_or((&text, ""));
        let Some((word, table)) = TABLES.iter().find(|(word, _)| *word == name) else {
            return TableReply::Permanent("there is no such table".to_owned());
        };
        let reply = self.look_up(*table, key).await;
        self.service.get().ledger.mta.note_lookup(word, reply.word());
        reply
    }

    async fn look_up(&self, table: PostfixTable, key: &str) -> TableReply {
        if table == PostfixTable::PopBeforeSmtp {
            return self.pop_before_smtp(key);
        }
        let Some(address) = MailAddress::parse(key) else { return TableReply::NotFound };
        let OwnedAddress { owner, extension } = match self.owner(&address).await {
            Ok(found) => found,
            Err(fault) => return self.unanswered(&fault),
        };
        self.note_answer();
        match (table, owner) {
            (_, AddressOwner::Nobody) => TableReply::NotFound,
            (PostfixTable::Sender, AddressOwner::One(person)) => TableReply::Found(account_name(&person)),
            (PostfixTable::Sender, AddressOwner::Several(people)) => {
                let mut names: Vec<String> = people.iter().map(|person| account_name(person)).collect();
                names.sort_unstable();
                TableReply::Found(names.join(","))
            }
            (_, AddressOwner::Several(people)) => {
                let mut people: Vec<&str> = people.iter().map(|person| person.dn.as_str()).collect();
                people.sort_unstable();
                TableReply::Permanent(format!("several people have this address: {}", people.join(" and ")))
            }
            (PostfixTable::Maildir, AddressOwner::One(person)) => self.paths.answer(&person).await,
            (PostfixTable::Host, AddressOwner::One(person)) => host(&person),
            (PostfixTable::Alias, AddressOwner::One(person)) => alias(&person, &address, &extension),
            (PostfixTable::Recipient | PostfixTable::PopBeforeSmtp, AddressOwner::One(person)) => recipient(&person),
        }
    }

    /// Whose an address is: as it is, else without its extension.
    async fn owner(&self, address: &MailAddress) -> Result<OwnedAddress, Fault> {
        let found = self.owner_of(address).await?;
        let shortened = address.without_extension(&self.recipient_delimiter);
        match (found, shortened) {
            (AddressOwner::Nobody, Some((address, extension))) => {
                Ok(OwnedAddress { owner: self.owner_of(&address).await?, extension: extension.to_owned() })
            }
            (owner, _) => Ok(OwnedAddress { owner, extension: String::new() }),
        }
    }

    async fn owner_of(&self, address: &MailAddress) -> Result<AddressOwner, Fault> {
        for name in address.names() {
            match self.service.get().identities.owner_of_address(&name).await? {
                AddressOwner::Nobody => {}
                owner => return Ok(owner),
            }
        }
        Ok(AddressOwner::Nobody)
    }

    /// For `check_client_access`, which asks for host names and parts of addresses as well.
    fn pop_before_smtp(&self, key: &str) -> TableReply {
        if !self.service.get().recent.is_on() {
            return TableReply::Permanent("socketmap.pop_before_smtp is not set".to_owned());
        }
        let address = key.parse().ok().map(|address: IpAddr| address.to_canonical());
        match address {
            Some(address) if self.service.get().recent.contains(address, Instant::now()) => {
                TableReply::Found("OK".to_owned())
            }
            _ => TableReply::NotFound,
        }
    }

    /// "Not found" would bounce mail. Logged when it begins, not at each look-up.
    fn unanswered(&self, fault: &Fault) -> TableReply {
        let reason = fault.to_string();
        if !self.is_silent.swap(true, Ordering::Relaxed) {
            tracing::warn!(name: "socketmap_unavailable", reason, "look-ups in tables are answered with a temporary failure");
        }
        TableReply::Temporary(reason)
    }

    fn note_answer(&self) {
        if self.is_silent.swap(false, Ordering::Relaxed) {
            tracing::info!(name: "socketmap_available", "look-ups in tables are answered again");
        }
    }
}

/// The transport to the host that holds the person's mail (transport(5)); not found if it is here.
fn host(person: &Identity) -> TableReply {
    match &person.mail_host {
        MailHost::Here => TableReply::NotFound,
        MailHost::Elsewhere(target) => TableReply::Found(format!("smtp:[{}]", target.host)),
        MailHost::Rejected(why) => TableReply::Permanent(format!("no host for {}: {why}", person.canonical_name)),
    }
}

/// The primary address, which shows in logs whose mail it is. A person whose mail has no place receives none, but only an
/// administrator can know whether that is a mistake.
fn recipient(person: &Identity) -> TableReply {
    let place = match &person.mail_host {
        MailHost::Elsewhere(_) => Ok(()),
        MailHost::Here | MailHost::Rejected(_) => delivery::path(person).map(drop),
    };
    match place {
        Ok(()) => TableReply::Found(person.mail.clone().unwrap_or_else(|| "OK".to_owned())),
        Err(reply) => reply,
    }
}

fn alias(person: &Identity, address: &MailAddress, extension: &str) -> TableReply {
    let Some(primary) = &person.mail else { return TableReply::NotFound };
    let primary = extended(primary, extension);
    if MailAddress::parse(&primary).as_ref() == Some(address) {
        return TableReply::NotFound;
    }
    TableReply::Found(primary)
}
