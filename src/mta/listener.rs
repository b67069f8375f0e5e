//! A Unix socket, bound or handed over by the service manager, and its connections.

use std::io;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::settings::SocketSettings;
use crate::admin::SocketFile;

/// A listening socket. Its file is removed when it is dropped, unless the service manager made it.
#[derive(Debug)]
pub(super) enum MtaListener {
    Bound(SocketFile),
    HandedOver(UnixListener),
}

/// Connections at once; more of them wait. Postfix has one for each of its processes, 100 by default.
const AT_ONCE: usize = 1000;

/// How long to wait after an error that the next accept would meet again.
const PAUSE: Duration = Duration::from_millis(100);

impl MtaListener {
    /// Creates the socket's file for a key of the configuration, unless the socket was handed over.
    pub(super) fn bind(
        key: &'static str,
        settings: &SocketSettings,
        handed_over: Option<UnixListener>,
    ) -> Result<Self, String> {
        match handed_over {
            Some(listener) => Ok(Self::HandedOver(listener)),
            None => SocketFile::bind(key, &settings.path, settings.mode).map(Self::Bound),
        }
    }

    /// Serves each connection in a task of its own, for as long as it is polled.
    pub(super) async fn serve<Serving>(&self, serve: impl Fn(UnixStream) -> Serving) -> io::Result<()>
    where
        Serving: Future<Output = ()> + Send + 'static,
    {
        let socket = match self {
            Self::Bound(file) => &file.listener,
            Self::HandedOver(listener) => listener,
        };
        let listener = tokio::net::UnixListener::from_std(socket.try_clone()?)?;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while let Ok(place) = places.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((client, _)) => {
                    let serving = serve(client);
                    tokio::spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(fault) => {
                    tracing::warn!(
                        name: "mta_not_accepted",
                        reason = fault.to_string(),
                        "a connection of a mail transfer agent could not be accepted"
                    );
                    sleep(PAUSE).await;
                }
            }
        }
        Ok(())
    }
}
