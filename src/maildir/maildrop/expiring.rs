//! Removing aged mail at the end of a session.

use std::sync::Arc;

use super::latecomers::Latecomers;
use super::session::Maildrop;
use crate::maildir::fault::EnterFault;
use crate::maildir::removal::{Expired, Expiry, ExpiryCheck, MessageFault, Removal};

impl Maildrop {
    /// Removes aged mail, of what the session has listed and not marked; `marked`: places in the snapshot, ascending.
    pub(in crate::maildir) fn expire(&mut self, expiry: Expiry, marked: &[usize]) -> Result<Expired, EnterFault> {
        let (snapshots, path, person) = (Arc::clone(&self.snapshots), self.path.clone(), self.person.clone());
        let site = snapshots.site();
        let ageing = ExpiryCheck::new(expiry, &person, site.retrievals(&path)?, site.clock().now()?);
        let mut removal = Removal::begin(site, &path);
        let (mut expired, mut changed) = (Expired::default(), Vec::new());
        let mut reach = self.reach()?;
        for place in self.all_places() {
            let Some(entry) = self.entry(place) else { continue };
            if marked.binary_search(&place).is_ok() || !ageing.may_expire(&entry.found, self.shares_name(place)) {
                continue;
            }
            self.pin_others_named_like(&[place]);
            let latecomers = Latecomers::default();
            let removed = self.remove(place, &latecomers, &mut reach, &mut removal, |parts, found| {
                Ok(ageing.arrived_before(parts, found)?)
            });
            match removed {
                Ok(found) => expired.removed.extend(found.map(|found| found.path().display().to_string())),
                Err(fault) => {
                    changed.extend(matches!(fault, MessageFault::Changed | MessageFault::Elusive).then_some(place));
                    expired.failed.push(self.failure(place, &fault));
                }
            }
        }
        self.forget(&changed);
        expired.failed.extend(removal.sync().err().map(|errno| errno.to_string()));
        Ok(expired)
    }
}
