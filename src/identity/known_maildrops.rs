//! The last maildrop of each entry, by the entry's own id: a person whose login name was changed in the directory may
//! get a new, empty maildrop, while their mail is still in the old one.

use std::path::Path;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::directory::EntryId;
use crate::maildir::MaildropPath;

/// The last maildrop of each entry, for as long as this process runs. About 200 octets of memory each.
pub struct KnownMaildrops(Cache<EntryId, MaildropPath>);

impl KnownMaildrops {
    /// Remembers this many entries at most; those that were not seen for longest are dropped first.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self(Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru()).build())
    }

    /// Remembers an entry's maildrop. If it was another one before, a warning is logged.
    pub fn note(&self, id: &EntryId, person: &str, maildrop: &MaildropPath) {
        let before = self.0.get(id);
        if before.as_ref().is_none_or(|before| is_elsewhere(before, maildrop)) {
            self.0.insert(id.clone(), maildrop.clone());
        }
        if let Some(before) = before.filter(|before| is_elsewhere(before, maildrop)) {
            tracing::warn!(
                name: "entry_had_another_maildrop",
                person,
                entry = id.to_string(),
                maildrop = maildrop.to_string(),
                before = before.to_string(),
                "this entry had another maildrop before: was the person renamed? Mail in the old one is not shown"
            );
        }
    }
}

fn is_elsewhere(before: &MaildropPath, now: &MaildropPath) -> bool {
    AsRef::<Path>::as_ref(before) != AsRef::<Path>::as_ref(now)
}
