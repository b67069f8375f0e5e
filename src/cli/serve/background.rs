//! The tasks beside the listeners, in groups that are replaced together when the configuration is reloaded.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::interval;

use super::super::mta_sockets::MtaSockets;
use super::super::service_manager;
use crate::admin::{AdminSocket, HttpListener, ReloadRequests, ServiceView};
use crate::connection::Service;
use crate::current::Current;
use crate::directory::{Change, Directory};
use crate::tasks::Tasks;
use crate::token::Issuers;

/// The groups of tasks. Each is aborted when it is dropped.
#[derive(Default)]
pub(super) struct BackgroundTasks {
    /// They run as long as the service.
    lasting: Tasks,
    directories: Tasks,
    tokens: Tasks,
    http: Tasks,
}

/// How late the log may be with the end of a lock-out, or with a sum.
const LATE: Duration = Duration::from_secs(1);

impl BackgroundTasks {
    /// Starts what runs as long as the service.
    pub(super) fn begin(&mut self, current: Arc<Current<Service>>) {
        log_periodically(&mut self.lasting, current);
        service_manager::keep_alive(&mut self.lasting);
    }

    /// Serves the admin socket as long as the service runs. Its file is removed when the task ends.
    pub(super) fn serve_admin(&mut self, admin: AdminSocket, view: Arc<Current<ServiceView>>, reload: ReloadRequests) {
        let admin = Arc::new(admin);
        self.lasting.keep_running("admin socket", move || {
            let (admin, view, reload) = (admin.clone(), view.clone(), reload.clone());
            async move {
                if let Err(fault) = admin.serve(view, reload).await {
                    tracing::error!(
                        name: "admin_socket_takes_no_commands",
                        reason = fault.to_string(),
                        "the admin socket takes no commands"
                    );
                }
            }
        });
    }

    /// Answers mail transfer agents as long as the service runs.
    pub(super) fn serve_mta(&mut self, mta: MtaSockets, current: &Arc<Current<Service>>) {
        mta.serve(&mut self.lasting, current);
    }

    /// Replaces the admin HTTP listener. The file of a Unix socket is removed when the task ends.
    pub(super) async fn serve_http(&mut self, http: Option<HttpListener>, view: Arc<Current<ServiceView>>) {
        self.http.stop().await;
        let Some(http) = http.map(Arc::new) else { return };
        self.http.keep_running("admin HTTP listener", move || {
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

    /// Maintains and follows these directories, and no longer those before.
    pub(super) async fn tend(&mut self, directories: &[Directory], current: &Arc<Current<Service>>) {
        self.directories.stop().await;
        for directory in directories {
            keep_alive(&mut self.directories, directory);
            follow(&mut self.directories, directory.clone(), current.clone());
        }
    }

    /// Reads the keys of these issuers again when they change, and no longer those of the issuers before.
    pub(super) async fn reload_keys(&mut self, issuers: Option<Arc<Issuers>>) {
        self.tokens.stop().await;
        if let Some(issuers) = issuers {
            self.tokens.keep_running("token keys", move || issuers.clone().stay_current());
        }
    }

    /// See [`Tasks::poll_failed`].
    pub(super) fn poll_failed(&mut self, context: &mut Context<'_>) -> Poll<String> {
        for tasks in [&mut self.lasting, &mut self.directories, &mut self.tokens, &mut self.http] {
            if let Poll::Ready(reason) = tasks.poll_failed(context) {
                return Poll::Ready(reason);
            }
        }
        Poll::Pending
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
fn follow(tasks: &mut Tasks, directory: Directory, current: Arc<Current<Service>>) {
    if !directory.settings().follow {
        return;
    }
    let mut is_first = true;
    tasks.keep_running(format!("follower of {}", directory.settings().name), move || {
        let (directory, current, name) = (directory.clone(), current.clone(), directory.settings().name.clone());
        let report = move |change| current.get().identities.on_directory_change(&name, change);
        if !std::mem::take(&mut is_first) {
            report(Change::Lost("the follower had ended".to_owned()));
        }
        async move { directory.follow(report).await }
    });
}

/// Logs lock-outs that end, and sums, even while nobody logs in.
fn log_periodically(tasks: &mut Tasks, current: Arc<Current<Service>>) {
    tasks.keep_running("end of lock-outs, and sums for the log", move || {
        let current = current.clone();
        async move {
            let mut ticks = interval(LATE);
            loop {
                ticks.tick().await;
                let service = current.get();
                service.identities.end_lock_outs();
                service.repeats.log_sums();
            }
        }
    });
}
