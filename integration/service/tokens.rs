//! Tokens: what counts and what does not, and logins with them.

mod clients;
mod configuration;
mod key_files;
mod logins;
mod secrets;
mod site;
mod vectors;
