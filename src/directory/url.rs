//! The address of an LDAP server.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

/// The address of one LDAP server: `ldap://host[:389]`, `ldaps://host[:636]` or `ldapi://%2Fpath%2Fto%2Fsocket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LdapUrl {
    /// LDAP over TCP; `tls` distinguishes `ldaps` (TLS from the first octet) from `ldap`.
    Tcp {
        /// TLS from the first octet.
        tls: bool,
        /// Name or address, an IPv6 address without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// LDAP over a local socket.
    Local(PathBuf),
}

impl LdapUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// A sentence: what is wrong, and what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| format!("\"{text}\" is no LDAP URL; expected ldaps://ldap.example.org"))?;
        match scheme.to_ascii_lowercase().as_str() {
            "ldap" => tcp(rest, false, 389),
            "ldaps" => tcp(rest, true, 636),
            "ldapi" => local(rest),
            _ => Err(format!("\"{scheme}\" is no LDAP scheme; expected ldap, ldaps or ldapi")),
        }
    }

    /// Whether what is sent there stays on this machine: a local socket, a loopback address, or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Tcp { host, .. } => {
                host.eq_ignore_ascii_case("localhost")
                    || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }

    /// Whether the connection is under TLS from its first octet.
    #[must_use]
    pub fn is_ldaps(&self) -> bool {
        matches!(self, Self::Tcp { tls: true, .. })
    }
}

impl fmt::Display for LdapUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { tls, host, port } => {
                let scheme = if *tls { "ldaps" } else { "ldap" };
                let (open, close) = if host.parse::<Ipv6Addr>().is_ok() { ("[", "]") } else { ("", "") };
                write!(f, "{scheme}://{open}{host}{close}:{port}")
            }
            Self::Local(path) => write!(f, "ldapi://{}", path.display().to_string().replace('/', "%2F")),
        }
    }
}

fn tcp(rest: &str, tls: bool, default_port: u16) -> Result<LdapUrl, String> {
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@']) {
        return Err(format!("\"{rest}\" contains more than host and port; base and filter have keys of their own"));
    }
    let (host, port) = split_port(authority)?;
    if host.is_empty() {
        return Err("the URL names no host; expected ldaps://ldap.example.org".to_owned());
    }
    if tls && host.parse::<Ipv6Addr>().is_ok() {
        return Err("ldaps:// needs the host name in the server's certificate, not an IPv6 address".to_owned());
    }
    Ok(LdapUrl::Tcp { tls, host: host.to_owned(), port: port.unwrap_or(default_port) })
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("the bracket of the IPv6 address is not closed")?;
            host.parse::<Ipv6Addr>().map_err(|_| format!("\"{host}\" is not an IPv6 address"))?;
            (host, port.strip_prefix(':'))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let Some(port) = port else { return Ok((host, None)) };
    port.parse().map(|port| (host, Some(port))).map_err(|_| format!("\"{port}\" is not a port; expected 1 to 65535"))
}

fn local(rest: &str) -> Result<LdapUrl, String> {
    let path = rest.replace("%2F", "/").replace("%2f", "/");
    if !path.starts_with('/') || path.contains('%') {
        return Err(
            "ldapi:// needs the path of the socket with each / written as %2F, such as ldapi://%2Frun%2Fslapd%2Fldapi"
                .to_owned(),
        );
    }
    Ok(LdapUrl::Local(PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (text, canonical) in [
            ("ldap://ldap.example.org", "ldap://ldap.example.org:389"),
            ("LDAPS://ldap.example.org:1636/", "ldaps://ldap.example.org:1636"),
            ("ldap://[::1]:3890", "ldap://[::1]:3890"),
            ("ldapi://%2Frun%2Fslapd%2Fldapi", "ldapi://%2Frun%2Fslapd%2Fldapi"),
        ] {
            let url = LdapUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), canonical);
            assert_eq!(LdapUrl::parse(canonical), Ok(url));
        }
    }

    #[test]
    fn rejects_urls_that_the_library_cannot_use() {
        let wrong = [
            "ldap:///",
            "ldap:foo",
            "ldap://",
            "http://x",
            "ldap://x/dc=y",
            "ldap://x:0x",
            "ldaps://[::1]",
            "ldapi://run",
            "ldap://[::1",
        ];
        for text in wrong {
            assert!(LdapUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn recognizes_addresses_of_this_machine() {
        for (text, loopback) in [
            ("ldap://127.0.0.1:3890", true),
            ("ldap://localhost", true),
            ("ldap://[::1]", true),
            ("ldapi://%2Fx", true),
            ("ldap://ldap.example.org", false),
            ("ldap://10.0.0.1", false),
        ] {
            assert_eq!(LdapUrl::parse(text).unwrap().is_loopback(), loopback, "{text}");
        }
    }
}
