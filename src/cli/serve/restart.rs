//! What the service reads at its start only, and the admin HTTP listener, of which one part is so.

use crate::admin::{self, HttpAddress, HttpListener};
use crate::config::Configuration;
use crate::logging::Format;
use crate::mta::MtaSettings;

/// Settings that cannot change while the service runs.
pub(super) struct StartSettings {
    user: Option<String>,
    admin: Option<admin::Settings>,
    mta: MtaSettings,
    is_confined: bool,
    format: Format,
}

/// What becomes of the admin HTTP listener.
pub(super) enum HttpChange {
    Kept,
    Replaced(Option<HttpListener>),
}

impl StartSettings {
    pub(super) fn of(configuration: &Configuration) -> Self {
        let Configuration { server, admin, mta, confinement, logging, .. } = configuration;
        let (user, admin, mta) = (server.user.clone(), admin.clone(), mta.clone());
        Self { user, admin, mta, is_confined: confinement.is_on, format: logging.format }
    }

    /// The keys that differ. `http`: where the admin HTTP listener is.
    pub(super) fn differences(&self, configuration: &Configuration, http: Option<&HttpAddress>) -> Vec<String> {
        let now = Self::of(configuration);
        let path = |start: &Self| start.admin.as_ref().map(|admin| admin.socket.clone());
        let mode = |start: &Self| start.admin.as_ref().map(|admin| admin.mode);
        let tables = |start: &Self| {
            let tables = start.mta.socketmap.as_ref();
            tables.map(|tables| (tables.socket.clone(), tables.recipient_delimiter.clone()))
        };
        let both_have = self.admin.is_some() && now.admin.is_some();
        let other_file_mode = match (http, &configuration.admin_http) {
            (Some(HttpAddress::Unix(path, mode)), Some(HttpAddress::Unix(now, mode_now))) => {
                path == now && mode != mode_now
            }
            _ => false,
        };
        let keys = [
            ("admin.mode", both_have && mode(self) != mode(&now) || other_file_mode),
            ("admin.socket", path(self) != path(&now)),
            ("landlock", self.is_confined != now.is_confined),
            ("log.format", self.format != now.format),
            ("sasl_service", self.mta.sasl != now.mta.sasl),
            ("socketmap", tables(self) != tables(&now)),
            ("user", self.user != now.user),
        ];
        keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key.to_owned()).collect()
    }
}

impl HttpChange {
    /// Binds the address if it is another one.
    ///
    /// # Errors
    /// See [`HttpListener::bind`].
    pub(super) fn prepare(before: Option<&HttpAddress>, now: Option<&HttpAddress>) -> Result<Self, String> {
        let is_same = match (before, now) {
            // The file of a socket keeps the mode with which it was made.
            (Some(HttpAddress::Unix(before, _)), Some(HttpAddress::Unix(now, _))) => before == now,
            (before, now) => before == now,
        };
        if is_same { Ok(Self::Kept) } else { Ok(Self::Replaced(now.map(HttpListener::bind).transpose()?)) }
    }
}
