//! `restante serve`: the service, in the foreground.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::interval;

use super::maildrops::serves_here;
use super::{ExitStatus, load, report_error, service_manager};
use crate::admin::{AdminSocket, HttpListener, ServiceView};
use crate::audit::{self, Coverage};
use crate::config::Configuration;
use crate::connection::{BLOCKING_THREADS, MaildropLeases, Openings, Service, kernel_reports_delivery};
use crate::directory::{Change, Directory};
use crate::identity::{self, IdentityMap, KnownMaildrops};
use crate::ledger::Ledger;
use crate::logging::{self, Log};
use crate::maildir::{self, Store};
use crate::relay::BackEnds;
use crate::server::{HandedOverSockets, Server, become_user, is_root, keep_free_memory, raise_descriptor_limit};
use crate::tasks::Tasks;

pub(super) fn serve(file: &Path) -> ExitStatus {
    let configuration = match load(file) {
        Ok(configuration) => configuration,
        Err(ended) => return ended,
    };
    let log = match logging::start(configuration.logging) {
        Ok(log) => log,
        Err(fault) => {
            report_error(&fault);
            return ExitStatus::ProblemFound;
        }
    };
    match start(configuration, &log) {
        Ok(()) => ExitStatus::Success,
        Err(fault) => {
            tracing::error!(name: "cannot_serve", reason = format!("{fault:#}"), "cannot serve");
            ExitStatus::ProblemFound
        }
    }
}

/// Binds ports, then becomes the configured user, and only then starts threads.
fn start(configuration: Configuration, log: &Log) -> anyhow::Result<()> {
    keep_free_memory();
    let descriptors = raise_descriptor_limit();
    let all = |faults: Vec<String>| anyhow!("{}", faults.join("; "));
    let handed_over = HandedOverSockets::take().map_err(all)?;
    let server = Server::bind(&configuration.server, handed_over).map_err(all)?;
    match &configuration.server.user {
        Some(user) if is_root() => become_user(user).map_err(|fault| anyhow!(fault))?,
        Some(user) => tracing::warn!(name: "not_started_as_root", user, "not started as root: `user` has no effect"),
        None if is_root() => tracing::warn!(
            name: "running_as_root",
            "running as root: set `user` in the configuration to drop privileges"
        ),
        None => {}
    }
    if !kernel_reports_delivery().unwrap_or(false) {
        tracing::warn!(
            name: "acknowledgements_not_reported",
            "the kernel does not report what clients have acknowledged: deletions do not wait for it"
        );
    }
    log.gather().context("cannot start threads")?;
    tracing::info!(name: "starting", version = env!("CARGO_PKG_VERSION"), descriptors, "starting");
    run(server, configuration)
}

/// Serves on bound ports until SIGTERM or SIGINT.
pub(super) fn run(server: Server, configuration: Configuration) -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime =
        runtime.enable_all().max_blocking_threads(BLOCKING_THREADS).build().context("cannot start threads")?;
    let admin = configuration.admin.as_ref().map(AdminSocket::bind).transpose().map_err(|fault| anyhow!(fault))?;
    let http = configuration.admin_http.as_ref().map(HttpListener::bind).transpose().map_err(|fault| anyhow!(fault))?;
    let issuers = configuration.identity.tokens.clone();
    let settings = configuration.identity.clone();
    let (service, directories) = service(configuration)?;
    let outcome = runtime.block_on(async {
        let (ending, mut failed) = (ending()?, None);
        let mut tasks = Tasks::default();
        serve_administrators(&mut tasks, admin, http, &service, &directories);
        tokio::spawn(compare_mail(directories.clone(), settings, service.clone()));
        for directory in directories {
            probe(directory.clone());
            keep_alive(&mut tasks, &directory);
            follow(&mut tasks, directory, &service.identities);
        }
        if let Some(issuers) = issuers {
            tasks.keep_running("token keys", move || issuers.clone().stay_current());
        }
        log_periodically(&mut tasks, service.clone());
        service_manager::keep_alive(&mut tasks);
        service_manager::ready();
        let ending = async {
            tokio::select! {
                () = ending => {}
                reason = tasks.failed() => failed = Some(reason),
            }
            service_manager::stopping();
        };
        let ended = server.run(service.clone(), ending).await.context("the server ended");
        service.repeats.log_rest();
        ended?;
        failed.map_or(Ok(()), |reason| Err(anyhow!(reason)))
    });
    // A deletion requested by QUIT may still be running on its own thread.
    runtime.shutdown_timeout(FILE_CALL_GRACE);
    outcome
}

