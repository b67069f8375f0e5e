//! The demonstration: a small LDAP directory inside the process, sample people and mail, and a throw-away certificate
//! authority, all in one folder. `layout` writes the folder; `restante demo` (`cli/demo.rs`) and the tests use it.
//!
//! | file | content |
//! |---|---|
//! | `layout` | the folder of a demonstration |
//! | `people`, `mail`, `authority` | sample people and mail, the certificate authority |
//! | `directory`, `dialogue`, `state`, `fault_injection` | the LDAP server, its connections, and how it fails on command |
//! | `tree`, `node`, `root_dse`, `filter`, `ldif` | its entries: stored, searched, read from LDIF |
//! | `forms` | every form of a person's name |

pub mod authority;
pub mod directory;
pub mod fault_injection;
pub mod forms;
pub mod ldif;
pub mod mail;
pub mod people;
pub mod tree;

mod dialogue;
mod filter;
mod layout;
mod node;
mod root_dse;
mod state;

pub use layout::{Demo, Ports};
