//! The parts of a configuration file that can be read without any other file: for commands that only talk to the running
//! service, and to determine which user reads the rest.

use std::collections::BTreeSet;
use std::path::Path;

use super::paths::{self, Base};
use super::section::{Findings, Section};
use super::tree::{Node, NodeKind};
use super::{Faults, admin, file};
use crate::admin as admin_socket;

/// The user of the service, and its systemd credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// `user`: the user that the service becomes if started as root.
    pub user: Option<String>,
    /// The names of the unit's credentials that appear in paths, each once.
    pub credentials: Vec<String>,
}

/// Reads `user` and the credentials; everything else is neither read nor checked.
///
/// # Errors
/// The file cannot be read, or `user` is wrong.
pub fn outline(file: &Path) -> Result<Outline, Faults> {
    of_tree(file, |root, tree| {
        let mut credentials = BTreeSet::new();
        gather_credentials(tree, &mut credentials);
        let user = root.text("user").map(str::to_owned);
        Outline { user, credentials: credentials.into_iter().map(str::to_owned).collect() }
    })
}

/// Reads the admin socket; everything else is neither read nor checked: whoever sends commands need not be able to read
/// keys and passwords. None if there is no socket.
///
/// # Errors
/// The file cannot be read, or `admin` is wrong.
pub fn admin_settings(file: &Path) -> Result<Option<admin_socket::Settings>, Faults> {
    of_tree(file, |root, _| admin::read(root, &Base::of(file)))
}

fn of_tree<T>(file: &Path, read: impl FnOnce(&Section<'_>, &Node) -> T) -> Result<T, Faults> {
    let tree = file::read(file).map_err(|fault| Faults::new(file, vec![fault]))?;
    let findings = Findings::default();
    let found = read(&Section::root(&tree, &findings), &tree);
    let faults = findings.into_faults();
    if faults.is_empty() { Ok(found) } else { Err(Faults::new(file, faults)) }
}

/// The credentials of texts anywhere in a tree.
fn gather_credentials<'n>(node: &'n Node, found: &mut BTreeSet<&'n str>) {
    match &node.kind {
        NodeKind::String(text) => found.extend(paths::credential(&text.value)),
        NodeKind::List(items) => items.iter().for_each(|item| gather_credentials(item, found)),
        NodeKind::Map(pairs) => pairs.iter().for_each(|(_, value)| gather_credentials(value, found)),
        _ => {}
    }
}
