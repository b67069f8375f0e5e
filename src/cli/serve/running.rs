//! The running service, and what becomes of it when its configuration is read again.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::super::mta_sockets::MtaSockets;
use super::background::BackgroundTasks;
use super::first_look::{compare_mail, probe};
use super::parts::ServiceParts;
use super::restart::{HttpChange, StartSettings};
use crate::admin::{AdminSocket, HttpAddress, HttpListener, ReloadOutcome, ReloadRequests, ServiceView, Startup};
use crate::config::{self, Configuration};
use crate::confinement::ConfinementLevel;
use crate::connection::Service;
use crate::current::Current;
use crate::directory::Directory;
use crate::logging::Log;
use crate::server::{RunningServer, Server, ServerChange};

/// The service with everything that it is made of.
pub(super) struct RunningService {
    server: RunningServer,
    parts: ServiceParts,
    current: Arc<Current<Service>>,
    view: Arc<Current<ServiceView>>,
    tasks: BackgroundTasks,
    /// Where the admin HTTP listener is.
    http: Option<HttpAddress>,
    /// What was read at the start and cannot change since.
    start: StartSettings,
    startup: Arc<Startup>,
}

/// A change for which everything that can fail was done.
struct PreparedReload {
    configuration: Configuration,
    server: ServerChange,
    parts: ServiceParts,
    http: HttpChange,
}

impl RunningService {
    /// Begins to serve clients and administrators.
    pub(super) async fn begin(
        configuration: Configuration,
        server: Server,
        (admin, http, mta): (Option<AdminSocket>, Option<HttpListener>, MtaSockets),
        reload: ReloadRequests,
        startup: Startup,
    ) -> anyhow::Result<Self> {
        let parts = ServiceParts::new(&configuration)?;
        let current = Arc::new(Current::new(parts.service.clone()));
        let startup = Arc::new(startup);
        let view = Arc::new(Current::new(view_of(&parts, &startup)));
        let mut tasks = BackgroundTasks::default();
        if let Some(admin) = admin {
            tasks.serve_admin(admin, view.clone(), reload);
        }
        tasks.serve_http(http, view.clone()).await;
        tasks.tend(&parts.directories, &current).await;
        tasks.reload_keys(configuration.identity.tokens.clone()).await;
        tasks.serve_mta(mta, &current);
        tasks.begin(current.clone());
        let server = server.start(current.clone())?;
        let start = StartSettings::of(&configuration);
        look_at(&parts, &configuration);
        Ok(Self { server, parts, current, view, tasks, http: configuration.admin_http, start, startup })
    }

    /// Waits until a task cannot be restarted, and returns the reason.
    pub(super) async fn failed(&mut self) -> String {
        let of_server = self.server.failed();
        let of_others = poll_fn(|context| self.tasks.poll_failed(context));
        tokio::select! {
            reason = of_server => reason,
            reason = of_others => reason,
        }
    }

    /// Ends the service; see [`RunningServer::shut_down`].
    pub(super) async fn shut_down(self) {
        self.server.shut_down().await;
        self.parts.service.repeats.log_rest();
    }

    /// Reads the configuration, and the files that it names, again. It comes into force entirely or not at all, for new
    /// connections and new logins; what cannot change while the service runs is reported.
    pub(super) async fn reload(&mut self, file: &Path, log: &Log) -> ReloadOutcome {
        let path = file.to_owned();
        let outcome = match spawn_blocking(move || config::load(&path)).await {
            Ok(Ok(configuration)) => match self.prepare(configuration).await {
                Ok(prepared) => {
                    let level = prepared.configuration.logging.level;
                    let outcome = self.apply(prepared).await;
                    log_outcome(&outcome);
                    log.set_level(level);
                    return outcome;
                }
                Err(faults) => ReloadOutcome::Impossible(faults),
            },
            Ok(Err(faults)) => ReloadOutcome::Mistakes(self.explained(&faults.to_string())),
            Err(fault) => ReloadOutcome::Impossible(vec![fault.to_string()]),
        };
        log_outcome(&outcome);
        outcome
    }

    /// Mistakes, one for each line. The modes of a file that the process cannot reach may allow everything.
    fn explained(&self, faults: &str) -> Vec<String> {
        let mut lines: Vec<String> = faults.lines().map(str::to_owned).collect();
        let is_confined = self.startup.confinement.level() != ConfinementLevel::None;
        if is_confined && faults.contains("Permission denied") {
            lines.push(
                "the service is confined by Landlock: files outside the folders that it was started with need a restart"
                    .to_owned(),
            );
        }
        lines
    }

