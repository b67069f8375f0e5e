//! `restante uidl plan`: a dry run of a move.

use std::io::{BufWriter, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::person;
use super::planned::{self, Maildrop};
use crate::cli::act_as_service;
use crate::config::Configuration;
use crate::directory::{Directory, WalkEnd};
use crate::identity::{self, Identity, IdentityMap};
use crate::maildir::{MaildropPath, Store};

/// Plans for these login names, or for everybody. Gives whether nothing is wrong.
pub(super) fn plan(configuration: Configuration, logins: &[String], json: bool) -> anyhow::Result<bool> {
    act_as_service(&configuration)?;
    let Configuration { identity, directory, maildir, .. } = configuration;
    let store = Store::new(maildir.for_trial())?;
    let directory = Directory::new(directory);
    // The disk is asked on this thread; the directory's answers come in on the other.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let maildrops = if logins.is_empty() {
        runtime.block_on(everybody(&directory, &identity, &store))?
    } else {
        runtime.block_on(these(directory, identity, logins, &store))?
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    if json {
        planned::machine(&maildrops, &mut out)?;
    } else {
        planned::tell(&maildrops, &mut out)?;
    }
    out.flush()?;
    Ok(!maildrops.iter().any(Maildrop::is_wrong))
}

async fn these(
    directory: Directory,
    settings: identity::Settings,
    logins: &[String],
    store: &Store,
) -> anyhow::Result<Vec<Maildrop>> {
    let identities = IdentityMap::new(directory, settings).map_err(anyhow::Error::msg)?;
    let mut maildrops = Vec::with_capacity(logins.len());
    for login in logins {
        let (name, path) = person(&identities, login).await?;
        maildrops.push(planned_for(name, &path, store));
    }
    Ok(maildrops)
}

/// Those of whom the directory gives no path have no mail to move; `restante audit` tells of them.
async fn everybody(
    directory: &Directory,
    settings: &identity::Settings,
    store: &Store,
) -> anyhow::Result<Vec<Maildrop>> {
    let bar =
        ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} maildrops {pos} ({per_sec})")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut maildrops = Vec::new();
    let mut walk = directory.walk();
    let attributes = &directory.settings().attributes;
    while let Some(entry) = walk.next().await {
        bar.inc(1);
        let Ok(entry) = entry else { continue };
        let Identity { canonical_name, maildrop, .. } =
            Identity::new(&entry, attributes, &settings.template, &settings.root);
        if let Ok(path) = maildrop {
            maildrops.push(planned_for(canonical_name, &path, store));
        }
    }
    bar.finish_and_clear();
    if let WalkEnd::CutShort(why) = walk.end().await? {
        anyhow::bail!("the directory gave {} people and no more: {why}", maildrops.len());
    }
    Ok(maildrops)
}

fn planned_for(person: String, path: &MaildropPath, store: &Store) -> Maildrop {
    let planned = store.plan(path).map_err(|fault| fault.to_string());
    Maildrop { person, path: path.to_string(), planned }
}
