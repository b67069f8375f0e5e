//! The service, run as a process as an administrator runs it: Restante in front of the embedded directory or a real one,
//! and clients that speak POP3 with it.
//!
//! `cargo test --test service tls::` runs one area, `cargo test --test service tls::injection::` a part of it. Every test
//! starts servers of its own, on ports and in folders of its own, so that all can run at once.

#![cfg(test)] // A fault in any item is a failed test: that is how clippy.toml then judges a panic.

#[path = "../support/mod.rs"]
mod support;

/// Who may log in: the state of the account, groups, networks.
mod account_state;
/// What the service limits, how it ends, which rights it keeps, what it logs.
mod behaviour;
/// Clients' certificates: whose they are, what they allow, when they no longer do.
mod certificates;
/// An IMAP server, delivery agents, mbsync and mutt in the same Maildirs during sessions.
mod coexistence;
/// The commands beside the service: check, resolve, audit, flush, index, expire, undelete.
mod commands;
/// POP3 conversations written down as text, played in every way in which a client may send them.
mod dialogues;
/// Directories that fail: what people notice, which is as little as possible and never "wrong password".
mod directory_outages;
/// Directories that report their changes: each counts within a second.
mod following;
/// The schema of the configuration, manual pages and shell completions, as editors, man and bash read them.
mod generated;
/// Guessing of passwords, as the attacker, the owner and the directory see it.
mod guessing;
/// The guides that begin beside another program, each followed word by word on a machine of its own.
mod guides;
/// From an existing directory to the first mail, by `restante init`.
mod init;
/// Every form of a login name under every policy.
mod login_names;
/// Who may log in, as one table of three real directories, all kinds of names and all states of an account.
mod login_table;
/// Mail from the disk to the client and back: what changes, what fails, what is never deleted.
mod maildrops;
/// Moving from another POP3 server: clients fetch nothing twice.
mod migration;
/// What administrators see of the running service: live sessions, metrics, health, the status page.
mod monitoring;
/// The Debian package, from its installation to its removal.
mod package;
/// The PROXY protocol of load balancers: whose address counts, what is refused, `HAProxy` in front of the service.
mod proxy_protocol;
/// Sessions that are passed on to the host that holds the mail: logins there, failures, what flows.
mod relay;
/// A configuration that is read again while the service runs.
mod reloading;
/// SCRAM against a real slapd with credentials of RFC 5803.
mod scram;
/// Sending mail with the same names: Postfix and Exim ask who may send, who receives, and where the mail belongs.
mod submission;
/// TLS as clients meet it: versions, certificates, resumption, injection before STLS.
mod tls;
/// Tokens: which count, and logins with them.
mod tokens;
