//! What the other server's lists say about each message.

use std::borrow::Cow;
use std::collections::HashSet;

use super::UnreadLines;
use super::contents::ListContents;
use super::courier::Sizelist;
use super::neutral::ImportFile;
use super::settings::{ListKind, UniqueIdSettings};
use super::uidlist::Uidlist;
use crate::maildir::files::file_name;
use crate::maildir::unique_ids::Rank;

/// The parsed lists of one maildrop.
#[derive(Debug)]
pub(in crate::maildir) struct ForeignLists<'a> {
    settings: &'a UniqueIdSettings,
    dovecot: Option<Uidlist<'a>>,
    courier: Option<Sizelist<'a>>,
    import: Option<ImportFile<'a>>,
    /// What is wrong with the lists, a sentence for each.
    pub(in crate::maildir) faults: Vec<String>,
    /// The first fault that makes a list unusable.
    pub(in crate::maildir) unusable: Option<String>,
}

/// What another server's list says about a message.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::maildir) struct ListedUid<'a> {
    /// Its unique-id as clients saw it, whether it conforms to the standard or not.
    pub(in crate::maildir) unique_id: Cow<'a, [u8]>,
    /// Its place in the order of the messages, if that server had an order of its own.
    pub(in crate::maildir) rank: Option<Rank>,
    pub(in crate::maildir) kind: ListKind,
}

impl<'a> ForeignLists<'a> {
    /// Parses the contents of the lists.
    pub(in crate::maildir) fn parse(contents: &'a ListContents, settings: &'a UniqueIdSettings) -> Self {
        let mut lists =
            Self { settings, dovecot: None, courier: None, import: None, faults: Vec::new(), unusable: None };
        if let Some(octets) = &contents.dovecot {
            lists.dovecot = lists.taken("dovecot-uidlist", Uidlist::parse(octets), |list| list.unread);
        }
        if let Some(octets) = &contents.courier {
            lists.courier = lists.taken("courierpop3dsizelist", Sizelist::parse(octets), |list| list.unread);
        }
        if let Some(octets) = &contents.import {
            lists.import = lists.taken("restante-import", ImportFile::parse(octets), |list| list.unread);
        }
        for name in &contents.too_large {
            let fault: Result<(), _> = Err("is far larger than a list of these messages can be");
            lists.taken(name, fault, |()| UnreadLines::default());
        }
        lists
    }

    fn taken<T>(&mut self, name: &str, read: Result<T, &str>, unread: impl Fn(&T) -> UnreadLines) -> Option<T> {
        match read {
            Err(why) => {
                let fault = format!("{name} {why}: none of it counts");
                self.unusable.get_or_insert_with(|| fault.clone());
                self.faults.push(fault);
                None
            }
            Ok(list) => {
                if let UnreadLines { first: Some(line), count } = unread(&list) {
                    self.faults
                        .push(format!("{name}, line {line}: cannot be read; so are {count} of its lines in all"));
                }
                Some(list)
            }
        }
    }

    /// Whether any list was found.
    pub(in crate::maildir) fn is_any(&self) -> bool {
        self.dovecot.is_some() || self.courier.is_some() || self.import.is_some()
    }

    /// The lists found, by the names of their files.
    pub(in crate::maildir) fn found(&self) -> Vec<&'static str> {
        let found = [
            ("dovecot-uidlist", self.dovecot.is_some()),
            ("courierpop3dsizelist", self.courier.is_some()),
            ("restante-import", self.import.is_some()),
        ];
        found.into_iter().filter(|(_, found)| *found).map(|(name, _)| name).collect()
    }

    /// Whether the lists do not show which of two servers the clients knew: a Dovecot that serves only IMAP has a list
    /// as well, with uids that no POP3 client ever saw.
    pub(in crate::maildir) fn is_doubtful(&self) -> bool {
        self.courier.is_some() && self.dovecot.as_ref().is_some_and(|list| !list.has_saved())
    }

    /// The number of records whose message is gone. That is normal: servers drop them late.
    pub(in crate::maildir) fn dead(&self, present: &HashSet<&[u8]>) -> usize {
        let dovecot = self.dovecot.iter().flat_map(Uidlist::bases);
        let courier = self.courier.iter().flat_map(Sizelist::bases);
        let import = self.import.iter().flat_map(ImportFile::bases);
        let listed: HashSet<&[u8]> = dovecot.chain(courier).chain(import).collect();
        listed.into_iter().filter(|base| !present.contains(base)).count()
    }

    /// What is listed for a message, by its base name or, if mbsync has renamed it, by the name before that.
    pub(in crate::maildir) fn find(&self, base: &'a [u8]) -> Option<ListedUid<'a>> {
        let of = |kind: &ListKind| self.find_in(*kind, base);
        self.settings.precedence.iter().find_map(of)
    }

    fn find_in(&self, kind: ListKind, base: &'a [u8]) -> Option<ListedUid<'a>> {
        let old = |unique_id, rank| ListedUid { unique_id, rank, kind };
        match kind {
            ListKind::ImportFile => {
                let record = self.import.as_ref().and_then(|list| by_name(base, |base| list.get(base).copied()))?;
                Some(old(Cow::Borrowed(record.unique_id), Some(Rank::Listed(record.line))))
            }
            ListKind::DovecotSaved => {
                let record = self.dovecot.as_ref().and_then(|list| by_name(base, |base| list.get(base).copied()))?;
                Some(old(Cow::Borrowed(record.saved(base)?), Some(Rank::Listed(record.rank()))))
            }
            ListKind::Dovecot => {
                let list = self.dovecot.as_ref()?;
                let record = by_name(base, |base| list.get(base).copied())?;
                let string = list.formatted(&record, base, &self.settings.dovecot_format);
                Some(old(Cow::Owned(string), Some(Rank::Listed(record.rank()))))
            }
            ListKind::Courier => {
                let record = self.courier.as_ref().and_then(|list| by_name(base, |base| list.get(base).copied()))?;
                Some(old(record.unique_id(base), Some(Rank::ByName)))
            }
            ListKind::BaseName => Some(old(Cow::Borrowed(base), None)),
        }
    }
}

fn by_name<T>(base: &[u8], get: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    get(base).or_else(|| match file_name::identity(base) {
        Cow::Borrowed(_) => None,
        Cow::Owned(before) => get(&before),
    })
}
