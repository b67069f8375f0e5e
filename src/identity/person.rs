//! An identity: who somebody is once found, whatever name they typed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::directory::{Account, Attributes, Entry, EntryId, Exclusion, Source, Stamp};
use crate::identity::{Retention, RetentionSource, Settings};
use crate::maildir::{Field, FieldValue, MaildropPath, PathRefusal};
use crate::names::{Dn, Kind, prepared};

/// A person of the directory. Every variant of their name leads to the same one.
#[derive(Debug)]
pub struct Identity {
    /// The entry's own id, which outlives a change of name.
    pub id: EntryId,
    /// The other ids by which a followed directory may name the entry.
    pub(super) other_ids: Vec<EntryId>,
    /// Where the entry lies; the name that binds.
    pub dn: Dn,
    /// The name that the log and the administrator know: from the entry, never from what was typed.
    pub canonical_name: String,
    /// Where their mail is, or why that cannot be told.
    pub maildrop: Result<MaildropPath, PathRefusal>,
    /// How long mail stays that they leave on the server.
    pub retention: Retention,
    /// The change stamp of the entry when it was read.
    pub(super) stamp: Option<Stamp>,
    /// The state of the account when it was read.
    pub(super) account: Account,
    /// Who did not let this person use the service then.
    pub(super) exclusion: Option<Exclusion>,
    /// When it was read.
    pub(super) looked_up: Instant,
}

/// What a login name leads to.
#[derive(Clone, Debug)]
pub(super) enum NameOwner {
    /// One person, and by which kind of name.
    One(Arc<Identity>, Option<Kind>),
    /// No directory knows anybody of that name.
    Nobody,
    /// The policy has no kind of name that this could be.
    OutsidePolicy,
    /// No directory is for such a name, or for the entry that has it; why.
    OutsideLimits(String),
    /// Several people have that name.
    Ambiguous(Vec<Arc<Identity>>),
}

impl NameOwner {
    /// Everybody who was found.
    pub(super) fn people(&self) -> &[Arc<Identity>] {
        match self {
            Self::One(person, _) => std::slice::from_ref(person),
            Self::Ambiguous(people) => people,
            Self::Nobody | Self::OutsidePolicy | Self::OutsideLimits(_) => &[],
        }
    }
}

impl Identity {
    /// Settles an entry's canonical name, the place of its mail, and how long that stays.
    #[must_use]
    pub fn new(entry: &Entry, attributes: &Attributes, settings: &Settings) -> Self {
        let stored_name = canonical_name(entry, attributes);
        let maildrop = settings.template.path(&settings.root, |field| match field {
            Field::ShortName => first_value(entry, &attributes.short_name),
            Field::CanonicalName => FieldValue::One(stored_name.clone()),
            Field::Attribute(name) => one_value(entry, name),
            Field::Mail | Field::MailLocal | Field::MailDomain => first_value(entry, &attributes.mail),
        });
        let canonical_name = prepared(&stored_name).into_owned();
        let (id, other_ids) = (entry.id.clone(), entry.other_ids.clone());
        let (dn, stamp) = (entry.dn.clone(), entry.stamp.clone());
        let (account, exclusion) = (entry.account(), entry.exclusion.clone());
        let (retention, looked_up) = (settings.retention.retention(entry), Instant::now());
        Self { id, other_ids, dn, canonical_name, maildrop, retention, stamp, account, exclusion, looked_up }
    }

    /// Every id by which a followed directory may name the entry.
    pub(super) fn ids(&self) -> impl Iterator<Item = &EntryId> {
        std::iter::once(&self.id).chain(&self.other_ids)
    }

    /// Whether it was read so short a time ago.
    pub(super) fn is_within(&self, time: Duration) -> bool {
        self.looked_up.elapsed() < time
    }

    /// The same for a login; the log tells of what is wrong and makes no login fail.
    pub(super) fn found(entry: &Entry, attributes: &Attributes, settings: &Settings) -> Arc<Self> {
        let identity = Self::new(entry, attributes, settings);
        if let RetentionSource::Unclear(why) = &identity.retention.source {
            tracing::warn!(person = identity.canonical_name, why = &**why, "mail left on the server does not age");
        }
        Arc::new(identity)
    }
}

/// As the entry has it: the short name, else the mail address, else the common name, else the DN: the first of them that is one value.
fn canonical_name(entry: &Entry, attributes: &Attributes) -> String {
    let candidates = [&attributes.short_name, &attributes.mail, &attributes.common_name];
    let first = candidates.into_iter().find_map(|sources| match first_value(entry, sources) {
        FieldValue::One(value) => Some(value),
        FieldValue::None | FieldValue::Several => None,
    });
    first.unwrap_or_else(|| entry.dn.as_str().to_owned())
}

/// Of several attributes the first counts that has a value.
fn first_value(entry: &Entry, sources: &[Source]) -> FieldValue {
    let values = sources.iter().map(|source| match one_value(entry, &source.attribute) {
        FieldValue::One(value) => {
            source.name_in(&value).map_or(FieldValue::None, |name| FieldValue::One(name.to_owned()))
        }
        other => other,
    });
    values.into_iter().find(|value| !matches!(value, FieldValue::None)).unwrap_or(FieldValue::None)
}

/// Values of an attribute have no order: of several only the one in the entry's RDN can be told from the others. Those
/// under options count where there is none without.
fn one_value(entry: &Entry, attribute: &str) -> FieldValue {
    match entry.plain_values(attribute) {
        [] => FieldValue::None,
        [value] => FieldValue::One(value.clone()),
        _ => {
            let named = entry.dn.rdns().first().and_then(|rdn| rdn.value_of(attribute));
            named.map_or(FieldValue::Several, |value| FieldValue::One(value.to_owned()))
        }
    }
}
