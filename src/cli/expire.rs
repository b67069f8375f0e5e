//! `restante expire`: removes mail that was left on the server for too long.

use std::path::Path;

use super::maildrops::{self, Maildrops, Owner};
use super::{Ended, complain, harmless};
use crate::identity::Basis;
use crate::maildir::{Expired, Holding};

/// Whose mail, and whether it is removed.
pub(super) struct Wanted {
    pub(super) logins: Vec<String>,
    pub(super) all: bool,
    pub(super) dry_run: bool,
}

/// What came of it so far.
struct Sum {
    dry_run: bool,
    removed: usize,
    cleaned_up: usize,
    went_well: bool,
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn expire(file: &Path, wanted: &Wanted) -> Ended {
    maildrops::run(file, |maildrops| {
        let mut sum = Sum { dry_run: wanted.dry_run, removed: 0, cleaned_up: 0, went_well: true };
        for login in &wanted.logins {
            match maildrops.of(login) {
                Ok(owner) => sum.expire(maildrops, &owner),
                Err(fault) => sum.complain(&format!("{fault:#}")),
            }
        }
        if wanted.all {
            maildrops.of_everybody(|owner| sum.expire(maildrops, owner))?;
        }
        let done = if wanted.dry_run { "would remove" } else { "removed" };
        println!("{done} {} aged messages, and {} that were deleted before", sum.removed, sum.cleaned_up);
        Ok(sum.went_well)
    })
}

impl Sum {
    fn expire(&mut self, maildrops: &Maildrops, owner: &Owner) {
        let Owner { person, path, retention } = owner;
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
        self.removed += removed.len();
        self.cleaned_up += cleaned_up;
        for name in removed {
            println!("{}", harmless(&format!("{}: {}/{name}", owner.person, owner.path)));
        }
        for reason in failed {
            self.complain(&format!("{}: {reason}", owner.person));
        }
    }

    fn complain(&mut self, fault: &str) {
        self.went_well = false;
        complain(&harmless(fault));
    }
}
