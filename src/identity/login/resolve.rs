//! Who has a login name, without a password: the login's own checks up to the password, and the place of the mail,
//! which comes after it.

use std::sync::Arc;

use super::LoginContext;
use crate::identity::mail_place::{MailHost, MailPlace};
use crate::identity::person::Identity;
use crate::identity::question::{NameOwner, describe_people};
use crate::identity::verdict::{AccountReason, AccountStatus, NameReason, Outcome, Reason, Trace, TraceEvent};
use crate::maildir::PathRefusal;
use crate::names::{Kind, LoginName};

/// One person, and the place of their mail.
#[derive(Debug)]
pub struct Resolved {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// Where their mail is.
    pub mail: MailPlace,
    /// The kind of name that was given, if our comparison and the directory's agree on one.
    pub kind: Option<Kind>,
}

/// Whose login name this is; otherwise how a login with it would end, whatever the password.
pub(crate) async fn resolve(context: &LoginContext, login: &[u8], trace: &Trace) -> Result<Resolved, Outcome> {
    let login = LoginName::new(login).map_err(|fault| Outcome::refused(None, fault.into()))?;
    trace.note(|| TraceEvent::Name(login.to_string()));
    let owner = context.caches.names.find(context.query(&login, trace)).await?;
    if let NameOwner::Ambiguous(people) = &*owner
        && people.len() <= usize::from(context.settings.ambiguous.most())
    {
        let reason = NameReason::TriedOnEach(describe_people(people.iter()));
        return Err(Outcome::refused(None, Reason::Name(reason)));
    }
    let (person, kind) = owner.one_person().map_err(|reason| Outcome::refused(None, reason))?;
    trace.note(|| TraceEvent::person(person));
    let status = context.account_status(person);
    trace.note(|| TraceEvent::Account(status.clone()));
    if let AccountStatus::Barred(reason) = status {
        return Err(Outcome::refused(Some(person), reason));
    }
    context.note_scram(person, trace).await?;
    let mail = place(person, trace)?;
    Ok(Resolved { identity: person.clone(), mail, kind })
}

/// Where a person's mail is; if nowhere, how the login ends.
pub(super) fn place(person: &Arc<Identity>, trace: &Trace) -> Result<MailPlace, Outcome> {
    match &person.mail_host {
        MailHost::Here => {}
        MailHost::Elsewhere(target) => {
            trace.note(|| TraceEvent::MailHost(target.clone()));
            return Ok(MailPlace::Elsewhere(target.clone()));
        }
        MailHost::Rejected(why) => return Err(Outcome::Forbidden(person.clone(), why.clone())),
    }
    trace.note(|| TraceEvent::Maildrop(person.maildrop.clone()));
    if !person.retention.is_off() {
        trace.note(|| TraceEvent::Retention(person.retention.clone()));
    }
    person.maildrop.clone().map(MailPlace::Here).map_err(|refusal| match refusal {
        PathRefusal::Forbidden(why) => Outcome::Forbidden(person.clone(), why),
        refusal => Outcome::refused(Some(person), Reason::Account(AccountReason::NoMaildrop(refusal))),
    })
}
