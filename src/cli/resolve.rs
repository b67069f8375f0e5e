//! `restante resolve`: shows how a login name is resolved, step by step. The steps are those of the login itself.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::path::Path;

use super::explain::{Explanation, Mailbox};
use super::{ExitStatus, act_as_service, password, sanitized, with_configuration};
use crate::config::Configuration;
use crate::directory::Directory;
use crate::identity::{IdentityMap, MailPlace, Outcome, Trace};
use crate::maildir::Store;
use crate::pop3::{Credentials, Mechanism};

/// The options of the command.
pub(super) struct ResolveOptions<'a> {
    pub(super) login: &'a str,
    pub(super) password: bool,
    pub(super) json: bool,
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn resolve(file: &Path, wanted: &ResolveOptions<'_>) -> ExitStatus {
    with_configuration(file, |configuration| {
        let explanation = explain(configuration, wanted)?;
        print!("{}", if wanted.json { explanation.json() } else { sanitized(&explanation.text()) });
        Ok(explanation.is_usable())
    })
}

fn explain(configuration: Configuration, wanted: &ResolveOptions<'_>) -> anyhow::Result<Explanation> {
    act_as_service(configuration.server.user.as_deref())?;
    let credentials = wanted.password.then(|| credentials(wanted.login)).transpose()?;
    let Configuration { identity, directories, maildir, .. } = configuration;
    let policy = identity.policy.clone();
    let root = maildir.root.clone();
    let directories = directories.into_iter().map(Directory::new).collect();
    let identities = IdentityMap::new(directories, identity).map_err(anyhow::Error::msg)?;
    let steps = Trace::recording();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let end = runtime.block_on(end(&identities, wanted.login, credentials, &steps));
    let (end, mailbox) = match end {
        Err(outcome) => (Err(outcome), None),
        Ok(MailPlace::Elsewhere(target)) => (Ok(MailPlace::Elsewhere(target)), None),
        Ok(MailPlace::Here(path)) => match Store::new(maildir) {
            // If there are two possible paths, the existing one counts.
            Ok(store) => {
                let seen = Mailbox::Seen(store.inspect(&path));
                let chosen = store.choose(&path).map_or_else(|_| path.clone(), Cow::into_owned);
                (Ok(MailPlace::Here(chosen)), Some(seen))
            }
            Err(fault) => (Ok(MailPlace::Here(path)), Some(Mailbox::NoRoot(fault.to_string()))),
        },
    };
    let login = wanted.login.to_owned();
    Ok(Explanation { login, policy, root, steps: steps.into_events(), end: end.map_err(Box::new), mailbox })
}

fn credentials(login: &str) -> anyhow::Result<Credentials> {
    let password = password::ask(login).map_err(anyhow::Error::msg)?;
    let (login, authorization) = (login.as_bytes().to_vec(), Vec::new());
    Ok(Credentials { login, authorization, password: Ok(password), mechanism: Mechanism::User })
}

/// Runs the login's own function, with or without a password; returns the place of the mail, or the outcome.
async fn end(
    identities: &IdentityMap,
    login: &str,
    credentials: Option<Credentials>,
    steps: &Trace,
) -> Result<MailPlace, Outcome> {
    let Some(credentials) = credentials else {
        return identities.resolve(login.as_bytes(), steps).await.map(|resolved| resolved.mail);
    };
    match identities.verify_traced(credentials, Ipv4Addr::LOCALHOST.into(), steps).await {
        Outcome::Proven(proven) => Ok(proven.mail),
        other => Err(other),
    }
}
