//! Restante: a POP3 server for the people of an LDAP directory.

pub mod cli;
pub mod config;
pub mod connection;
pub mod demo;
pub mod directory;
pub mod identity;
pub mod logging;
pub mod maildir;
pub mod names;
pub mod pop3;
pub mod secret;
pub mod server;
