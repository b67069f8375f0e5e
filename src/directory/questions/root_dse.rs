//! What a server says about itself (RFC 4512 §5.1): who made it, and which trees it holds.

use crate::directory::entries::generalized;
use crate::directory::fault::Fault;
use crate::directory::ldap::{Question, Searcher};
use crate::names::Dn;

/// Whose server it is, as far as the root DSE shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerVendor {
    /// `OpenLDAP`'s slapd.
    OpenLdap,
    /// 389 Directory Server and its kin.
    Directory389,
    /// Active Directory, or Samba in its place.
    ActiveDirectory,
    /// Another one; the name that it gives itself, if it does.
    Other(Option<String>),
}

/// The root DSE, as far as it matters here. An attribute that may not be read is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootDse {
    /// Whose server it is.
    pub vendor: ServerVendor,
    /// The trees that may hold people: without those of schema, configuration and monitoring.
    pub naming_contexts: Vec<Dn>,
    /// The server's time when it answered, in seconds since 1970. Active Directory says it.
    pub current_time: Option<i64>,
    controls: Vec<String>,
}

/// The capability of Active Directory ([MS-ADTS] §3.1.1.3.4.3.1).
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";

/// The Sync Request control (RFC 4533 §2.2).
const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";

/// The control of paged results (RFC 2696 §2).
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

const ATTRIBUTES: [&str; 7] = [
    "currentTime",
    "namingContexts",
    "defaultNamingContext",
    "supportedControl",
    "supportedCapabilities",
    "vendorName",
    "objectClass",
];

impl RootDse {
    /// One that shows nothing but whose server it is.
    #[must_use]
    pub fn of_vendor(vendor: ServerVendor) -> Self {
        Self { vendor, naming_contexts: Vec::new(), current_time: None, controls: Vec::new() }
    }

    /// Whether the server offers content synchronisation (RFC 4533).
    #[must_use]
    pub fn offers_synchronisation(&self) -> bool {
        self.has_control(SYNC_REQUEST)
    }

    /// Whether the server offers paged results (RFC 2696).
    #[must_use]
    pub fn offers_pages(&self) -> bool {
        self.has_control(PAGED_RESULTS)
    }

    fn has_control(&self, control: &str) -> bool {
        self.controls.iter().any(|own| own == control)
    }
}

impl std::fmt::Display for ServerVendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OpenLdap => "OpenLDAP",
            Self::Directory389 => "389 Directory Server",
            Self::ActiveDirectory => "Active Directory",
            Self::Other(Some(name)) => name,
            Self::Other(None) => "a server that does not name its vendor",
        })
    }
}

/// Reads the root DSE; none if the server shows none.
pub(crate) async fn root_dse(searcher: &Searcher) -> Result<Option<RootDse>, Fault> {
    let entry = searcher.ask_for_one(&Question::read("", "(objectClass=*)", &ATTRIBUTES)).await?;
    Ok(entry.map(|entry| {
        let values = |name: &str| entry.values(name).to_vec();
        let is_active_directory = values("supportedCapabilities").iter().any(|own| own == ACTIVE_DIRECTORY);
        let vendor_name = values("vendorName").into_iter().next();
        let is_open_ldap = values("objectClass").iter().any(|class| class.eq_ignore_ascii_case("OpenLDAProotDSE"));
        let vendor = match vendor_name {
            _ if is_active_directory => ServerVendor::ActiveDirectory,
            _ if is_open_ldap => ServerVendor::OpenLdap,
            Some(name) if name.starts_with("389 ") => ServerVendor::Directory389,
            other => ServerVendor::Other(other),
        };
        // Active Directory's other contexts hold its configuration, schema and zones.
        let named = match values("defaultNamingContext") {
            default if is_active_directory && !default.is_empty() => default,
            _ => values("namingContexts"),
        };
        let naming_contexts = named.iter().filter_map(|text| Dn::parse(text)).filter(may_hold_people).collect();
        let current_time = values("currentTime").first().and_then(|text| generalized(text));
        RootDse { vendor, naming_contexts, current_time, controls: values("supportedControl") }
    }))
}

/// `cn=config`, `cn=changelog`, `cn=monitor` and `o=NetscapeRoot` are the server's own.
fn may_hold_people(context: &Dn) -> bool {
    let [only] = context.rdns() else { return true };
    only.value_of("cn").is_none() && !only.value_of("o").is_some_and(|name| name.eq_ignore_ascii_case("NetscapeRoot"))
}
