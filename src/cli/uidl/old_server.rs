//! The address of the old server, and how to connect to it.

use std::path::PathBuf;
use std::time::Duration;

use super::OldServerTls;
use crate::directory::trust;
use crate::remote::{self, Protection};

/// How long the old server may take to answer: a large maildrop that was not opened for a long time takes a while.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which certificates are accepted.
pub(super) enum Trust {
    /// One signed by an authority of this file, or that the system trusts.
    Authorities(Option<PathBuf>),
    Anybody,
}

/// Reads `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`.
pub(super) fn settings(host: &str, tls: OldServerTls, trusted: &Trust) -> anyhow::Result<remote::Settings> {
    let (host, port) = host_and_port(host)?;
    let config = || match trusted {
        Trust::Anybody => Ok(remote::trust_anybody()?),
        Trust::Authorities(ca) => trust(ca.as_deref()).map(|trust| trust.configuration()).map_err(anyhow::Error::msg),
    };
    let (protection, usual) = match tls {
        OldServerTls::Implicit => (Protection::Implicit(config()?), 995),
        OldServerTls::Starttls => (Protection::Stls(config()?), 110),
        OldServerTls::None => (Protection::Clear, 110),
    };
    Ok(remote::Settings { host, port: port.unwrap_or(usual), protection, patience: PATIENCE })
}

fn host_and_port(text: &str) -> anyhow::Result<(String, Option<u16>)> {
    let wrong =
        || anyhow::anyhow!("{text:?} is not a host; expected something like pop.example.org:995 or [2001:db8::1]:995");
    let (host, port) = match text.strip_prefix('[') {
        Some(inside) => {
            let (host, rest) = inside.split_once(']').ok_or_else(wrong)?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or_else(wrong)?) };
            (host, port)
        }
        // More than one colon is an IPv6 address without a port.
        None if text.matches(':').count() > 1 => (text, None),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(|port| port.parse().map_err(|_| wrong())).transpose()?;
    if host.is_empty() { Err(wrong()) } else { Ok((host.to_owned(), port)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_a_port() {
        for (text, host, port) in [
            ("pop.example.org", "pop.example.org", None),
            ("pop.example.org:1995", "pop.example.org", Some(1995)),
            ("192.0.2.1:110", "192.0.2.1", Some(110)),
            ("[2001:db8::1]:110", "2001:db8::1", Some(110)),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("2001:db8::1", "2001:db8::1", None),
        ] {
            assert_eq!(host_and_port(text).unwrap(), (host.to_owned(), port), "{text}");
        }
        for wrong in ["", ":110", "host:", "host:x", "host:70000", "[2001:db8::1", "[::1]110"] {
            assert!(host_and_port(wrong).is_err(), "{wrong}");
        }
    }
}
