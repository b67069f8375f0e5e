//! The demonstration: a small LDAP directory inside the process, sample people and mail, and a throw-away certificate
//! authority, all in one folder. `layout` writes the folder; `restante demo` (`cli/demo.rs`) and the tests use it.

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
mod state;

pub use layout::{Demo, Ports};
