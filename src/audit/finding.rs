//! The findings of an audit.

use std::fmt;
use std::path::PathBuf;

/// A person, by canonical name and DN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The canonical name.
    pub canonical_name: String,
    /// The entry.
    pub dn: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A login fails, or does not reach its mail.
    Error,
    /// Everybody reaches their mail, but something is wrong.
    Warning,
    /// Information; not necessarily wrong.
    Note,
}

/// Something that would make a login go wrong, or mail that no login reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditFinding {
    /// An entry that cannot be read as a person; why.
    Unreadable(String),
    /// An entry that lost a replication conflict, so that it is ignored.
    ReplicationConflict(Person),
    /// A login name that several people have.
    Ambiguous(AmbiguousName),
    /// The path template needs a value that the entry does not have; why.
    NoPath(Person, String),
    /// The path template needs one value, and the entry has several; why.
    SeveralValues(Person, String),
    /// A value, or a link on the disk, that would lead out of the mail root; why.
    LeadsOut(Person, String),
    /// A person whose entry names a host to which nobody may be sent; why.
    NoHost(Person, String),
    /// A person whose Maildir is not there: nothing was delivered yet.
    NoMailbox(Person, String),
    /// The same, but an unowned Maildir has one of their names: the expected path, and the path found.
    Misplaced(Person, String, PathBuf),
    /// A Maildir that the service may not read or not write; why.
    Unusable(Person, String),
    /// Files in a person's Maildir that cannot be read as mail: how many, and why the first of them.
    UnreadableMail(Person, String),
    /// A person whose entry does not say clearly how long their mail stays, so that it does not expire; why.
    UnclearRetention(Person, String),
    /// Several people with one Maildir: its path, and some of them.
    Shared(String, Vec<Person>),
    /// A Maildir below the mail root without an owner.
    Nobodys(PathBuf),
    /// A directory below the mail root that may not be read, so that Maildirs in it are not known; why.
    Hidden(PathBuf, String),
}

/// A login name that several people have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmbiguousName {
    /// The name, in lower case.
    pub name: String,
    /// How many people have it, under the widest of the policies below.
    pub count: usize,
    /// Some of them.
    pub people: Vec<Person>,
    /// Whether it is ambiguous under the policy that is configured.
    pub configured: bool,
    /// Whether it is, or would be, under `names: fewer`.
    pub fewer: bool,
    /// Whether it is, or would be, under `names: more`.
    pub more: bool,
}

impl AuditFinding {
    /// The word for its kind, for machines.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable_entry",
            Self::ReplicationConflict(_) => "replication_conflict",
            Self::Ambiguous(_) => "ambiguous_name",
            Self::NoPath(..) => "no_path",
            Self::SeveralValues(..) => "several_values",
            Self::LeadsOut(..) => "outside_mail_root",
            Self::NoHost(..) => "no_host",
            Self::NoMailbox(..) => "no_mailbox",
            Self::Misplaced(..) => "misplaced_mailbox",
            Self::Unusable(..) => "unusable_mailbox",
            Self::UnreadableMail(..) => "unreadable_mail",
            Self::UnclearRetention(..) => "unclear_retention",
            Self::Shared(..) => "shared_mailbox",
            Self::Nobodys(_) => "unowned_mailbox",
            Self::Hidden(..) => "unreadable_directory",
        }
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::NoMailbox(..) => Severity::Note,
            Self::ReplicationConflict(_) | Self::Nobodys(_) | Self::Hidden(..) | Self::UnclearRetention(..) => {
                Severity::Warning
            }
            _ => Severity::Error,
        }
    }

    /// Its kind as a title.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "entry that cannot be read",
            Self::ReplicationConflict(_) => "lost a replication conflict",
            Self::Ambiguous(_) => "ambiguous login name",
            Self::NoPath(..) => "no value for the path",
            Self::SeveralValues(..) => "several values for the path",
            Self::LeadsOut(..) => "path leads out of the mail root",
            Self::NoHost(..) => "mail host cannot be used",
            Self::NoMailbox(..) => "person without a mailbox yet",
            Self::Misplaced(..) => "mailbox under another name of its person",
            Self::Unusable(..) => "mailbox cannot be used",
            Self::UnreadableMail(..) => "mail that cannot be read",
            Self::UnclearRetention(..) => "mail does not expire",
            Self::Shared(..) => "mailbox shared by several people",
            Self::Nobodys(_) => "mailbox without a person",
            Self::Hidden(..) => "directory cannot be read",
        }
    }

    /// The people it is about, or some of them.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        match self {
            Self::Unreadable(_) | Self::Nobodys(_) | Self::Hidden(..) => &[],
            Self::Ambiguous(namesakes) => &namesakes.people,
            Self::ReplicationConflict(person)
            | Self::NoPath(person, _)
            | Self::SeveralValues(person, _)
            | Self::LeadsOut(person, _)
            | Self::NoHost(person, _)
            | Self::NoMailbox(person, _)
            | Self::Misplaced(person, ..)
            | Self::Unusable(person, _)
            | Self::UnreadableMail(person, _)
            | Self::UnclearRetention(person, _) => std::slice::from_ref(person),
            Self::Shared(_, people) => people,
        }
    }

    /// What else it is about: a name, a path, or the reason.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Ambiguous(namesakes) => namesakes.name.clone(),
            Self::ReplicationConflict(_) => "nobody can log in to this entry; merge it into the winner's".to_owned(),
            Self::Unreadable(why)
            | Self::NoPath(_, why)
            | Self::SeveralValues(_, why)
            | Self::LeadsOut(_, why)
            | Self::NoHost(_, why)
            | Self::NoMailbox(_, why)
            | Self::Unusable(_, why)
            | Self::UnreadableMail(_, why)
            | Self::UnclearRetention(_, why)
            | Self::Shared(why, _) => why.clone(),
            Self::Misplaced(_, expected, found) => {
                format!("{expected} does not exist, {} has no owner", found.display())
            }
            Self::Nobodys(path) => path.display().to_string(),
            Self::Hidden(path, why) => format!("{}: {why}", path.display()),
        }
    }
}

impl Severity {
    /// A word for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.canonical_name, self.dn)
    }
}
