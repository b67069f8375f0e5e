//! The effective configuration: what a file sets, and the defaults of everything else, as the reference lists them.
//!
//! Secrets are in files of their own, so that nothing has to be left out but their content.

use super::paths::{self, Base};
use super::tree::{Node, NodeKind};
use super::values;
use super::yaml::Value;

/// The reference: every key at its default; a test compares both.
pub(super) const REFERENCE: &str = include_str!("../../config/restante.yaml");

/// Keys that have an example in the reference and no default.
const WITHOUT_DEFAULT: [&str; 9] = [
    "directories",
    "directories.base",
    "directories.bind",
    "directories.urls",
    "listeners.address",
    "listeners.tls",
    "tls.certificates",
    "tls.certificates.chain",
    "tls.certificates.key",
];

/// Keys whose values are paths.
const PATHS: [&str; 17] = [
    "admin.socket",
    "directories.bind.password_file",
    "directories.ca",
    "mailboxes.root",
    "relay.hosts.account_password_file",
    "relay.hosts.ca",
    "relay.hosts.certificate",
    "relay.hosts.key",
    "sasl_service.socket",
    "scram.key_file",
    "socketmap.socket",
    "tls.certificates.chain",
    "tls.certificates.key",
    "tls.client_ca",
    "tls.crls",
    "tokens.keys",
    "uidl.lists.root",
];

/// Whether the value of a key is a path, or may be one.
pub(super) fn is_path(key: &str) -> bool {
    PATHS.contains(&key) || key == "admin.http"
}

/// How much of the configuration is wanted, and what its paths are relative to.
pub(super) struct Effective<'b> {
    pub(super) all: bool,
    pub(super) base: &'b Base,
    /// Without a mail root, which is then no default, everybody's mail is at other hosts.
    pub(super) relays: bool,
}

impl Effective<'_> {
    /// The values of a file that differ from their defaults, or all values.
    pub(super) fn of(&self, file: &Node, reference: &Node) -> Value {
        self.mapping(Some(file), Some(reference), "")
    }

    /// The keys of a section. Those of an item of a list are compared with the first item of the reference's list.
    fn mapping(&self, file: Option<&Node>, reference: Option<&Node>, path: &str) -> Value {
        let known = reference.and_then(Node::pairs).unwrap_or_default().iter().map(|(key, _)| key.name.as_str());
        let own = file.and_then(Node::pairs).unwrap_or_default().iter().map(|(key, _)| key.name.as_str());
        let further: Vec<&str> = own.filter(|own| known.clone().all(|known| known != *own)).collect();
        let mut pairs = Vec::new();
        for key in known.chain(further) {
            let own = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            let default = reference
                .and_then(|node| child(node, key))
                .filter(|_| !(is_implied(file, &own) || self.relays && own == "mailboxes.root"));
            let value = self.value(file.and_then(|node| child(node, key)), default, &own);
            pairs.extend(value.map(|value| (key.to_owned(), value)));
        }
        Value::Map(pairs)
    }

    /// The value of a key; none if it is left out.
    fn value(&self, file: Option<&Node>, default: Option<&Node>, path: &str) -> Option<Value> {
        let has_default = !WITHOUT_DEFAULT.contains(&path);
        match (file.filter(|node| !is_null(node)), default) {
            (None, Some(default)) if self.all && has_default && is_list_of_maps(default) => {
                Some(self.items(default, Some(default), path))
            }
            (None, Some(default)) if self.all && has_default => Some(self.plain(default, path)),
            (None, _) => None,
            (Some(file), default) if is_map(file) && default.is_none_or(is_map) && has_default => {
                let value = self.mapping(Some(file), default, path);
                Some(value).filter(|value| self.all || !matches!(value, Value::Map(pairs) if pairs.is_empty()))
            }
            (Some(file), default) if is_list_of_maps(file) => Some(self.items(file, default, path)),
            (Some(file), Some(default)) if !self.all && has_default && is_same(file, default) => None,
            (Some(file), _) => Some(self.plain(file, path)),
        }
    }

    fn items(&self, file: &Node, default: Option<&Node>, path: &str) -> Value {
        let template = default.and_then(|default| items(default).first());
        Value::List(items(file).iter().map(|item| self.mapping(Some(item), template, path)).collect())
    }

    /// A value as it is, but paths in full.
    fn plain(&self, node: &Node, path: &str) -> Value {
        match &node.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Scalar(value.to_string()),
            NodeKind::Number(number) => Value::Scalar(number.clone()),
            NodeKind::String(text) => Value::Text(self.text(&text.value, path)),
            NodeKind::List(items) => Value::List(items.iter().map(|item| self.plain(item, path)).collect()),
            NodeKind::Map(pairs) => {
                let pair = |key: &str, value| (key.to_owned(), self.plain(value, &format!("{path}.{key}")));
                Value::Map(pairs.iter().map(|(key, value)| pair(&key.name, value)).collect())
            }
        }
    }

    fn text(&self, text: &str, path: &str) -> String {
        // An address, or the path of a Unix socket.
        let socket = text.strip_prefix("unix:").filter(|_| path == "admin.http");
        let (kind, file) = socket.map_or(("", text), |socket| ("unix:", socket));
        let is_path = socket.is_some() || (PATHS.contains(&path) && paths::credential(text).is_none());
        let full = is_path.then(|| self.base.resolve(file).ok()).flatten();
        full.map_or_else(|| text.to_owned(), |path| format!("{kind}{}", path.to_string_lossy()))
    }
}

/// Whether sessions are passed on to other hosts.
pub(super) fn lists_hosts(file: &Node) -> bool {
    child(file, "relay").and_then(|relay| child(relay, "hosts")).is_some_and(|hosts| !items(hosts).is_empty())
}

/// Whether the default of a key depends on another key of its section, so that writing the usual one would change it.
fn is_implied(section: Option<&Node>, path: &str) -> bool {
    let is = |key: &str, value: &str| {
        let written = section.and_then(|section| child(section, key)).map(|node| &node.kind);
        matches!(written, Some(NodeKind::String(text)) if text.value == value)
    };
    match path {
        // It counts as `refuse` there.
        "listeners.login_without_tls" => is("client_certificate", "required"),
        "directories.attributes" => is("schema", "active_directory") || is("schema", "posix"),
        _ => false,
    }
}

/// Whether two values mean the same: `60s` is `1m`.
fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (NodeKind::Null, NodeKind::Null) => true,
        (NodeKind::Bool(one), NodeKind::Bool(other)) => one == other,
        (NodeKind::List(one), NodeKind::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        _ => match (written(one), written(other)) {
            (Some(one), Some(other)) => one == other || values::is_same_measure(one, other),
            _ => false,
        },
    }
}

fn written(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Number(number) => Some(number),
        NodeKind::String(text) => Some(&text.value),
        _ => None,
    }
}

fn child<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.pairs()?.iter().find(|(found, _)| found.name == key).map(|(_, value)| value)
}

fn items(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::List(items) => items,
        _ => &[],
    }
}

fn is_null(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Null)
}

fn is_map(node: &Node) -> bool {
    node.pairs().is_some()
}

fn is_list_of_maps(node: &Node) -> bool {
    items(node).first().is_some_and(is_map)
}
