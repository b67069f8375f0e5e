//! Restante: a POP3 server that lets people fetch their mail with the names and passwords of the LDAP directory that
//! their organisation already runs.
//!
//! # The path of a login, and of a message
//!
//! ```text
//!  client ──TCP/TLS──▶ server ─▶ connection (one driver loop)
//!                                   │  event in, exactly one action out
//!                                   ▼
//!                            pop3::Session (pure: no socket, no file, no clock)
//!        "verify these credentials" │ "open", "transmit n", "commit"
//!                     ┌─────────────┴─────────────┐
//!                     ▼                           ▼
//!                  identity                    maildir
//!        who is this, where is their      snapshot, sizes, unique-ids,
//!        maildrop; cached                 deletions at QUIT
//!                     │
//!            names ───┴─── directory
//!    which look-ups a     LDAP: one connection for
//!    login name means     searches, a pool for binds
//! ```
//!
//! # The modules, in reading order
//!
//! A module names modules on lower floors only; the test `floors` enforces that. The `mod.rs` of each module is its map.
//!
//! | floor | module | what it is |
//! |---|---|---|
//! | 0 | [`secret`] | passwords and tokens as types that cannot be printed |
//! | 0 | [`file_stamps`] | whether files have changed since they were read |
//! | 0 | [`current`] | a value that is replaced while others use it |
//! | 0 | [`session_id`] | which session a line of the log is about |
//! | 0 | [`confinement`] | which files the running service may reach (Landlock) |
//! | 0 | [`ledger`] | what is counted, and who is connected; all modules write it, `admin` reads it |
//! | 0 | [`date`] | the calendar: times as the log, LDAP and mail write them |
//! | 1 | [`pop3`] | the protocol: lines, commands, states, replies, SASL, line ends |
//! | 1 | [`names`] | the name policy: which look-ups a login name means; DNs |
//! | 1 | [`certificate`] | what X.509 certificates say, and how clients judge a chain |
//! | 1 | [`lockout`] | counters of wrong passwords, and lock-outs |
//! | 1 | [`client_settings`] | what people type into mail programs, in words and in the programs' own forms |
//! | 2 | [`directory`] | LDAP: searches, binds, failover, following changes |
//! | 2 | [`tasks`] | tasks that run as long as the service, and are restarted if they end |
//! | 2 | [`token`] | bearer tokens: issuers, their keys, validation |
//! | 2 | [`maildir`] | Maildirs below the mail root: path, snapshot, messages, unique-ids, commit |
//! | 2 | [`relay`] | people whose mail another host holds: hosts, logins there, octets passed on |
//! | 2 | [`remote`] | a POP3 client, to compare an old server's listing with ours |
//! | 3 | [`identity`] | from credentials to a person and their maildrop; caches, throttle |
//! | 4 | [`audit`] | problems across all people and mailboxes |
//! | 4 | [`connection`] | one client: the socket, and the loop that drives its session |
//! | 4 | [`admin`] | the running service for administrators: commands, status page, metrics |
//! | 4 | [`logging`] | the log: format, minimum level, buffering |
//! | 5 | [`mta`] | what Postfix and Exim ask: logins of whoever sends mail, whose an address is |
//! | 5 | [`server`] | listeners, certificates, limits, orderly shutdown |
//! | 6 | [`config`] | from YAML to every module's settings; all mistakes at once |
//! | 7 | [`demo`] | an LDAP directory inside the process, sample people and mail, a throw-away authority |
//! | 8 | [`cli`] | the commands, one file each |
//!
//! # Where to look
//!
//! | question | file |
//! |---|---|
//! | In which order is a login checked? | `identity/login/order.rs`, function `checks` |
//! | What happens when a directory does not answer? | the next server: `directory/ldap/failover.rs`; none left: `identity/login/outage.rs` and `grace.rs`; the client's reply: `connection/driver/translation.rs` |
//! | What may delete a message's file? | only the room `maildir/removal`: `removing.rs` takes it out of `new` and `cur`, `undeleting.rs` removes kept mail for good |
//! | When is one deleted? | at QUIT (`maildir/maildrop/commit.rs`); by age at the end of a session (`maildir/maildrop/ending.rs`) or by `restante expire` (`maildir/removal/expiry.rs`); kept mail when its time is over (`maildir/removal/undeleting.rs`) |
//! | Where are octets counted? | `maildir/files/count.rs`, by the rule in `pop3/multiline.rs`; which sizes need no counting: the table in `maildir/snapshot/mod.rs` |
//! | Where is a command of a client carried out? | `pop3/session.rs` decides, `connection/driver/dispatch.rs` does it |
//! | Which host is a session passed on to, and what does the client learn if it fails? | `relay/hosts.rs`; `connection/driver/translation.rs`, function `not_relayed` |
//! | How does `restante init` find out what it writes? | the table in `cli/init.rs`; whom it trusts: `cli/init/link.rs` |
//! | What do Postfix and Exim learn, and what if a directory is silent? | logins: `mta/sasl/conversation.rs`; addresses: `mta/socketmap/tables.rs` |
//! | Which files may the running service reach? | `confinement/mod.rs`; which paths are handed to it: `config/confinement.rs` |
//! | Who reads changed files again? | the server's own certificates: `server/renewal.rs`; client authorities and revocation lists: `server/tls.rs`; token keys: `token/issuers.rs`; everything, on command: `cli/serve/running.rs` |
//! | What becomes of each part when the configuration is reloaded? | `cli/serve/running.rs`, functions `prepare` and `apply`; caches and lock-outs: `IdentityMap::renewed`; ports: `server/preparing.rs` and `server/running.rs` |
//!
//! | to add | begin in | and then |
//! |---|---|---|
//! | a key of the configuration | the file of its section in `config` | `config/restante.yaml`, the guide, `restante generate schema > config/restante.schema.json` |
//! | a directory schema | `directory/entries/attributes.rs` | `config/schema.rs`; ids and change stamps: `directory/entries/entry.rs`; account attributes: `directory/entries/account.rs`; codes of a bind: `directory/ldap/verdict.rs`; what `init` counts: `cli/init/census.rs`; `config/restante.yaml`, `config/guide/directories.md` |
//! | a SASL mechanism | `pop3/sasl.rs` | `pop3/credentials.rs`, `pop3/capabilities.rs`; for an exchange of a new kind `pop3/authorization.rs`, an `Action` in `pop3/session.rs` and its arm in `connection/driver/dispatch.rs`; a `LoginMethod` in `identity/login` and its method in `identity/mod.rs`; a file in `connection/driver`, like `scram.rs`; `config/guide/log.md` |
//! | an admin command | `admin/command.rs` | `execute` in `admin/mod.rs`; a command in `cli`, like `cli/flush.rs`; the list of commands in the text of `CommandFault` |
//! | a command | a file in `cli` | its variant in `cli/command_line.rs` and its arm in `cli/mod.rs`, `config/guide/commands.md` |
//! | a table for Postfix | `mta/socketmap/tables.rs` | `config/guide/submission.md` |
//! | a metric | `ledger/counters.rs` | where it is counted; `config/guide/monitoring.md` |
//! | a log event | where it happens, with a `name:` of its own | `config/guide/log.md` |
//!
//! # The tasks of the running service
//!
//! Tasks that run as long as the service are watched ([`tasks`]): one that panics or returns is logged and restarted. If that
//! fails, the process ends with the reason and status 1.
//!
//! | task | started by | runs until | if it ends early |
//! |---|---|---|---|
//! | accept loop, one for each listener | `server` | a reload removes the listener, or shutdown | restarted on the same socket |
//! | reload of certificates, client authorities and revocation lists, every 2 s (`server/tls.rs`) | `server` | a reload changes them, or shutdown | restarted |
//! | reload of token keys, every 2 s (`token/issuers.rs`) | `cli::serve` | the next reload, or shutdown | restarted |
//! | keep-alive, one for each directory | `cli::serve` | a reload changes the directories, or shutdown | restarted |
//! | follower, one for each followed directory | `cli::serve` | a reload changes the directories, or shutdown | restarted; cached data is looked up again |
//! | end of lock-outs and sums for the log, every second | `cli::serve` | shutdown | restarted |
//! | watchdog of the service manager, where it has one | `cli::service_manager` | shutdown | restarted; the service manager restarts the service if none of its signs of life arrive |
//! | admin HTTP listener | `cli::serve` | a reload changes `admin.http`, or shutdown | restarted on the same socket |
//! | admin socket | `cli::serve` | shutdown | restarted on the same socket |
//! | SASL service | `cli::serve` | shutdown | restarted on the same socket |
//! | socketmap | `cli::serve` | shutdown | restarted on the same socket |
//! | log writer (a thread) | `logging` | the process ends | continues after a panic |
//! | signals, and reloads, one after the other | `cli::serve` | SIGTERM or SIGINT | the process ends |
//! | check of directories and mail at the start, and when a reload changes them | `cli::serve` | its result is logged | only that log line is missing |
//! | one client | `server` | its connection ends; at shutdown `limits.shutdown` at most | that connection ends |
//! | one PROXY header (`server/admission.rs`) | `server` | it is read, 5 s at most; at shutdown at once | that connection ends |
//! | one request to the admin HTTP listener | `admin` | the answer is sent, 60 s at most | that connection ends |
//! | one command on the admin socket | `admin` | the answer is sent, 10 s at most for each step, and for `reload` its outcome | that connection ends |
//! | one connection of a mail transfer agent | `mta` | it is closed | the mail transfer agent connects again |
//! | one login at a mail transfer agent | `mta` | its answer may be sent | its connection ends |
//! | one connection to a directory | `directory` | it is closed | replaced when needed |
//! | one look at a person with open sessions (`identity/open_sessions.rs`) | `identity` | the directory's answer | the sessions continue |
//! | one request to a directory | `directory` | the answer, or its timeout | there is no answer |
//! | one file call (a thread) | `connection` | the call returns; the session waits for `mailboxes.deadline` at most | the call has failed |
//!
//! # Glossary
//!
//! | term | meaning |
//! |---|---|
//! | floor, room | a level of modules, each of which names only modules of lower levels; a part of a large module, with the same rule inside |
//! | login name | a name as typed by the user; the name policy says which forms can be used |
//! | canonical name | the name of a person in log and reports: the short name of the entry, else the mail address, the common name, or the DN |
//! | ambiguous name | a login name that several people have |
//! | identity | a person's canonical name, DN, maildrop and retention, read from their entry |
//! | account status | whether the entry bars a login: disabled, locked, expired |
//! | change stamp | an attribute that changes with the password, such as `pwdChangedTime`; cached passwords depend on it |
//! | outage grace | how long a password is accepted after it was last proven while a directory is silent |
//! | follower | the task that receives a directory's changes (RFC 4533) and drops cached data about changed entries |
//! | lock-out | the time during which a person, a name or a network is refused after too many distinct wrong passwords |
//! | network | an IPv4 address or an IPv6 /64: the unit in which clients are counted |
//! | familiar network | a network from which a person logged in recently; it has its own counter for that person |
//! | decoy credentials | salt and iterations of the SCRAM challenge for a name without SCRAM credentials |
//! | mail transfer agent (MTA) | the program that takes, passes on and delivers mail, such as Postfix or Exim (RFC 5598 §4.3) |
//! | relay | passing a session on, after the login, to the host that holds the person's mail |
//! | maildrop | the mail that one POP3 session sees (RFC 1939 §3) |
//! | Maildir | the directory on disk with `new`, `cur` and `tmp` |
//! | mail root | the directory beneath which all Maildirs are; nothing outside it is opened |
//! | marker | a file that shows that the mail root's file system is mounted |
//! | snapshot | the messages of a maildrop as read at login; a session sees no later change |
//! | message-number | 1 to n within one session |
//! | unique-id | the stable name of a message between sessions (UIDL), 1 to 70 characters |
//! | base name | a message's file name without its flags; the default source of its unique-id |
//! | pin | the record in `restante-pins` of a unique-id that a client has seen, which outlives renaming and imports |
//! | index | the sizes of messages in `restante-index`, so that no file is read twice to count its octets |
//! | octets | a message's size as sent: line ends are CRLF; byte-stuffing and the final dot are not counted |
//! | mark, reset, commit | DELE, RSET, and the removal in the UPDATE state |
//! | surrogate | the wrapper message that stands in for one with 8-bit headers (RFC 6856) |
//! | retention, expiry | how long mail that is left on the server stays; its removal afterwards |
//! | deadline | how long a session waits for a file call, such as on a hanging network file system |
//!
//! To see it run: `cargo run --release -- demo`. To see how it behaves: the dialogues in `integration/service/dialogues`.
pub mod admin;
pub mod audit;
pub mod certificate;
pub mod cli;
pub mod client_settings;
pub mod config;
pub mod confinement;
pub mod connection;
pub mod current;
pub mod date;
pub mod demo;
pub mod directory;
pub mod file_stamps;
pub mod identity;
pub mod ledger;
pub mod lockout;
pub mod logging;
pub mod maildir;
pub mod mta;
pub mod names;
pub mod pop3;
pub mod relay;
pub mod remote;
pub mod secret;
pub mod server;
pub mod session_id;
pub mod tasks;
pub mod token;
