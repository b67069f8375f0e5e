//! A Unix socket's file: created with its mode; it replaces a stale socket, never one that is in use.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use socket2::{Domain, SockAddr, Socket, Type};

use super::Settings;

/// A bound admin socket. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct AdminSocket {
    pub(super) file: SocketFile,
}

/// A bound Unix socket. Its file is removed when it is dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    pub(super) listener: UnixListener,
    pub(super) path: PathBuf,
}

impl AdminSocket {
    /// Creates the socket's file. No runtime is needed.
    ///
    /// # Errors
    /// A sentence: another service is listening there, the path is not a socket, or the file cannot be
    /// created.
    pub fn bind(settings: &Settings) -> Result<Self, String> {
        Ok(Self { file: SocketFile::bind("admin.socket", &settings.socket, settings.mode)? })
    }
}

impl SocketFile {
    /// The same for the path under a key of the configuration, with the permission bits of the file.
    pub(super) fn bind(key: &'static str, path: &Path, mode: u32) -> Result<Self, String> {
        make_way(path).map_err(|fault| format!("{key} {}: {fault}", path.display()))?;
        let listener = listen(path, mode).map_err(|fault| format!("{key} {}: {fault}", path.display()))?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

/// The file is created for its owner alone, since Linux takes its mode from the socket, and opened to others
/// afterwards: it never has a wider mode, not even for a moment.
fn listen(path: &Path, mode: u32) -> std::io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Clients that may wait to be accepted.
const BACKLOG: i32 = 16;

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(fault) = fs::remove_file(&self.path) {
            tracing::warn!(
                name: "admin_socket_file_not_removed",
                socket = self.path.display().to_string(),
                reason = fault.to_string(),
                "the admin socket's file could not be removed"
            );
        }
    }
}

/// Removes the file of a service that ended without removing it.
fn make_way(path: &Path) -> Result<(), String> {
    let describe = |fault: std::io::Error| fault.to_string();
    match fs::symlink_metadata(path) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(()),
        Err(fault) => return Err(describe(fault)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err("the existing file is not a socket".to_owned());
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err("another service is listening there".to_owned()),
        Err(fault) if fault.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(describe),
        Err(fault) => Err(describe(fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &Path, mode: u32) -> Settings {
        Settings { socket: folder.join("admin.sock"), mode }
    }

    #[test]
    fn the_file_has_its_mode_and_only_a_stale_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o660] {
            let settings = settings(folder.path(), mode);
            let bound = AdminSocket::bind(&settings).unwrap();
            assert_eq!(fs::metadata(&settings.socket).unwrap().permissions().mode() & 0o777, mode);
            assert!(AdminSocket::bind(&settings).unwrap_err().contains("another service is listening"));
            drop(bound);
            assert!(!settings.socket.exists());
        }
        let settings = settings(folder.path(), 0o600);
        drop(UnixListener::bind(&settings.socket).unwrap());
        drop(AdminSocket::bind(&settings).unwrap());
        fs::write(&settings.socket, "kept").unwrap();
        assert!(AdminSocket::bind(&settings).unwrap_err().contains("not a socket"));
        assert_eq!(fs::read_to_string(&settings.socket).unwrap(), "kept");
    }
}
