//! `restante serve`: the service, in the foreground.
//!
//! | file | content |
//! |---|---|
//! | `running` | the running service; **what becomes of it when the configuration is read again** |
//! | `parts` | what the service is made of, at the start and after a reload |
//! | `background` | the tasks beside the listeners |
//! | `restart` | what is read at the start only |
//! | `first_look` | what is logged about directories and mail when they come into force |

mod background;
mod first_look;
mod parts;
mod restart;
mod running;

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::running::RunningService;
use super::mta_sockets::HandedOverToMta;
use super::{ExitStatus, load, report_error, service_manager};
use crate::admin::{AdminSocket, HttpListener, ReloadRequests, RequestedReloads, RunningConfiguration, Startup};
use crate::config::{self, Configuration};
use crate::confinement::{Confinement, ConfinementLevel};
use crate::connection::{BLOCKING_THREADS, kernel_reports_delivery};
use crate::logging::{self, Log};
use crate::server::{HandedOverSockets, Server, become_user, is_root, keep_free_memory, raise_descriptor_limit};

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
    match start(configuration, file, &log) {
        Ok(()) => ExitStatus::Success,
        Err(fault) => {
            tracing::error!(name: "cannot_serve", reason = format!("{fault:#}"), "cannot serve");
            ExitStatus::ProblemFound
        }
    }
}

/// Binds ports, then becomes the configured user, confines itself, and only then starts threads: a thread that is started
/// before has the old rights.
fn start(configuration: Configuration, file: &Path, log: &Log) -> anyhow::Result<()> {
    keep_free_memory();
    let running = running_configuration(file, &configuration)?;
    let descriptors = raise_descriptor_limit();
    let all = |faults: Vec<String>| anyhow!("{}", faults.join("; "));
    let mut handed_over = HandedOverSockets::take().map_err(all)?;
    let for_mta = HandedOverToMta::take(&configuration.mta, &mut handed_over);
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
    let confinement = Confinement::enforce(&configuration.confinement);
    report_confinement(&confinement);
    log.gather().context("cannot start threads")?;
    tracing::info!(name: "starting", version = env!("CARGO_PKG_VERSION"), descriptors, "starting");
    let startup = Startup { configuration: running, confinement };
    run_with(server, for_mta, configuration, startup, (file, log))
}

/// What the running service reports about its configuration.
pub(super) fn running_configuration(
    file: &Path,
    configuration: &Configuration,
) -> anyhow::Result<RunningConfiguration> {
    let file = std::path::absolute(file)?;
    let again = file.clone();
    let read_again = Box::new(move || config::keys(&again).map_err(Into::into));
    Ok(RunningConfiguration::new(file, configuration.keys.clone(), read_again))
}

fn report_confinement(confinement: &Confinement) {
    let (enforced, reason) = (confinement.level().to_string(), confinement.reason());
    if confinement.level() == ConfinementLevel::None {
        tracing::warn!(
            name: "not_confined",
            reason,
            "not confined by Landlock: every file that the user may read can be reached"
        );
    } else {
        tracing::info!(
            name: "confined",
            enforced,
            reason,
            "confined by Landlock to the files that the configuration names"
        );
    }
}

/// Serves on bound ports until SIGTERM or SIGINT. At SIGHUP and at an administrator's command the file is read again.
pub(super) fn run(
    server: Server,
    configuration: Configuration,
    startup: Startup,
    read_again: (&Path, &Log),
) -> anyhow::Result<()> {
    run_with(server, HandedOverToMta::default(), configuration, startup, read_again)
}

fn run_with(
    server: Server,
    for_mta: HandedOverToMta,
    configuration: Configuration,
    startup: Startup,
    read_again: (&Path, &Log),
) -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime =
        runtime.enable_all().max_blocking_threads(BLOCKING_THREADS).build().context("cannot start threads")?;
    let admin = configuration.admin.as_ref().map(AdminSocket::bind).transpose().map_err(|fault| anyhow!(fault))?;
    let http = configuration.admin_http.as_ref().map(HttpListener::bind).transpose().map_err(|fault| anyhow!(fault))?;
    let mta = for_mta.bind(&configuration.mta).map_err(|fault| anyhow!(fault))?;
    let outcome = runtime.block_on(async {
        let (requests, requested) = ReloadRequests::channel();
        let (ending, hang_up) = (ending()?, signal(SignalKind::hangup())?);
        let mut service = RunningService::begin(configuration, server, (admin, http, mta), requests, startup).await?;
        service_manager::ready();
        let failed = serve_until(&mut service, ending, (requested, hang_up), read_again).await;
        service_manager::stopping();
        service.shut_down().await;
        failed.map_or(Ok(()), |reason| Err(anyhow!(reason)))
    });
    // A deletion requested by QUIT may still be running on its own thread.
    runtime.shutdown_timeout(FILE_CALL_GRACE);
    outcome
}

/// How long file calls may continue after the last session was closed.
const FILE_CALL_GRACE: Duration = Duration::from_secs(5);

/// Serves, and reloads where that is asked for, one after the other, until `ending` completes or a task cannot be restarted;
/// returns why it cannot.
async fn serve_until(
    service: &mut RunningService,
    ending: impl Future<Output = ()>,
    (mut requested, mut hang_up): (RequestedReloads, Signal),
    (file, log): (&Path, &Log),
) -> Option<String> {
    let mut ending = pin!(ending);
    loop {
        let asking = tokio::select! {
            () = &mut ending => return None,
            reason = service.failed() => return Some(reason),
            Some(()) = hang_up.recv() => None,
            Some(asking) = requested.recv() => Some(asking),
        };
        service_manager::reloading();
        let outcome = tokio::select! {
            () = &mut ending => return None,
            outcome = service.reload(file, log) => outcome,
        };
        service_manager::ready();
        // Whoever asked may have gone away.
        let _ = asking.map(|asking| asking.send(outcome));
    }
}

/// Completes at SIGTERM or SIGINT.
fn ending() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
