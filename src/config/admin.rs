//! `admin`: the socket on which the running service takes commands.

use super::paths::Base;
use super::section::Section;
use super::tree::quoted;
use crate::admin;

/// Only the service's own user.
const MODE: u32 = 0o600;

/// The longest path that a Unix socket's address holds, in octets (unix(7): `sun_path`, with a NUL behind it).
const LONGEST_PATH: usize = 107;

/// The admin socket; none if none is configured.
pub(super) fn read(root: &Section<'_>, base: &Base) -> Option<admin::Settings> {
    let admin = root.section("admin");
    let mode = admin.parsed("mode", mode).unwrap_or(MODE);
    let socket = admin.parsed("socket", |path| {
        let path = base.resolve(path)?;
        let length = path.as_os_str().len();
        if length > LONGEST_PATH {
            return Err(format!(
                "{length} octets are too many for the path of a socket; expected {LONGEST_PATH} at most"
            ));
        }
        Ok(path)
    });
    if socket.is_none() && mode != MODE {
        admin.fault("mode", admin.place_of("mode"), "has no effect without admin.socket; expected no such key");
    }
    Some(admin::Settings { socket: socket?, mode })
}

/// Three octal digits, with a zero in front.
fn mode(text: &str) -> Result<u32, String> {
    let is_mode = text.len() == 4 && text.starts_with('0');
    u32::from_str_radix(text, 8).ok().filter(|_| is_mode).ok_or_else(|| {
        format!("{} is not a mode; expected four octal digits in quotes, such as \"0600\" or \"0660\"", quoted(text))
    })
}
