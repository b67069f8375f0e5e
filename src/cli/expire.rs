//! `restante expire`: removes mail that was left on the server for too long.

use std::path::Path;

use serde_json::{Value, json};

use super::maildrops::{self, Maildrops, Owner};
use super::{Ended, complain, harmless};
use crate::identity::Basis;
use crate::maildir::{Expired, Holding};

/// Whose mail, and whether it is removed.
pub(super) struct Wanted {
    pub(super) logins: Vec<String>,
    pub(super) all: bool,
    pub(super) dry_run: bool,
    pub(super) json: bool,
}

/// What came of it so far.
struct Sum {
    dry_run: bool,
    json: bool,
    maildrops: usize,
    expired: Vec<Value>,
    cleaned_up: usize,
    /// A sentence for each thing that was not done.
    faults: Vec<String>,
}

pub(super) fn expire(file: &Path, wanted: &Wanted) -> Ended {
    maildrops::run(file, |maildrops| {
        let Wanted { dry_run, json, .. } = *wanted;
        let (expired, faults) = (Vec::new(), Vec::new());
        let mut sum = Sum { dry_run, json, maildrops: 0, expired, cleaned_up: 0, faults };
        for login in &wanted.logins {
            match maildrops.of(login) {
                Ok(owner) => sum.expire(maildrops, &owner),
                Err(fault) => sum.complain(&format!("{fault:#}")),
            }
        }
        if wanted.all {
            maildrops.of_everybody(|owner| sum.expire(maildrops, owner))?;
        }
        sum.report(maildrops.ages || maildrops.keeps_deleted);
        Ok(sum.faults.is_empty())
    })
}

impl Sum {
    fn expire(&mut self, maildrops: &Maildrops, owner: &Owner) {
        let Owner { person, path, retention } = owner;
        self.maildrops += 1;
        if let Basis::Unclear(why) = &retention.basis {
            self.complain(&format!("{person}: mail does not age, since {why}"));
        }
        // Kept to the end: whoever logs in meanwhile is told to come back.
        let _hold = match (maildrops.are_held && !self.dry_run).then(|| maildrops.store.hold(path)) {
            Some(Holding::InUse(_)) => return self.complain(&format!("{person}: in use, left for the next time")),
            Some(Holding::Held(hold)) => Some(hold),
            _ => None,
        };
        match maildrops.store.expire(path, person, retention.expiry, !self.dry_run) {
            Ok(expired) => self.add(owner, &expired),
            Err(fault) => self.complain(&format!("{person}: {fault}")),
        }
    }

    #[allow(clippy::print_stdout, reason = "the result of the command")]
    fn add(&mut self, owner: &Owner, expired: &Expired) {
        let Expired { removed, cleaned_up, failed } = expired;
        let (person, maildir) = (&owner.person, owner.path.to_string());
        self.cleaned_up += cleaned_up;
        for name in removed {
            if !self.json {
                println!("{}", harmless(&format!("{person}: {maildir}/{name}")));
            }
            self.expired.push(json!({ "person": person, "maildir": maildir, "name": name }));
        }
        for reason in failed {
            self.complain(&format!("{person}: {reason}"));
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
            complain(&"note: neither `expire` nor `mailboxes.deletion` says that anything is ever removed");
        }
        let done = if *dry_run { "would remove" } else { "removed" };
        let not_done = if faults.is_empty() { String::new() } else { format!(", not done {}", faults.len()) };
        println!("{done}: expired {}, previously deleted {cleaned_up}{not_done}", expired.len());
    }

    fn complain(&mut self, fault: &str) {
        complain(&harmless(fault));
        self.faults.push(fault.to_owned());
    }
}
