//! Who is behind a login name, without a password: the login's own steps up to where it would be asked for, and the
//! place of the mail, which comes behind it.

use std::sync::Arc;

use crate::identity::person::NameOwner;
use crate::identity::question::answers::told;
use crate::identity::{
    AccountStatus, Identity, IdentityMap, Outcome, Reason, RetentionSource, Trace, TraceEvent, one_person, refused,
};
use crate::maildir::{MaildropPath, PathRefusal};
use crate::names::{Kind, LoginName};

/// One person with a place for their mail.
#[derive(Debug)]
pub struct Resolved {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// Where their mail is.
    pub maildrop: MaildropPath,
    /// The kind of name that was given, if our comparison and the directory's agree on one.
    pub kind: Option<Kind>,
}

impl IdentityMap {
    /// Whose login name this is, with every step taken down.
    ///
    /// # Errors
    /// How a login with this name would end, whatever the password.
    pub async fn resolve(&self, login: &[u8], steps: &Trace) -> Result<Resolved, Outcome> {
        let login = LoginName::new(login).map_err(|fault| refused(None, Reason::NoName(fault)))?;
        steps.note(|| TraceEvent::Name(login.to_string()));
        let found = self.names.find(self.asking(&login, steps)).await.map_err(Outcome::unanswered)?;
        if let NameOwner::Ambiguous(people) = &*found
            && people.len() <= usize::from(self.settings.ambiguous.most())
        {
            return Err(refused(None, Reason::TriedOnEach(told(people.iter()))));
        }
        let (identity, kind) = one_person(&found, steps).map_err(|reason| refused(None, reason))?;
        let standing = self.standing(identity);
        steps.note(|| TraceEvent::Account(standing.clone()));
        if let AccountStatus::Barred(reason) = standing {
            return Err(refused(Some(identity), reason));
        }
        self.note_scram(identity, steps).await.map_err(Outcome::unanswered)?;
        let maildrop = place(identity, steps)?;
        Ok(Resolved { identity: identity.clone(), maildrop, kind })
    }
}

/// Where a person's mail is, or how a login without a place for mail ends.
pub(crate) fn place(identity: &Arc<Identity>, steps: &Trace) -> Result<MaildropPath, Outcome> {
    steps.note(|| TraceEvent::Maildrop(identity.maildrop.clone()));
    if identity.retention.source != RetentionSource::Off {
        steps.note(|| TraceEvent::Retention(identity.retention.clone()));
    }
    identity.maildrop.clone().map_err(|refusal| match refusal {
        PathRefusal::Forbidden(why) => Outcome::Forbidden(identity.clone(), why),
        refusal => refused(Some(identity), Reason::NoMaildrop(refusal)),
    })
}
