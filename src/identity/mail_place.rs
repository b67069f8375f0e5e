//! Where a person's mail is: below the mail root, or at another host.

use std::fmt;
use std::sync::Arc;

use super::settings::RelayPolicy;
use crate::directory::Entry;
use crate::maildir::{Field, FieldValue, MaildropPath};
use crate::relay::{self, HostChoice, RelayTarget, check_user_name};

/// Which host an entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailHost {
    /// This one.
    Here,
    /// Another one, which is listed.
    Elsewhere(RelayTarget),
    /// None that anybody may be sent to; why, for the log.
    Rejected(String),
}

/// Where the mail of somebody who is logged in is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailPlace {
    /// In a Maildir here.
    Here(MaildropPath),
    /// At another host.
    Elsewhere(RelayTarget),
}

impl MailPlace {
    /// The path of the Maildir, if it is here.
    #[must_use]
    pub fn here(&self) -> Option<&MaildropPath> {
        match self {
            Self::Here(path) => Some(path),
            Self::Elsewhere(_) => None,
        }
    }
}

impl fmt::Display for MailPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(path) => path.fmt(f),
            Self::Elsewhere(RelayTarget { host, user, .. }) => write!(f, "{user} at {host}"),
        }
    }
}

impl RelayPolicy {
    /// The host that an entry names, and the person's name there.
    pub(super) fn host_of(&self, entry: &Entry, value: impl Fn(&Field) -> FieldValue) -> MailHost {
        let hosts: &Arc<relay::Settings> = &self.settings;
        let (index, host) = match hosts.choose(entry.plain_values(&hosts.attribute)) {
            HostChoice::Here if self.serves_here => return MailHost::Here,
            HostChoice::Here => {
                let attribute = &hosts.attribute;
                let why =
                    format!("{attribute} names no other host, and no mail is served here (mailboxes.root is not set)");
                return MailHost::Rejected(why);
            }
            HostChoice::Listed { index, host } => (index, host),
            HostChoice::Rejected(why) => return MailHost::Rejected(why),
        };
        let Some(template) = self.users.get(index) else { return MailHost::Rejected(format!("no user for {host}")) };
        let user = match template.text(value) {
            Ok(user) => user,
            Err(refusal) => return MailHost::Rejected(format!("no user name for {host}: {refusal}")),
        };
        match check_user_name(&user) {
            Ok(()) => MailHost::Elsewhere(RelayTarget { index, host, user }),
            Err(fault) => MailHost::Rejected(format!("the name {user:?} may not be sent to {host}: {fault}")),
        }
    }
}
