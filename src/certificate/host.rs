//! Whether a certificate is for a host name.

/// How well a certificate's names fit a host, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostMatch {
    /// One of them is the host's.
    Exact,
    /// A wildcard covers it.
    Wildcard,
    /// None is.
    None,
}

/// How well names fit a host; both in lower case.
#[must_use]
pub fn host_match(names: &[String], host: &str) -> HostMatch {
    let is_among = |name: &str| names.iter().any(|own| own == name);
    if is_among(host) {
        return HostMatch::Exact;
    }
    // A wildcard stands for exactly one label (RFC 6125 §6.4.3).
    let wildcard = host.split_once('.').map(|(_, rest)| format!("*.{rest}"));
    if wildcard.is_some_and(|pattern| is_among(&pattern)) { HostMatch::Wildcard } else { HostMatch::None }
}
