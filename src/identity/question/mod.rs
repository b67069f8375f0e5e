//! Questions to the directories: who has a login name, and who owns a certificate.
//!
//! In go a name or a certificate; out comes who has it, or a [`crate::directory::Fault`] if a directory that is needed
//! gives no answer. Every directory that may know it is asked, all at the same time. Nothing is cached here.
//!
//! | file | rule |
//! |---|---|
//! | `query` | which directories are asked for a login name, and for what |
//! | `certificate_query` | which names of a certificate's subject are used, and which entry is its owner's |
//! | `answers` | what is certain while a directory is silent: a name is one person's only if nobody else can have it |
//! | `name_owner` | what a login name leads to, and why nobody can log in by it |
//! | `directories` | one person's own directory: binds, the entry at a DN, SCRAM credentials; whether directories answer |

mod answers;
mod certificate_query;
mod directories;
mod name_owner;
mod query;

pub(crate) use answers::describe_people;
pub(crate) use certificate_query::{CertificateOwner, CertificateQuery};
pub(crate) use directories::{Directories, Needed, Secret};
pub(crate) use name_owner::NameOwner;
pub(crate) use query::NameQuery;
