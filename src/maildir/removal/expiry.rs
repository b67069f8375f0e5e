//! The expiry of mail that clients leave on the server.

use std::io;
use std::time::Duration;

use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use super::message_fault::MessageFault;
use super::removing::Removal;
use super::undeleting::DeletedMail;
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{MessageFile, Parts, SharedName};
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::site::Site;
use crate::maildir::snapshot::{RemovedFiles, SharedNames};
use crate::maildir::unique_ids::Retrievals;

/// When mail that a person left on the server is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// This long after it arrived and was retrieved; a day at least.
    pub after: Duration,
    /// Mail that was not yet retrieved is removed as well, this long after it arrived.
    pub also_unretrieved: bool,
    /// The time differs from person to person. If several people use one maildrop, the longest applies, and mail that
    /// several of them have retrieved stays: no mail is removed before the time announced to its owner.
    pub differs: bool,
}

/// The result of removing aged mail, or of a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// The files of messages that were left on the server for too long.
    pub removed: Vec<String>,
    /// How many messages that clients had deleted before were removed for good.
    pub cleaned_up: usize,
    /// Each message that could not be removed, with the reason.
    pub failed: Vec<String>,
}

/// The rule for the mail of one person, at one moment.
pub(in crate::maildir) struct ExpiryCheck<'a> {
    expiry: Expiry,
    /// Mail from later than this is too young; none if all mail is.
    limit: Option<u64>,
    person: &'a str,
    retrievals: Retrievals,
}

impl Expiry {
    /// "The argument to the EXPIRE capability indicates the minimum server retention period, in days, for messages on the
    /// server." (RFC 2449 §6.7)
    #[must_use]
    pub fn days(&self) -> u64 {
        self.after.as_secs() / (24 * 60 * 60)
    }
}

impl<'a> ExpiryCheck<'a> {
    /// `now`: since 1970.
    pub(in crate::maildir) fn new(expiry: Expiry, person: &'a str, retrievals: Retrievals, now: Duration) -> Self {
        let after = if expiry.differs { retrievals.longest_term(person, expiry.after) } else { Some(expiry.after) };
        let limit = after.map(|after| now.saturating_sub(after).as_secs());
        Self { expiry, limit, person, retrievals }
    }

    /// Whether a message has been retrieved for long enough, or need not have been.
    pub(in crate::maildir) fn may_expire(&self, found: &MessageFile, shares_name: bool) -> bool {
        let Some(limit) = self.limit else { return false };
        if self.expiry.differs && self.retrievals.may_be_of_others(self.person, found) {
            return false;
        }
        let last = self.retrievals.last_by(self.person, found, shares_name);
        last.map_or(self.expiry.also_unretrieved, |last| last <= limit)
    }

    /// Whether a message arrived long enough ago: by its name, and by the time of its file, which delivery agents do
    /// not change afterwards.
    pub(in crate::maildir) fn arrived_before(&self, parts: &Parts, found: &MessageFile) -> Result<bool, Errno> {
        let Some(limit) = self.limit.filter(|limit| found.arrived() <= *limit) else { return Ok(false) };
        let part = parts.get(found.place).ok_or(Errno::NOENT)?;
        let modified = statat(part, &*found.name, AtFlags::SYMLINK_NOFOLLOW)?.st_mtime;
        Ok(u64::try_from(modified).is_ok_and(|modified| modified <= limit))
    }
}

/// Removes expired mail from a person's maildrop, and deleted mail whose time is over; or only reports what would be
/// removed.
///
/// # Errors
/// See [`EnterFault`].
pub(in crate::maildir) fn expire(
    site: &Site,
    path: &MaildropPath,
    person: &str,
    expiry: Option<Expiry>,
    really: bool,
) -> Result<Expired, EnterFault> {
    let mut expired = Expired::default();
    if let Some(expiry) = expiry {
        let check = ExpiryCheck::new(expiry, person, site.retrievals(path)?, site.clock().now()?);
        expire_by(site, &check, path, really, &mut expired)?;
    }
    if let Some(mut mail) = DeletedMail::open(site, path)? {
        expired.cleaned_up = mail.clean_up(site.clock().now()?, really)?;
    }
    Ok(expired)
}

fn expire_by(
    site: &Site,
    ageing: &ExpiryCheck<'_>,
    path: &MaildropPath,
    really: bool,
    expired: &mut Expired,
) -> Result<(), EnterFault> {
    let parts = Parts::open(&site.root().open()?, path.as_ref())?;
    if parts.are_missing() {
        return Ok(());
    }
    let unavailable = |error: io::Error| EnterFault::unavailable(path, &error);
    let names = parts.names(site.timestamp_granularity()).map_err(unavailable)?;
    let (pins, removed) = (site.pins(path).map_err(unavailable)?, RemovedFiles::default());
    let (messages, mut resolved) =
        SharedNames::new(&parts, &pins, &removed).resolve(names.found).map_err(unavailable)?;
    let mut removal = Removal::begin(site, path);
    // The first of several messages of one name waits for a session, which pins the keys of the others.
    let is_first = |found: &MessageFile| matches!(found.shared_name.as_deref(), Some(SharedName::First(_)));
    let may_expire = |found: &&MessageFile| !is_first(found) && ageing.may_expire(found, found.shared_name.is_some());
    for found in messages.iter().filter(may_expire) {
        let copies = resolved.copies(found).unwrap_or_default();
        let removed = ageing.arrived_before(&parts, found).map_err(MessageFault::from).and_then(|is_due| {
            if is_due && really {
                removal.remove_whole(&parts, found, &copies)?;
            }
            Ok(is_due)
        });
        let name = found.path().display().to_string();
        match removed {
            Ok(true) => expired.removed.push(name),
            // Gone, or just moved: the next run will find it.
            Ok(false) | Err(MessageFault::Kernel(Errno::NOENT) | MessageFault::Replaced) => {}
            Err(fault) => expired.failed.push(format!("{name}: {fault}")),
        }
    }
    expired.failed.extend(removal.sync().err().map(|errno| errno.to_string()));
    Ok(())
}
