//! Restante: a POP3 server for the people of an LDAP directory.

pub mod pop3;
pub mod secret;
