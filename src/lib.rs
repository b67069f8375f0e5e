//! Restante: a POP3 server that lets people fetch their mail with the names and passwords of the LDAP directory that
//! their organisation already runs.
//!
//! # The way of a login, and of a message
//!
//! ```text
//!  client ──TCP/TLS──▶ server ─▶ connection (one loop)
//!                                   │  event in, exactly one action out
//!                                   ▼
//!                            pop3::Session (pure: no socket, no file, no clock)
//!        "verify these credentials" │ "open", "transmit n", "commit"
//!                     ┌─────────────┴─────────────┐
//!                     ▼                           ▼
//!                  identity                    maildir
//!        who is this, where is their      snapshot, octets, unique-ids,
//!        mail; held in memory             deletions at QUIT
//!                     │
//!            names ───┴─── directory
//!    which look-ups a     LDAP: one connection for
//!    login name means     searches, a pool for binds
//! ```
//!
//! # The modules, in reading order
//!
//! A module names modules of lower floors only; the test `floors` holds that.
//!
//! | floor | module | what it is |
//! |---|---|---|
//! | 0 | [`secret`] | a password or a token, which cannot be printed |
//! | 0 | [`file_stamps`] | whether files are still those that were read |
//! | 0 | [`date`] | the calendar: a moment as the log, LDAP and mail write it |
//! | 1 | [`pop3`] | the protocol: lines, commands, states, replies, the one rule of line ends |
//! | 1 | [`names`] | the name policy: which look-ups a typed name stands for; DNs |
//! | 1 | [`certificate`] | what an X.509 certificate says, and what clients make of a chain of them |
//! | 1 | [`lockout`] | wrong passwords counted, and what too many of them lead to |
//! | 2 | [`directory`] | LDAP: look-ups and binds that survive idle cuts, silence and restarts |
//! | 2 | [`tasks`] | tasks that run as long as the service: none of them ends unnoticed |
//! | 2 | [`token`] | bearer tokens: issuers, their keys, what a token says and whether it counts |
//! | 2 | [`maildir`] | Maildirs below the mail root: path, snapshot, messages, commit |
//! | 2 | [`remote`] | POP3 spoken as a client, to compare an old server with ours |
//! | 3 | [`identity`] | from credentials to a person and their maildrop; what is cached, and for how long |
//! | 4 | [`audit`] | what in directory and mail root would make a login go wrong |
//! | 4 | [`connection`] | one client: the socket, and the loop that drives its session |
//! | 4 | [`admin`] | orders to the running service, over a Unix socket |
//! | 4 | [`logging`] | how the log is written |
//! | 5 | [`server`] | listeners, certificates, limits, an orderly end |
//! | 6 | [`config`] | from YAML to every module's settings, with every mistake told at once |
//! | 7 | [`demo`] | an LDAP directory inside the process, sample people and mail, a throw-away authority |
//! | 8 | [`cli`] | the commands |
//!
//! # The tasks of the running service
//!
//! Those that run as long as the service are watched ([`tasks`]): one that ends is logged and started again. If that fails,
//! the process ends with the reason and status 1.
//!
//! | task | started by | if it panics |
//! |---|---|---|
//! | accept loop, one for each listener | `server` | started again on the same socket |
//! | look at authorities, revocation lists and keys of tokens | `server`, `cli` | started again |
//! | keep-alive, one for each directory | `cli` | started again |
//! | follower, one for each followed directory | `cli` | started again; what was cached is looked up anew |
//! | end of lock-outs | `cli` | started again |
//! | admin socket | `cli` | started again on the same socket |
//! | log writer (a thread) | `logging` | goes on |
//! | signals | `cli` | the process ends |
//! | one client | `server` | that connection ends |
//! | one command on the admin socket | `admin` | that connection ends |
//! | one connection to a directory | `directory` | it is replaced when it is needed |
//! | one request to a directory | `directory` | it has no answer |
//! | one file call | `connection` | it has failed |
//!
//! To see it move, run `cargo run --release -- demo`; to see what holds, read the dialogues in `integration/dialogues`.

pub mod admin;
pub mod audit;
pub mod certificate;
pub mod cli;
pub mod config;
pub mod connection;
pub mod date;
pub mod demo;
pub mod directory;
pub mod file_stamps;
pub mod identity;
pub mod lockout;
pub mod logging;
pub mod maildir;
pub mod names;
pub mod pop3;
pub mod remote;
pub mod secret;
pub mod server;
pub mod tasks;
pub mod token;
