//! Which Maildir is a person's, if the values of their entry have insignificant blanks.
//!
//! A path is made without them. But a Maildir that was made with the blanks belongs to the same person: if it were
//! ignored, its owner would see an empty maildrop, and each client would forget its messages.

use std::borrow::Cow;

use crate::maildir::fault::EnterFault;
use crate::maildir::files::Parts;
use crate::maildir::mail_root::{MaildropPath, OpenRoot};
use crate::maildir::store::Store;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MailPresence {
    Nothing,
    /// A Maildir without a message.
    NoMail,
    /// A Maildir with messages, now or when it was last seen.
    Mail,
}

impl Store {
    /// The path of a person's mail, of two possible ones: the one without superfluous blanks, unless there is a Maildir
    /// with them, and none, or an empty one, without. Blocks while the disk answers, but only if there are two.
    ///
    /// # Errors
    /// [`EnterFault::Forbidden`] if both contain mail: clients would take the mail of one for all.
    /// [`EnterFault::Unavailable`] if it cannot be determined now what is there.
    pub fn choose<'p>(&self, path: &'p MaildropPath) -> Result<Cow<'p, MaildropPath>, EnterFault> {
        let Some(as_stored) = path.as_stored() else { return Ok(Cow::Borrowed(path)) };
        self.site().root().require_markers(&[])?;
        let root = self.site().root().open()?;
        root.require_same()?;
        let mail = if path.has_mail_of(as_stored) { path } else { self.with_mail(&root, path, as_stored)? };
        let lists = if self.has_lists(path)? || !self.has_lists(as_stored)? { path } else { as_stored };
        Ok(Cow::Owned(mail.with_lists_of(lists)))
    }

    fn with_mail<'p>(
        &self,
        root: &OpenRoot<'_>,
        path: &'p MaildropPath,
        as_stored: &'p MaildropPath,
    ) -> Result<&'p MaildropPath, EnterFault> {
        match (self.content(root, path)?, self.content(root, as_stored)?) {
            (MailPresence::Mail, MailPresence::Mail) => Err(EnterFault::Forbidden(format!(
                "both {:?} and {:?} hold mail of this person, whose entry has a blank too many: move it all into the first",
                path.to_string(),
                as_stored.to_string()
            ))),
            (MailPresence::Nothing, MailPresence::NoMail)
            | (MailPresence::Nothing | MailPresence::NoMail, MailPresence::Mail) => Ok(as_stored),
            _ => Ok(path),
        }
    }

    fn content(&self, root: &OpenRoot<'_>, path: &MaildropPath) -> Result<MailPresence, EnterFault> {
        if root.directory(path.as_ref())?.is_none() {
            self.site().root().require_mounted(path.as_ref(), &self.site().settings().mount_table)?;
            // If the mail has disappeared, other mail must not be shown in its place.
            return Ok(if self.had_messages(path) { MailPresence::Mail } else { MailPresence::Nothing });
        }
        let names = Parts::open(root, path.as_ref())?.names(self.site().timestamp_granularity());
        let names = names.map_err(|error| EnterFault::unavailable(path, &error))?;
        Ok(if names.found.is_empty() { MailPresence::NoMail } else { MailPresence::Mail })
    }

    /// Whether there is a directory for the lists of another server.
    fn has_lists(&self, path: &MaildropPath) -> Result<bool, EnterFault> {
        let Some((root, lists)) = self.site().unique_ids().lists_root.as_ref().zip(path.lists()) else {
            return Ok(false);
        };
        let lists = root.join(lists);
        lists.try_exists().map_err(|error| EnterFault::unavailable(lists.display(), &error))
    }
}
