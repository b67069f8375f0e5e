//! The directory: who is behind a name, and is this their password. LDAP is the one implementation.

mod settings;
mod trust;
mod url;

pub use settings::{Attributes, Limits, ServiceBind, Settings};
pub use trust::trust;
pub use url::LdapUrl;