/// How long file calls may continue after the last session was closed.
const FILE_CALL_GRACE: Duration = Duration::from_secs(5);

/// The service that clients are served with.
fn service(configuration: Configuration) -> anyhow::Result<(Arc<Service>, Vec<Directory>)> {
    let Configuration { connection, identity, directories, maildir, .. } = configuration;
    let people = identity.cache.people;
    let serves_here = serves_here(&identity);
    let relay = identity.relay.as_ref().map(|relay| Arc::clone(&relay.settings));
    let ledger = Arc::new(Ledger::default());
    let counted = |settings| Directory::counted(settings, &ledger);
    let directories: Vec<Directory> = directories.into_iter().map(counted).collect();
    let identities = IdentityMap::counted(directories.clone(), identity, ledger.clone());
    let identities = identities.map_err(|fault| anyhow!(fault))?;
    let store = serves_here.then(|| open_store(maildir)).transpose()?;
    let identities = Arc::new(identities);
    let opened = |store: &Arc<Store>| Openings::new(store.clone(), connection.file_deadline, ledger.clone());
    let openings = store.as_ref().map(opened);
    let leases = Arc::new(MaildropLeases::new(connection.sessions));
    let known = Arc::new(KnownMaildrops::new(people));
    let back_ends = relay.map(|relay| Arc::new(BackEnds::new(relay, connection.hostname.clone(), &ledger)));
    let (settings, repeats) = (connection, Arc::default());
    let service = Service { identities, store, known, openings, settings, leases, repeats, ledger, back_ends };
    Ok((Arc::new(service), directories))
}

/// The mail here.
fn open_store(maildir: maildir::Settings) -> anyhow::Result<Arc<Store>> {
    let store = Arc::new(Store::new(maildir).map_err(|fault| anyhow!("{fault}"))?);
    if let Err(fault) = store.note_time() {
        tracing::error!(name: "no_mail_removed_by_age", reason = fault.to_string(), "no mail is removed by age");
    }
    Ok(store)
}

/// Serves the admin socket and the admin HTTP listener, where they are configured. The files of Unix sockets are removed
/// when the tasks end.
fn serve_administrators(
    tasks: &mut Tasks,
    admin: Option<AdminSocket>,
    http: Option<HttpListener>,
    service: &Service,
    directories: &[Directory],
) {
    let (ledger, identities) = (service.ledger.clone(), service.identities.clone());
    let (directories, back_ends) = (directories.to_vec(), service.back_ends.clone());
    let view = Arc::new(ServiceView { ledger, identities, directories, back_ends });
    if let Some(admin) = admin.map(Arc::new) {
        let view = view.clone();
        tasks.keep_running("admin socket", move || {
            let (admin, view) = (admin.clone(), view.clone());
            async move {
                if let Err(fault) = admin.serve(view).await {
                    tracing::error!(
                        name: "admin_socket_takes_no_commands",
                        reason = fault.to_string(),
                        "the admin socket takes no commands"
                    );
                }
            }
        });
    }
    if let Some(http) = http.map(Arc::new) {
        tasks.keep_running("admin HTTP listener", move || {
            let (http, view) = (http.clone(), view.clone());
            async move {
                if let Err(fault) = http.serve(view).await {
                    tracing::error!(
                        name: "admin_http_answers_no_requests",
                        reason = fault.to_string(),
                        "the admin HTTP listener answers no requests"
                    );
                }
            }
        });
    }
}

