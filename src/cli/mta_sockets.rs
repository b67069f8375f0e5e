//! The sockets on which mail transfer agents ask: bound or handed over, then served.

use std::os::unix::net::UnixListener;
use std::sync::Arc;

use crate::connection::Service;
use crate::current::Current;
use crate::mta::{MtaSettings, SaslService, SocketSettings, Socketmap};
use crate::server::HandedOverSockets;
use crate::tasks::Tasks;

/// Those that the service manager handed over.
#[derive(Default)]
pub(super) struct HandedOverToMta {
    sasl: Option<UnixListener>,
    socketmap: Option<UnixListener>,
}

/// Those that are bound.
pub(super) struct MtaSockets {
    sasl: Option<Arc<SaslService>>,
    socketmap: Option<Arc<Socketmap>>,
}

impl HandedOverToMta {
    /// Takes the sockets at the configured paths, before the rest is compared with the listeners.
    pub(super) fn take(settings: &MtaSettings, handed_over: &mut HandedOverSockets) -> Self {
        let mut take = |socket: Option<&SocketSettings>| socket.and_then(|socket| handed_over.take_unix(&socket.path));
        let sasl = take(settings.sasl.as_ref());
        Self { sasl, socketmap: take(settings.socketmap.as_ref().map(|tables| &tables.socket)) }
    }

    /// Creates the files of the other ones.
    pub(super) fn bind(self, settings: &MtaSettings) -> Result<MtaSockets, String> {
        let Self { sasl, socketmap } = self;
        let sasl = settings.sasl.as_ref().map(|settings| SaslService::bind(settings, sasl)).transpose()?;
        let socketmap = settings.socketmap.as_ref().map(|settings| Socketmap::bind(settings, socketmap)).transpose()?;
        Ok(MtaSockets { sasl: sasl.map(Arc::new), socketmap: socketmap.map(Arc::new) })
    }
}

impl MtaSockets {
    /// Serves them as long as the service runs. Files that were created are removed when the tasks end.
    pub(super) fn serve(self, tasks: &mut Tasks, service: &Arc<Current<Service>>) {
        if let Some(sasl) = self.sasl {
            let service = service.clone();
            tasks.keep_running("SASL service", move || {
                let (sasl, service) = (sasl.clone(), service.clone());
                async move { sasl.serve(service).await }
            });
        }
        if let Some(socketmap) = self.socketmap {
            let service = service.clone();
            tasks.keep_running("socketmap", move || {
                let (socketmap, service) = (socketmap.clone(), service.clone());
                async move { socketmap.serve(service).await }
            });
        }
    }
}
