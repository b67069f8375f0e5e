//! `restante index`: reads message sizes in advance, so that first logins are fast.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::maildrops::{WithoutMaildrop, elsewhere, next_owner, why};
use super::{ExitStatus, MaildropArgs, act_as_service, report_error, sanitized, with_configuration};
use crate::config::Configuration;
use crate::directory::{Directory, WalkEnd};
use crate::identity::{self, IdentityMap, MailPlace, Trace};
use crate::maildir::{Indexed, MaildropPath, Store};

/// The lowest priority on the CPU and, if the disk's scheduler respects it, for the disk.
const NICE: i32 = 19;

pub(super) fn index(people: &MaildropArgs) -> ExitStatus {
    with_configuration(&people.config, |configuration| build(configuration, &people.logins, people.json))
}

/// Returns whether everything succeeded; failures were reported.
fn build(configuration: Configuration, logins: &[String], json: bool) -> anyhow::Result<bool> {
    act_as_service(configuration.server.user.as_deref())?;
    let Configuration { identity, directories, maildir, .. } = configuration;
    let store = Store::new(maildir)?;
    let mut found = Targets::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let directories: Vec<Directory> = directories.into_iter().map(Directory::new).collect();
    if logins.is_empty() {
        for directory in &directories {
            runtime.block_on(everybody(directory, &identity, &mut found))?;
        }
    } else {
        let identities = IdentityMap::new(directories, identity).map_err(anyhow::Error::msg)?;
        runtime.block_on(these(&identities, logins, &mut found));
    }
    drop(runtime);
    // If this fails, the machine is only busier than necessary.
    let _ = rustix::process::nice(NICE);
    index_all(&store, found, json)
}

/// The maildrops to index, and what failed on the way to them.
#[derive(Default)]
struct Targets {
    maildrops: Vec<MaildropPath>,
    /// A sentence for each thing that failed.
    faults: Vec<String>,
}

impl Targets {
    fn fail(&mut self, about: &str, why: &dyn std::fmt::Display) {
        let fault = format!("{about}: {why}");
        report_error(&sanitized(&fault));
        self.faults.push(fault);
    }
}

async fn these(identities: &IdentityMap, logins: &[String], found: &mut Targets) {
    for login in logins {
        match identities.resolve(login.as_bytes(), Trace::OFF).await {
            Ok(resolved) => match resolved.mail {
                MailPlace::Here(path) => found.maildrops.push(path),
                MailPlace::Elsewhere(target) => found.fail(login, &elsewhere(&target)),
            },
            Err(outcome) => found.fail(login, &why(&outcome)),
        }
    }
}

async fn everybody(directory: &Directory, settings: &identity::Settings, found: &mut Targets) -> anyhow::Result<()> {
    let (mut walk, of) = (directory.walk(), directory.settings());
    while let Some(owner) = next_owner(&mut walk, &of.attributes, settings).await {
        match owner {
            Ok(owner) => found.maildrops.push(owner.path),
            Err(WithoutMaildrop { person, why }) => found.fail(&person, &why),
        }
    }
    if let WalkEnd::CutShort(why) = walk.end().await.map_err(|fault| fault.of_directory(&of.name))? {
        found.fail(&of.name, &format!("the directory returned only some of its people: {why}"));
    }
    Ok(())
}

/// One maildrop after the other: several at once would only make the disk seek.
#[allow(clippy::print_stdout, reason = "the result of the command")]
fn index_all(store: &Store, mut found: Targets, json: bool) -> anyhow::Result<bool> {
    let bar = bar(found.maildrops.len())?;
    let (mut messages, mut read, mut octets) = (0, 0, 0_u64);
    for maildrop in std::mem::take(&mut found.maildrops) {
        let outcome = store.index(&maildrop, &mut |more| {
            octets += more;
            bar.set_message(format!("{} MiB read", octets >> 20));
        });
        match outcome {
            Ok(Indexed { messages: there, read: anew }) => {
                messages += there;
                read += anew;
            }
            Err(fault) => bar.suspend(|| found.fail("not indexed", &fault)),
        }
        bar.inc(1);
    }
    let maildrops = bar.position();
    bar.finish_and_clear();
    let faults = &found.faults;
    if json {
        let whole = json!({
            "clean": faults.is_empty(), "maildrops": maildrops, "messages": messages, "read": read, "faults": faults,
        });
        println!("{whole:#}");
    } else {
        println!("maildrops: {maildrops}, messages: {messages}, read: {read}, failed: {}", faults.len());
    }
    Ok(faults.is_empty())
}

/// On standard error, if that is a terminal.
fn bar(maildrops: usize) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} maildrops {pos} of {len}, {msg} ({elapsed})")?;
    let bar = ProgressBar::new(maildrops as u64).with_style(style).with_message("0 MiB read");
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}
