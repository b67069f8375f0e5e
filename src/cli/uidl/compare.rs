//! `restante uidl compare`: compares the old server's UIDL and LIST with ours.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::json;

use super::old_server::{self, Trust};
use super::{OldServerTls, person};
use crate::audit::{Difference, LocalMessage, differences};
use crate::cli::layout::{counted, wrapped};
use crate::cli::{act_as_service, password, sanitized};
use crate::config::Configuration;
use crate::directory::Directory;
use crate::identity::{self, IdentityMap};
use crate::maildir::{FetchFault, Maildrop, MaildropPath, Store};
use crate::remote::{self, RemoteMessage};
use crate::secret::Password;

/// The options of the command.
pub(super) struct CompareOptions {
    pub(super) host: String,
    pub(super) tls: OldServerTls,
    pub(super) trust: Trust,
    /// The name at the old server.
    pub(super) name: String,
    pub(super) login: String,
    pub(super) json: bool,
}

/// The most differences listed; `--json` lists all.
const ROWS: usize = 1_000;

/// Returns whether a client would see no difference.
pub(super) fn compare(configuration: Configuration, wanted: &CompareOptions) -> anyhow::Result<bool> {
    let server = old_server::settings(&wanted.host, wanted.tls, &wanted.trust)?;
    let secret = password::ask(&wanted.name).map_err(anyhow::Error::msg)?;
    act_as_service(configuration.server.user.as_deref())?;
    let Configuration { identity, directories, maildir, .. } = configuration;
    let store = Store::new(maildir.for_trial())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = both(directories.into_iter().map(Directory::new).collect(), identity, &server, &secret, wanted);
    let (path, theirs) = runtime.block_on(asked)?;
    let ours = ours(&store, &path, &theirs)?;
    let found = differences(&theirs, &ours);
    let mut out = std::io::stdout().lock();
    let report =
        if wanted.json { machine(&found, theirs.len(), ours.len()) } else { text(&found, theirs.len(), ours.len()) };
    out.write_all(report.as_bytes())?;
    Ok(found.is_empty())
}

/// Where the mail is, and the old server's listing.
async fn both(
    directories: Vec<Directory>,
    settings: identity::Settings,
    server: &remote::Settings,
    secret: &Password,
    wanted: &CompareOptions,
) -> anyhow::Result<(MaildropPath, Vec<RemoteMessage>)> {
    let identities = IdentityMap::new(directories, settings).map_err(anyhow::Error::msg)?;
    let found = person(&identities, &wanted.login).await;
    let (_, path) = found.map_err(|why| anyhow::anyhow!("{}: {why}", wanted.login))?;
    let theirs = remote::list_messages(server, &wanted.name, secret).await;
    Ok((path, theirs.map_err(|fault| anyhow::anyhow!("{}: {fault}", wanted.host))?))
}

/// Our own listing; files whose size differs at the old server are read.
fn ours(store: &Store, path: &MaildropPath, theirs: &[RemoteMessage]) -> anyhow::Result<Vec<LocalMessage>> {
    let planned = store.plan(path)?;
    let mut shown: HashMap<String, _> =
        planned.shown.into_iter().map(|message| (message.unique_id.clone(), message)).collect();
    let there: HashMap<&str, Option<u64>> = theirs.iter().map(|one| (one.unique_id.as_str(), one.octets)).collect();
    let mut maildrop = store.enter(path)?;
    let listing = maildrop.listing(true);
    let mut ours = Vec::new();
    for (number, listed) in listing.unmarked() {
        // A message that arrived between the two looks at the disk is left out.
        let Some(message) = shown.remove(listed.unique_id.as_str()) else { continue };
        let differs = there.get(message.unique_id.as_str()).is_some_and(|octets| *octets != Some(listed.octets));
        let as_listed = (listed.octets, true);
        let (stored, ends_with_line) = if differs { stored(&mut maildrop, number - 1, as_listed)? } else { as_listed };
        ours.push(LocalMessage { message, octets: listed.octets, stored, ends_with_line });
    }
    Ok(ours)
}

/// The octets of a message before its line ends are made, and whether its last line has an end; of a file that cannot be
/// read as mail, what is listed.
fn stored(maildrop: &mut Maildrop, index: usize, as_listed: (u64, bool)) -> anyhow::Result<(u64, bool)> {
    let mut message = match maildrop.fetch(index) {
        Err(FetchFault::NoMail(_)) => return Ok(as_listed),
        fetched => fetched?,
    };
    let (mut block, mut octets, mut last) = (vec![0; 64 * 1024], 0, b'\n');
    loop {
        let length = message.read(&mut block)?;
        let Some(octet) = block.get(..length).and_then(<[u8]>::last) else { return Ok((octets, last == b'\n')) };
        last = *octet;
        octets += u64::try_from(length).unwrap_or(u64::MAX);
    }
}

fn text(found: &[Difference], theirs: usize, ours: usize) -> String {
    let mut text = format!("{theirs} messages there, {ours} here\n");
    if found.is_empty() {
        text.push_str("no difference\n");
        return text;
    }
    let word = |value: &Option<String>| value.as_deref().unwrap_or("-").to_owned();
    for one in found.iter().take(ROWS) {
        let first = format!("\n{}: there {}, here {}", one.what, word(&one.theirs), word(&one.ours));
        for (line, indent) in [(first, 0), (word(&one.base), 4), (one.cause.to_owned(), 4)] {
            text.push_str(&wrapped(&sanitized(&line), indent));
        }
    }
    if found.len() > ROWS {
        let _ = writeln!(text, "and {} more; --json lists all of them", found.len() - ROWS);
    }
    let _ = writeln!(text, "\n{}", counted(found.len(), "difference"));
    text
}

fn machine(found: &[Difference], theirs: usize, ours: usize) -> String {
    let differences = found.iter().map(|one| {
        json!({ "what": one.what.word(), "there": one.theirs, "here": one.ours, "base_name": one.base, "cause": one.cause })
    });
    let whole = json!({
        "clean": found.is_empty(),
        "messages_there": theirs,
        "messages_here": ours,
        "differences": differences.collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}
