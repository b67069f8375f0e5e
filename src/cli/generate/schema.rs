//! The JSON Schema of the configuration, draft-07: what the YAML language server understands.
//!
//! It says which keys there are, which words and kinds of value they accept, and what the reference says about them. What
//! depends on other keys or on files, only `restante check` knows.

use serde_json::{Map, Value, json};

use crate::config::{KnownKey, ValueKind, introduction, known_keys};

/// The whole schema, as text.
pub(super) fn schema() -> String {
    let keys = known_keys();
    let mut root = object(&keys, "");
    if let Some(root) = root.as_object_mut() {
        root.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        root.insert("title".to_owned(), json!("Configuration of Restante"));
        root.insert("description".to_owned(), json!(introduction().join("\n").trim_end()));
    }
    format!("{root:#}\n")
}

/// A mapping of the keys directly below a path.
fn object(keys: &[KnownKey], path: &str) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for key in keys {
        let (parent, name) = key.path.rsplit_once('.').unwrap_or(("", &key.path));
        if parent != path {
            continue;
        }
        if key.is_required {
            required.push(name);
        }
        properties.insert(name.to_owned(), described(keys, key));
    }
    let mut object = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if let Some(object) = object.as_object_mut().filter(|_| !required.is_empty()) {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn described(keys: &[KnownKey], key: &KnownKey) -> Value {
    let mut value = value(keys, key);
    if let Some(value) = value.as_object_mut() {
        if !key.comment.is_empty() {
            value.insert("description".to_owned(), json!(key.comment.join("\n").trim_end()));
        }
        if let Some(default) = default(key) {
            value.insert("default".to_owned(), default);
        }
    }
    value
}

/// Any of the kinds; or nothing, which means the default, unless the key is required.
fn value(keys: &[KnownKey], key: &KnownKey) -> Value {
    let mut kinds: Vec<Value> = key.kinds.iter().map(|kind| of_kind(keys, &key.path, kind)).collect();
    if !key.is_required {
        kinds.push(json!({ "type": "null" }));
    }
    match <[Value; 1]>::try_from(kinds) {
        Ok([only]) => only,
        Err(kinds) => json!({ "anyOf": kinds }),
    }
}

fn of_kind(keys: &[KnownKey], path: &str, kind: &ValueKind) -> Value {
    match kind {
        ValueKind::Mapping => object(keys, path),
        ValueKind::MappingList => json!({ "type": "array", "items": object(keys, path) }),
        ValueKind::List(words) if words.is_empty() => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 } })
        }
        ValueKind::List(words) => json!({ "type": "array", "items": { "enum": words } }),
        ValueKind::Text => json!({ "type": "string", "minLength": 1 }),
        ValueKind::Word(words) => json!({ "enum": words }),
        ValueKind::Flag => json!({ "type": "boolean" }),
        ValueKind::Time => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }),
        // A number may be in quotes: bounds are for numbers, patterns for strings.
        ValueKind::Count(least, most) => {
            json!({ "type": ["integer", "string"], "minimum": least, "maximum": most, "pattern": "^[0-9]+$" })
        }
        ValueKind::Size(least, most) => {
            let pattern = "^[0-9]+(KiB|MiB|GiB)?$";
            json!({ "type": ["integer", "string"], "minimum": least, "maximum": most, "pattern": pattern })
        }
    }
}

/// The value in the reference, where that is the default and a scalar.
fn default(key: &KnownKey) -> Option<Value> {
    let written = key.written.as_str();
    if key.is_required || written.is_empty() || written.starts_with(['[', '{']) {
        return None;
    }
    let kind = key.kinds.iter().find(|kind| !matches!(kind, ValueKind::Mapping | ValueKind::MappingList))?;
    match kind {
        ValueKind::Flag => written.parse::<bool>().ok().map(Value::from),
        ValueKind::Count(..) | ValueKind::Size(..) => {
            Some(written.parse::<u64>().map_or_else(|_| json!(written), Value::from))
        }
        _ => Some(json!(written.trim_matches('"'))),
    }
}
