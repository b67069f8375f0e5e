//! An identity: one person of a directory, whatever name they typed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::mail_place::MailHost;
use super::retention::{Retention, RetentionSource};
use super::settings::Settings;
use crate::directory::{Account, Attributes, Entry, EntryId, Exclusion, Source, Stamp};
use crate::maildir::{Field, FieldValue, MaildropPath, PathRefusal};
use crate::names::{Dn, prepared};

/// A person of a directory, as read from their entry. Every form of their name leads to the same identity.
#[derive(Debug)]
pub struct Identity {
    /// The entry's own id, which survives a change of name.
    pub id: EntryId,
    /// The other ids by which a followed directory may name the entry.
    pub(crate) other_ids: Vec<EntryId>,
    /// The entry's DN, which is also used for binds.
    pub dn: Dn,
    /// The name that the log and the administrator's commands use: from the entry, never from what was typed.
    pub canonical_name: String,
    /// Their mail address; of several, the one in the first configured attribute that has exactly one value or one in
    /// the RDN. None if no value takes precedence.
    pub mail: Option<String>,
    /// Where their mail is, or why that is unknown.
    pub maildrop: Result<MaildropPath, PathRefusal>,
    /// Which host holds their mail.
    pub mail_host: MailHost,
    /// How long mail that they leave on the server stays.
    pub retention: Retention,
    /// The change stamp of the entry when it was read.
    pub(crate) stamp: Option<Stamp>,
    /// The state of the account when it was read.
    pub(crate) account: Account,
    /// What excluded this person from the service when it was read.
    pub(crate) exclusion: Option<Exclusion>,
    /// When it was read.
    pub(crate) looked_up: Instant,
}

impl Identity {
    /// Reads a person's canonical name, the place of their mail and its retention from their entry.
    #[must_use]
    pub fn new(entry: &Entry, attributes: &Attributes, settings: &Settings) -> Self {
        let stored_name = canonical_name(entry, attributes);
        let value = |field: &Field| match field {
            Field::ShortName => first_value(entry, &attributes.short_name),
            Field::CanonicalName => FieldValue::One(stored_name.clone()),
            Field::Attribute(name) => one_value(entry, name),
            Field::Mail | Field::MailLocal | Field::MailDomain => first_value(entry, &attributes.mail),
        };
        let mail = match first_value(entry, &attributes.mail) {
            FieldValue::One(address) => Some(prepared(&address).into_owned()),
            FieldValue::None | FieldValue::Several => None,
        };
        let maildrop = settings.template.path(&settings.root, value);
        let mail_host = settings.relay.as_ref().map_or(MailHost::Here, |relay| relay.host_of(entry, value));
        let canonical_name = prepared(&stored_name).into_owned();
        let (id, other_ids) = (entry.id.clone(), entry.other_ids.clone());
        let (dn, stamp) = (entry.dn.clone(), entry.stamp.clone());
        let (account, exclusion) = (entry.account(), entry.exclusion.clone());
        let (retention, looked_up) = (settings.retention.retention(entry), Instant::now());
        Self {
            id,
            other_ids,
            dn,
            canonical_name,
            mail,
            maildrop,
            mail_host,
            retention,
            stamp,
            account,
            exclusion,
            looked_up,
        }
    }

    /// The path of the mail if it is here, or why there is none; none at all if another host holds it.
    #[must_use]
    pub fn maildrop_here(&self) -> Option<Result<MaildropPath, PathRefusal>> {
        match &self.mail_host {
            MailHost::Here => Some(self.maildrop.clone()),
            MailHost::Elsewhere(_) => None,
            MailHost::Rejected(why) => Some(Err(PathRefusal::Forbidden(why.clone()))),
        }
    }

    /// Every id by which a followed directory may name the entry.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &EntryId> {
        std::iter::once(&self.id).chain(&self.other_ids)
    }

    /// Whether the entry was read less than this time ago.
    pub(crate) fn is_within(&self, time: Duration) -> bool {
        self.looked_up.elapsed() < time
    }

    /// The same for a login: a retention that cannot be understood is logged, and makes no login fail.
    pub(crate) fn found(entry: &Entry, attributes: &Attributes, settings: &Settings) -> Arc<Self> {
        let identity = Self::new(entry, attributes, settings);
        if let RetentionSource::Unclear(why) = &identity.retention.source {
            tracing::warn!(
                name: "mail_left_does_not_expire",
                person = identity.canonical_name,
                reason = &**why,
                "mail left on the server does not expire"
            );
        }
        Arc::new(identity)
    }
}

/// As stored in the entry: the first of short name, mail address and common name that has exactly one value, else the
/// DN.
fn canonical_name(entry: &Entry, attributes: &Attributes) -> String {
    let candidates = [&attributes.short_name, &attributes.mail, &attributes.common_name];
    let first = candidates.into_iter().find_map(|sources| match first_value(entry, sources) {
        FieldValue::One(value) => Some(value),
        FieldValue::None | FieldValue::Several => None,
    });
    first.unwrap_or_else(|| entry.dn.as_str().to_owned())
}

/// Of several attributes, the first one that has a value is used.
fn first_value(entry: &Entry, sources: &[Source]) -> FieldValue {
    let values = sources.iter().map(|source| match one_value(entry, &source.attribute) {
        FieldValue::One(value) => {
            source.name_in(&value).map_or(FieldValue::None, |name| FieldValue::One(name.to_owned()))
        }
        other => other,
    });
    values.into_iter().find(|value| !matches!(value, FieldValue::None)).unwrap_or(FieldValue::None)
}

/// Values of an attribute have no order: of several, the one in the entry's RDN is used. Values under attribute options
/// are used only if there is none without.
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
