//! A subject's distinguished name as text (RFC 4514).

use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Attribute types with the names that directories know them by; others are written by number.
const NAMES: [(&str, &str); 12] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// The whole name; none if it is empty or one of its values is not valid text.
pub(super) fn text(name: &X509Name<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for rdn in name.iter() {
        let pairs = rdn.iter().map(pair).collect::<Option<Vec<_>>>()?;
        parts.push(pairs.join("+"));
    }
    // "… the output consists of the string encodings of each RelativeDistinguishedName in the RDNSequence …, starting
    // with the last element of the sequence and moving backwards toward the first." (RFC 4514 §2.1)
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join(","))
}

fn pair(pair: &AttributeTypeAndValue<'_>) -> Option<String> {
    let value = pair.as_str().ok()?;
    if value.is_empty() || value.chars().any(char::is_control) {
        return None;
    }
    let number = pair.attr_type().to_id_string();
    let name = NAMES.iter().find(|(known, _)| *known == number).map_or(number.as_str(), |(_, name)| name);
    Some(format!("{name}={}", escape(value)))
}

/// Escapes what RFC 4514 §2.4 requires to be escaped.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let last = value.len() - value.chars().next_back().map_or(0, char::len_utf8);
    for (at, character) in value.char_indices() {
        let is_special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\');
        if is_special || (at == 0 && matches!(character, ' ' | '#')) || (at == last && character == ' ') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