/// Logs at the start whether a directory answers; the service starts in either case.
fn probe(directory: Directory) {
    tokio::spawn(async move {
        let name = directory.settings().name.to_string();
        match directory.probe().await {
            Ok(()) => tracing::info!(name: "directory_answers", directory = name, "the directory answers"),
            Err(fault) => {
                tracing::error!(
                    name: "nobody_can_log_in",
                    directory = name, reason = fault.to_string(),
                    "nobody can log in until this is fixed"
                );
            }
        }
    });
}

/// Warns at the start if nobody is found, or if people's paths probably do not lead to their mail: each login would
/// see an empty mailbox. The maildrops are remembered, so that a renamed person is noticed. Without an answer of every
/// directory nothing is known, and [`probe`] has logged that.
async fn compare_mail(directories: Vec<Directory>, settings: identity::Settings, service: Arc<Service>) {
    let mut samples = Vec::new();
    for directory in &directories {
        let Ok(sample) = audit::sample(directory, &settings).await else { return };
        if sample.people.is_empty() {
            let of = directory.settings();
            let (name, base, filter) = (&*of.name, of.base.as_str(), &*of.filter);
            tracing::warn!(
                name: "no_people_found",
                directory = name,
                base,
                filter,
                "no people found, so nobody can log in: see `restante check`"
            );
        }
        for person in sample.here() {
            if let Ok(maildrop) = &person.maildrop {
                service.known.note(&person.id, &person.canonical_name, maildrop);
            }
        }
        samples.push(sample);
    }
    let Some(store) = service.store.clone() else { return };
    let compare = move || Coverage::compare(&store, &settings.root, &samples, directories.len());
    let Ok(mail) = tokio::task::spawn_blocking(compare).await else { return };
    match mail.doubt() {
        Some(doubt) => tracing::warn!(
            name: "mail_paths_doubtful",
            people = mail.people(), with_maildir = mail.with_maildir(),
            "{doubt}"
        ),
        None if mail.is_empty() => {
            let note = mail.note().unwrap_or_default();
            tracing::warn!(name: "no_maildirs_found", people = mail.people(), with_maildir = 0, "{note}");
        }
        None => tracing::info!(
            name: "mail_paths_checked",
            people = mail.people(),
            with_maildir = mail.with_maildir(),
            "mail paths checked for some people"
        ),
    }
}

/// Keeps the connections to a directory alive, so that logins find them open.
fn keep_alive(tasks: &mut Tasks, directory: &Directory) {
    let (name, directory) = (format!("keep-alive of {}", directory.settings().name), directory.clone());
    tasks.keep_running(name, move || {
        let directory = directory.clone();
        async move { directory.maintain().await }
    });
}

/// Follows a directory, where that is configured.
fn follow(tasks: &mut Tasks, directory: Directory, identities: &Arc<IdentityMap>) {
    if !directory.settings().follow {
        return;
    }
    let (identities, mut is_first) = (identities.clone(), true);
    tasks.keep_running(format!("follower of {}", directory.settings().name), move || {
        let (directory, identities, name) = (directory.clone(), identities.clone(), directory.settings().name.clone());
        if !std::mem::take(&mut is_first) {
            identities.on_directory_change(&name, Change::Lost("the follower had ended".to_owned()));
        }
        async move { directory.follow(move |change| identities.on_directory_change(&name, change)).await }
    });
}

/// How late the log may be with the end of a lock-out, or with a sum.
const LATE: Duration = Duration::from_secs(1);

/// Logs lock-outs that end, and sums, even while nobody logs in.
fn log_periodically(tasks: &mut Tasks, service: Arc<Service>) {
    tasks.keep_running("end of lock-outs, and sums for the log", move || {
        let service = service.clone();
        async move {
            let mut ticks = interval(LATE);
            loop {
                ticks.tick().await;
                service.identities.end_lock_outs();
                service.repeats.log_sums();
            }
        }
    });
}

/// Completes at SIGTERM or SIGINT. SIGHUP, which would end the process by default, is only logged.
fn ending() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hang_up.recv() => tracing::warn!(
                    name: "sighup_ignored",
                    "SIGHUP ignored: the configuration is read at the start only; restart to apply changes"
                ),
            }
        }
    })
}
