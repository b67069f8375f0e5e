//! Which names may be sent to a host.

use std::fmt;

/// The separator between a person's name and a master user's, as Dovecot's documentation has it.
pub const SEPARATOR: char = '*';

/// A name with one of these would log in somebody else, or be a second command.
const LONGEST: usize = 200;

/// Why a name may not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNameFault {
    /// It is empty.
    Empty,
    /// It is longer than a command line allows.
    TooLong,
    /// It contains a control character, which would end the command.
    Control,
    /// It contains what separates a person's name from a master user's.
    Separator,
}

impl fmt::Display for UserNameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong => write!(f, "it has more than {LONGEST} octets"),
            Self::Control => f.write_str("it contains a control character"),
            Self::Separator => write!(f, "it contains {SEPARATOR:?}, which separates it from a master user's name"),
        }
    }
}

impl std::error::Error for UserNameFault {}

/// Checks a name before it is sent to any host. Names with `*` are refused at all of them: to a Dovecot with master users,
/// `ajones*relay` is the user `ajones`.
///
/// # Errors
/// See [`UserNameFault`].
pub fn check_user_name(name: &str) -> Result<(), UserNameFault> {
    match name {
        "" => Err(UserNameFault::Empty),
        name if name.len() > LONGEST => Err(UserNameFault::TooLong),
        name if name.chars().any(char::is_control) => Err(UserNameFault::Control),
        name if name.contains(SEPARATOR) => Err(UserNameFault::Separator),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_more_than_a_name_is_refused() {
        assert_eq!(check_user_name("Alan Jones@example.org"), Ok(()));
        assert_eq!(check_user_name("j\u{fc}rgen"), Ok(()));
        for (name, fault) in [
            ("", UserNameFault::Empty),
            ("a\r\nPASS x", UserNameFault::Control),
            ("a\0b", UserNameFault::Control),
            ("ajones*relay", UserNameFault::Separator),
        ] {
            assert_eq!(check_user_name(name), Err(fault), "{name:?}");
        }
        assert_eq!(check_user_name(&"x".repeat(201)), Err(UserNameFault::TooLong));
    }
}
