//! `admin`: the socket on which the running service takes commands, and the HTTP listener on which it is watched.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::paths::Base;
use super::section::Section;
use super::tree::quoted;
use crate::admin::{self, HttpAddress};

/// Only the service's own user.
const MODE: u32 = 0o600;

/// The longest path that a Unix socket's address holds, in octets (unix(7): `sun_path`, with a NUL behind it).
const LONGEST_PATH: usize = 107;

/// The admin socket; none if none is configured.
pub(super) fn read(root: &Section<'_>, base: &Base) -> Option<admin::Settings> {
    let admin = root.section("admin");
    let mode = admin.parsed("mode", mode).unwrap_or(MODE);
    let socket = admin.parsed("socket", |path| socket_path(path, base));
    let has_file = socket.is_some() || matches!(http(root, base), Some(HttpAddress::Unix(..)));
    if !has_file && mode != MODE {
        admin.fault("mode", admin.place_of("mode"), "has no effect without admin.socket; expected no such key");
    }
    Some(admin::Settings { socket: socket?, mode })
}

/// The HTTP listener; none if none is configured.
pub(super) fn http(root: &Section<'_>, base: &Base) -> Option<HttpAddress> {
    let admin = root.section("admin");
    let mode = admin.text("mode").and_then(|text| mode(text).ok()).unwrap_or(MODE);
    admin.parsed("http", |text| match text.strip_prefix("unix:") {
        Some(path) => socket_path(path, base).map(|path| HttpAddress::Unix(path, mode)),
        None => loopback(text).map(HttpAddress::Tcp),
    })
}

pub(super) fn socket_path(path: &str, base: &Base) -> Result<PathBuf, String> {
    let path = base.resolve(path)?;
    let length = path.as_os_str().len();
    if length > LONGEST_PATH {
        return Err(format!("{length} octets are too many for the path of a socket; expected {LONGEST_PATH} at most"));
    }
    Ok(path)
}

/// Whoever can connect may read who is logged in, from where: there is no login.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let right = "expected an address of loopback with its port, such as 127.0.0.1:9110 or \"[::1]:9110\", or unix:PATH";
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err(format!("{} can be reached from other machines, and there is no login; {right}", quoted(text))),
        Err(_) => Err(format!("{} is no such address; {right}", quoted(text))),
    }
}

/// Three octal digits, with a zero in front.
pub(super) fn mode(text: &str) -> Result<u32, String> {
    let is_mode = text.len() == 4 && text.starts_with('0');
    u32::from_str_radix(text, 8).ok().filter(|_| is_mode).ok_or_else(|| {
        format!("{} is not a mode; expected four octal digits in quotes, such as \"0600\" or \"0660\"", quoted(text))
    })
}
