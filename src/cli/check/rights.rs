//! The access rights that the service's user needs after the start, except those to mail.

use std::fs::File;
use std::path::Path;

use rustix::fs::{Access, access};

use crate::config::Configuration;
use crate::server::ClientTrust;

/// The access rights that the current user lacks, though the running service needs them.
pub(super) fn inspect(configuration: &Configuration, who: &str) -> Vec<String> {
    let trust = configuration.server.client_trust.as_ref();
    let authorities = trust.map(ClientTrust::authorities_file).map(|file| ("tls.client_ca", file));
    let lists = trust.into_iter().flat_map(ClientTrust::list_files).map(|file| ("tls.crls", file.as_path()));
    let issuers = configuration.identity.tokens.iter();
    let keys = issuers.flat_map(|issuers| issuers.key_files()).map(|file| ("tokens.keys", file));
    let read_again = authorities.into_iter().chain(lists).chain(keys);
    let socket = configuration.admin.as_ref().and_then(|admin| folder_of_socket(&admin.socket, who));
    read_again.filter_map(|(key, file)| unreadable(key, file, who)).chain(socket).collect()
}

/// Files that the service checks for changes are no longer read as root.
fn unreadable(key: &str, file: &Path, who: &str) -> Option<String> {
    let fault = File::open(file).err()?;
    let right = format!("expected a file that {who} may read, since it is checked for changes while the service runs");
    Some(format!("{key}: {who} may not read {}: {fault}; {right}", file.display()))
}

/// A missing folder may be created with the service (`RuntimeDirectory=`).
fn folder_of_socket(socket: &Path, who: &str) -> Option<String> {
    let folder = socket.parent().filter(|folder| folder.is_dir())?;
    let fault = access(folder, Access::WRITE_OK | Access::EXEC_OK).err()?;
    let right = format!("expected a folder in which {who} may create the socket, such as RuntimeDirectory= creates");
    Some(format!("admin.socket: {who} may not write to {}: {fault}; {right}", folder.display()))
}
