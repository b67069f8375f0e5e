//! The commands of the admin socket.

use std::fmt;
use std::net::IpAddr;

use crate::identity::Flush;
use crate::names::{LoginName, LoginNameFault};

/// A command to the running service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminCommand {
    /// `flush`, `flush NAME`, `flush ADDRESS`: clear caches.
    Flush(Flush),
    /// `who`, `who PERSON`: list live sessions.
    Who(Option<String>),
    /// `kick PERSON`, `kick SESSION`: end sessions.
    Kick(String),
    /// `status`: the state of the service.
    Status,
    /// `configuration`: the configuration in use, key by key.
    Configuration,
    /// `reload`: read the configuration again.
    Reload,
}

/// Why a line is not a command: whoever sent it must correct it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandFault {
    /// There is no such command.
    Unknown(String),
    /// A network, where one address is expected.
    Network(String),
    /// Not a login name.
    Name(LoginNameFault),
    /// `kick` without a name.
    KickWithoutName,
    /// An argument, where none is expected.
    Surplus(String),
}

impl AdminCommand {
    /// Parses a line without its line end.
    ///
    /// # Errors
    /// See [`CommandFault`].
    pub fn parse(line: &str) -> Result<Self, CommandFault> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "flush" => flush_target(rest.trim()).map(Self::Flush),
            "who" => Ok(Self::Who(Some(rest.trim()).filter(|person| !person.is_empty()).map(str::to_owned))),
            "kick" if rest.trim().is_empty() => Err(CommandFault::KickWithoutName),
            "kick" => Ok(Self::Kick(rest.trim().to_owned())),
            "status" if rest.trim().is_empty() => Ok(Self::Status),
            "configuration" if rest.trim().is_empty() => Ok(Self::Configuration),
            "reload" if rest.trim().is_empty() => Ok(Self::Reload),
            "status" | "configuration" | "reload" => Err(CommandFault::Surplus(rest.trim().to_owned())),
            _ => Err(CommandFault::Unknown(word.to_owned())),
        }
    }
}

/// The argument of `flush`: nothing, an IP address, or else a name.
fn flush_target(text: &str) -> Result<Flush, CommandFault> {
    if text.is_empty() {
        return Ok(Flush::Everybody);
    }
    match text.parse::<IpAddr>() {
        // IPv4-mapped addresses are IPv4 everywhere.
        Ok(address) => Ok(Flush::Address(address.to_canonical())),
        Err(_) if is_network(text) => Err(CommandFault::Network(text.to_owned())),
        Err(_) => LoginName::new(text.as_bytes()).map(Flush::Person).map_err(CommandFault::Name),
    }
}

/// An address with a prefix length, such as 192.0.2.0/24.
fn is_network(text: &str) -> bool {
    let parts = text.split_once('/');
    parts.is_some_and(|(address, length)| address.parse::<IpAddr>().is_ok() && length.parse::<u8>().is_ok())
}

impl fmt::Display for CommandFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(word) => {
                write!(
                    f,
                    "\"{word}\" is an unknown command; expected flush, who, kick, status, configuration or reload"
                )
            }
            Self::Network(text) => {
                write!(f, "{text} is a network; expected one address, such as 192.0.2.7; nothing was dropped")
            }
            Self::Name(fault) => fault.fmt(f),
            Self::KickWithoutName => f.write_str("kick needs the canonical name of a person, or the id of a session"),
            Self::Surplus(text) => write!(f, "\"{text}\" is one argument too many; expected none"),
        }
    }
}

impl std::error::Error for CommandFault {}

impl fmt::Display for AdminCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flush(Flush::Everybody) => f.write_str("flush"),
            Self::Flush(Flush::Person(name)) => write!(f, "flush {name}"),
            Self::Flush(Flush::Address(address)) => write!(f, "flush {address}"),
            Self::Who(None) => f.write_str("who"),
            Self::Who(Some(person)) => write!(f, "who {person}"),
            Self::Kick(target) => write!(f, "kick {target}"),
            Self::Status => f.write_str("status"),
            Self::Configuration => f.write_str("configuration"),
            Self::Reload => f.write_str("reload"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let flushes = ["flush", "flush Alan Jones", "flush ajones", "flush 192.0.2.7", "flush 2001:db8::1"];
        for line in flushes.into_iter().chain([
            "who",
            "who Alan Jones",
            "kick Alan Jones",
            "kick 6a1b-17",
            "status",
            "configuration",
            "reload",
        ]) {
            assert_eq!(AdminCommand::parse(line).unwrap().to_string(), line);
        }
        assert_eq!(AdminCommand::parse("flush ::ffff:192.0.2.7").unwrap().to_string(), "flush 192.0.2.7");
        assert_eq!(AdminCommand::parse("flush ").unwrap(), AdminCommand::Flush(Flush::Everybody));
        assert!(AdminCommand::parse("flush a\u{7}b").unwrap_err().to_string().contains("control"));
        for network in ["192.0.2.0/24", "2001:db8::/64"] {
            assert!(
                AdminCommand::parse(&format!("flush {network}")).unwrap_err().to_string().contains("is a network"),
                "{network}"
            );
        }
        assert!(AdminCommand::parse("flush Alan Jones/Sales/24").is_ok(), "a hierarchical name");
        for (wrong, told) in
            [("halt", "halt"), ("kick", "needs the canonical name"), ("status x", "too many"), ("reload x", "too many")]
        {
            let fault = AdminCommand::parse(wrong).unwrap_err().to_string();
            assert!(fault.contains(told), "{fault}");
        }
        assert!(AdminCommand::parse("").is_err());
    }
}
