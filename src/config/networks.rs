//! Lists of networks.

use super::section::Section;
use crate::server::AllowedNetwork;

/// The networks of a list, if there is one.
pub(super) fn networks(section: &Section<'_>, key: &str) -> Option<Vec<AllowedNetwork>> {
    let items = section.list(key)?;
    if items.is_empty() {
        let what = "an empty list rejects everybody; expected networks, or no such key";
        section.fault(key, section.place_of(key), what);
    }
    Some(items.iter().filter_map(|item| section.parsed_of(key, item, str::parse)).collect())
}
