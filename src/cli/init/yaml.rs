//! YAML as the new configuration is written.

/// A text in double quotes; every JSON text is one of YAML 1.2.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
