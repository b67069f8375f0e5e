//! The server: listeners, certificates, limits, an orderly end.

mod certificates;
mod settings;

pub use certificates::Certificates;
pub use settings::{Limits, Listener, LoginWithoutTls, Settings, Tls};
