//! `landlock`: the paths that the running service may reach are those that the file names.

use super::effective;
use super::paths::Base;
use super::section::Section;
use super::tree::{Node, NodeKind};
use crate::confinement;
use crate::maildir;

/// The settings of the confinement, without the configuration file itself.
pub(super) fn read(root: &Section<'_>, tree: &Node, base: &Base, mail: &maildir::Settings) -> confinement::Settings {
    let is_on = root.word("landlock", true, &[("on", true), ("off", false)]);
    let mut settings = confinement::Settings { is_on, mail: vec![mail.root.clone()], ..Default::default() };
    gather(tree, "", base, &mut settings);
    settings
}

/// The paths anywhere in a tree. The last part of a key says what is at its path.
fn gather(node: &Node, key: &str, base: &Base, to: &mut confinement::Settings) {
    match &node.kind {
        NodeKind::String(text) if effective::is_path(key) => {
            let kind = key.rsplit('.').next().unwrap_or_default();
            let (text, list) = match (kind, text.value.strip_prefix("unix:")) {
                ("http", None) => return,
                ("http", Some(socket)) => (socket, &mut to.sockets),
                ("socket", _) => (&*text.value, &mut to.sockets),
                ("root", _) => (&*text.value, &mut to.mail),
                _ => (&*text.value, &mut to.files),
            };
            if let Ok(path) = base.resolve(text)
                && !list.contains(&path)
            {
                list.push(path);
            }
        }
        NodeKind::List(items) => items.iter().for_each(|item| gather(item, key, base, to)),
        NodeKind::Map(pairs) => {
            for (name, value) in pairs {
                let own = if key.is_empty() { name.name.clone() } else { format!("{key}.{}", name.name) };
                gather(value, &own, base, to);
            }
        }
        _ => {}
    }
}
