//! `restante uidl plan`: a dry run of a migration.

use std::io::{BufWriter, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::person;
use super::planned::{self, PlannedMaildrop};
use crate::cli::act_as_service;
use crate::cli::maildrops::{MaildropOwner, next_owner};
use crate::config::Configuration;
use crate::directory::{Directory, WalkEnd};
use crate::identity::{self, IdentityMap};
use crate::maildir::{MaildropPath, Store};

/// Plans for these login names, or for everybody. Returns whether nothing is wrong.
pub(super) fn plan(configuration: Configuration, logins: &[String], json: bool) -> anyhow::Result<bool> {
    act_as_service(configuration.server.user.as_deref())?;
    let Configuration { identity, directories, maildir, .. } = configuration;
    let store = Store::new(maildir.for_trial())?;
    let directories: Vec<Directory> = directories.into_iter().map(Directory::new).collect();
    // This thread reads the disk; the other one receives the directory's answers.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let maildrops = if logins.is_empty() {
        runtime.block_on(everybody(&directories, &identity, &store))?
    } else {
        runtime.block_on(these(directories, identity, logins, &store))?
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    if json {
        planned::write_json(&maildrops, &mut out)?;
    } else {
        planned::write_text(&maildrops, &mut out)?;
    }
    out.flush()?;
    Ok(!maildrops.iter().any(PlannedMaildrop::is_wrong))
}

async fn these(
    directories: Vec<Directory>,
    settings: identity::Settings,
    logins: &[String],
    store: &Store,
) -> anyhow::Result<Vec<PlannedMaildrop>> {
    let identities = IdentityMap::new(directories, settings).map_err(anyhow::Error::msg)?;
    let mut maildrops = Vec::with_capacity(logins.len());
    for login in logins {
        maildrops.push(match person(&identities, login).await {
            Ok((name, path)) => planned_for(name, &path, store),
            Err(why) => PlannedMaildrop { person: login.clone(), path: String::new(), planned: Err(why) },
        });
    }
    Ok(maildrops)
}

/// People without a path have no mail to migrate; `restante audit` lists them.
async fn everybody(
    directories: &[Directory],
    settings: &identity::Settings,
    store: &Store,
) -> anyhow::Result<Vec<PlannedMaildrop>> {
    let bar =
        ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} maildrops {pos} ({per_sec})")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut maildrops = Vec::new();
    for directory in directories {
        let (mut walk, of) = (directory.walk(), directory.settings());
        while let Some(owner) = next_owner(&mut walk, &of.attributes, settings).await {
            bar.inc(1);
            maildrops.extend(owner.ok().map(|MaildropOwner { person, path, .. }| planned_for(person, &path, store)));
        }
        if let WalkEnd::CutShort(why) = walk.end().await.map_err(|fault| fault.of_directory(&of.name))? {
            anyhow::bail!("directory {} returned only some of its people: {why}", of.name);
        }
    }
    bar.finish_and_clear();
    Ok(maildrops)
}

fn planned_for(person: String, path: &MaildropPath, store: &Store) -> PlannedMaildrop {
    let planned = store.plan(path).map_err(|fault| fault.to_string());
    PlannedMaildrop { person, path: path.to_string(), planned }
}