    /// Nothing that is in force changes here.
    async fn prepare(&self, configuration: Configuration) -> Result<PreparedReload, Vec<String>> {
        let mut wanted = configuration.confinement.clone();
        // The other sockets stay where they are until a restart.
        wanted
            .sockets
            .retain(|socket| matches!(&configuration.admin_http, Some(HttpAddress::Unix(path, _)) if path == socket));
        let out_of_reach = self.startup.confinement.out_of_reach(&wanted);
        if !out_of_reach.is_empty() {
            let fault = |path: &PathBuf| {
                format!(
                    "{}: the service is confined by Landlock and cannot reach it: restart the service",
                    path.display()
                )
            };
            return Err(out_of_reach.iter().map(fault).collect());
        }
        let http = HttpChange::prepare(self.http.as_ref(), configuration.admin_http.as_ref());
        let (http, of_http) = http.map_or_else(|fault| (HttpChange::Kept, Some(fault)), |http| (http, None));
        let server = match (self.server.prepare(&configuration.server), of_http) {
            (Ok(server), None) => server,
            (Ok(_), Some(fault)) => return Err(vec![fault]),
            (Err(faults), of_http) => return Err(faults.into_iter().chain(of_http).collect()),
        };
        let parts = self.parts.renewed(&configuration).await.map_err(|fault| vec![fault])?;
        Ok(PreparedReload { configuration, server, parts, http })
    }

    /// Nothing can fail here.
    async fn apply(&mut self, prepared: PreparedReload) -> ReloadOutcome {
        let PreparedReload { configuration, server, parts, http } = prepared;
        let same_directories = self.parts.has_directories(&configuration.directories);
        let same_people = parts.service.identities.shares_caches_with(&self.parts.service.identities);
        let mut needs_restart = self.start.differences(&configuration, self.http.as_ref());
        let running = &self.startup.configuration;
        let mut changed: Vec<String> =
            running.keys().differences(&configuration.keys).into_iter().map(str::to_owned).collect();
        changed.retain(|key| !needs_restart.iter().any(|other| key.starts_with(other.as_str())));
        note_files(&mut changed, "directories", !same_directories);
        note_files(&mut changed, "tls", server.replaces_tls());
        needs_restart.extend(server.needs_restart.iter().map(|what| format!("listeners: {what}")));
        self.current.replace(parts.service.clone());
        parts.service.identities.take_over();
        self.view.replace(view_of(&parts, &self.startup));
        self.server.apply(server).await;
        let before = std::mem::replace(&mut self.parts, parts);
        if !same_directories {
            self.tasks.tend(&self.parts.directories, &self.current).await;
            before.retire_directories(&self.parts.directories).await;
        }
        self.tasks.reload_keys(configuration.identity.tokens.clone()).await;
        if let HttpChange::Replaced(http) = http {
            self.tasks.serve_http(http, self.view.clone()).await;
            self.http.clone_from(&configuration.admin_http);
        }
        if !same_people || self.parts.maildir != before.maildir {
            look_at(&self.parts, &configuration);
        }
        self.startup.configuration.replace(configuration.keys);
        ReloadOutcome::Applied { changed, needs_restart }
    }
}

fn view_of(parts: &ServiceParts, startup: &Arc<Startup>) -> ServiceView {
    let (ledger, identities) = (parts.service.ledger.clone(), parts.service.identities.clone());
    let (directories, back_ends) = (parts.directories.clone(), parts.service.back_ends.clone());
    ServiceView { ledger, identities, directories, startup: startup.clone(), back_ends }
}

/// Looks at directories and mail, without anybody waiting for it.
fn look_at(parts: &ServiceParts, configuration: &Configuration) {
    let (directories, settings) = (parts.directories.clone(), configuration.identity.clone());
    directories.iter().cloned().for_each(|directory: Directory| probe(directory));
    tokio::spawn(compare_mail(directories, settings, parts.service.clone()));
}

/// If no key of a section has changed, but its meaning, then a file that it names has.
fn note_files(changed: &mut Vec<String>, section: &str, is_different: bool) {
    if is_different && !changed.iter().any(|key| key.starts_with(section)) {
        changed.push(format!("{section} (the content of a file)"));
    }
}

fn log_outcome(outcome: &ReloadOutcome) {
    match outcome {
        ReloadOutcome::Applied { changed, needs_restart } => {
            tracing::info!(name: "configuration_reloaded", changed = changed.join(", "), "configuration reloaded");
            for key in needs_restart {
                tracing::warn!(name: "restart_needed", key, "this change needs a restart of the service");
            }
        }
        ReloadOutcome::Mistakes(faults) | ReloadOutcome::Impossible(faults) => {
            for reason in faults {
                tracing::error!(
                    name: "configuration_rejected",
                    reason,
                    "configuration not reloaded: the previous one stays in force"
                );
            }
        }
    }
}
