//! `restante expire`: removes mail that was left on the server for too long.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::anyhow;

use serde_json::{Value, json};

use super::maildrops::{self, MaildropOwner, Maildrops};
use super::{ExitStatus, report_error, sanitized};
use crate::date::Date;
use crate::identity::{Retention, RetentionSource};
use crate::maildir::{Expired, Expiry, LockResult, MaildropPath};

/// The options of the command.
pub(super) struct ExpireOptions {
    pub(super) selection: Selection,
    pub(super) dry_run: bool,
    pub(super) json: bool,
    /// Whether to confirm the time after the clock jumped.
    pub(super) confirm_clock: bool,
}

/// Whose mail expires.
pub(super) enum Selection {
    /// Nobody's: only the clock is confirmed.
    ClockOnly,
    Everybody,
    /// That of people with these login names.
    Logins(Vec<String>),
}

impl Selection {
    pub(super) fn new(all: bool, logins: Vec<String>) -> Self {
        match (all, logins.is_empty()) {
            (true, _) => Self::Everybody,
            (false, true) => Self::ClockOnly,
            (false, false) => Self::Logins(logins),
        }
    }
}

/// The results so far.
struct ExpiryReport {
    dry_run: bool,
    json: bool,
    maildrops: usize,
    expired: Vec<Value>,
    cleaned_up: usize,
    /// A sentence for each failure.
    faults: Vec<String>,
}

pub(super) fn expire(file: &Path, wanted: &ExpireOptions) -> ExitStatus {
    maildrops::run(file, |maildrops| {
        if wanted.confirm_clock {
            confirm_clock(maildrops, wanted.json)?;
        }
        let ExpireOptions { dry_run, json, .. } = *wanted;
        let (expired, faults) = (Vec::new(), Vec::new());
        let mut sum = ExpiryReport { dry_run, json, maildrops: 0, expired, cleaned_up: 0, faults };
        match &wanted.selection {
            Selection::ClockOnly => return Ok(true),
            Selection::Everybody => expire_all(maildrops, &mut sum)?,
            Selection::Logins(logins) => {
                for login in logins {
                    match maildrops.of(login) {
                        Ok(owner) => sum.expire(maildrops, &owner),
                        Err(fault) => sum.report_error(&format!("{fault:#}")),
                    }
                }
            }
        }
        sum.report(maildrops.ages || maildrops.keeps_deleted);
        Ok(sum.faults.is_empty())
    })
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
fn confirm_clock(maildrops: &Maildrops, is_json: bool) -> anyhow::Result<()> {
    let date = |moment| Date::of(moment).of_log();
    let before = maildrops.store.confirm_clock().map_err(|fault| anyhow!("{fault}"))?.map(date);
    let now = date(SystemTime::now());
    if is_json {
        println!("{}", json!({ "clock": now, "latest_before": before }));
        return Ok(());
    }
    let before = before
        .map_or("no time was recorded before".to_owned(), |before| format!("the latest recorded before was {before}"));
    println!("recorded the time {now}; {before}");
    Ok(())
}

/// Everybody's mail. If several people use one maildrop, the longest of their terms applies.
fn expire_all(maildrops: &Maildrops, sum: &mut ExpiryReport) -> anyhow::Result<()> {
    let mut longest: HashMap<MaildropPath, Option<Duration>> = HashMap::new();
    if maildrops.store.terms_differ() {
        maildrops.of_everybody(|owner| {
            let term = owner.retention.expiry.map(|expiry| expiry.after);
            let so_far = longest.entry(owner.path.clone()).or_insert(term);
            *so_far = so_far.zip(term).map(|(one, other)| one.max(other));
        })?;
    }
    maildrops.of_everybody(|owner| {
        let mut expiry = owner.retention.expiry;
        if let Some(term) = longest.get(&owner.path) {
            expiry = expiry.zip(*term).map(|(expiry, after)| Expiry { after, ..expiry });
        }
        sum.expire(
            maildrops,
            &MaildropOwner { retention: Retention { expiry, ..owner.retention.clone() }, ..owner.clone() },
        );
    })
}

impl ExpiryReport {
    fn expire(&mut self, maildrops: &Maildrops, owner: &MaildropOwner) {
        let MaildropOwner { person, path, retention } = owner;
        self.maildrops += 1;
        if let RetentionSource::Unclear(why) = &retention.source {
            self.report_error(&format!("{person}: mail does not expire, since {why}"));
        }
        // Kept to the end: a login in the meantime gets [IN-USE].
        let _hold = match (maildrops.is_exclusive && !self.dry_run).then(|| maildrops.store.lock(path)) {
            Some(LockResult::InUse(_)) => return self.report_error(&format!("{person}: maildrop in use, skipped")),
            Some(LockResult::Locked(hold)) => Some(hold),
            _ => None,
        };
        match maildrops.store.expire(path, person, retention.expiry, !self.dry_run) {
            Ok(expired) => self.add(owner, &expired),
            Err(fault) => self.report_error(&format!("{person}: {fault}")),
        }
    }

    #[allow(clippy::print_stdout, reason = "the result of the command")]
    fn add(&mut self, owner: &MaildropOwner, expired: &Expired) {
        let Expired { removed, cleaned_up, failed } = expired;
        let (person, maildir) = (&owner.person, owner.path.to_string());
        self.cleaned_up += cleaned_up;
        for name in removed {
            if !self.json {
                println!("{}", sanitized(&format!("{person}: {maildir}/{name}")));
            }
            self.expired.push(json!({ "person": person, "maildir": maildir, "name": name }));
        }
        for reason in failed {
            self.report_error(&format!("{person}: {reason}"));
        }
    }

    #[allow(clippy::print_stdout, reason = "the result of the command")]
    fn report(&self, anything_ages: bool) {
        let Self { dry_run, maildrops, expired, cleaned_up, faults, .. } = self;
        if self.json {
            let whole = json!({
                "clean": faults.is_empty(), "dry_run": dry_run, "maildrops": maildrops, "expired": expired,
                "previously_deleted": cleaned_up, "faults": faults,
            });
            println!("{whole:#}");
            return;
        }
        if !anything_ages {
            report_error(&"note: neither `expire` nor `mailboxes.deletion` is configured, so nothing is ever removed");
        }
        let done = if *dry_run { "would remove" } else { "removed" };
        let not_done = if faults.is_empty() { String::new() } else { format!(", failed {}", faults.len()) };
        println!("{done}: expired {}, previously deleted {cleaned_up}{not_done}", expired.len());
    }

    fn report_error(&mut self, fault: &str) {
        report_error(&sanitized(fault));
        self.faults.push(fault.to_owned());
    }
}
