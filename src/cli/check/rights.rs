//! What the service's user must be able to do after the start, besides reading and writing mail.

use std::fs::File;
use std::path::Path;

use rustix::fs::{Access, access};

use crate::config::Configuration;
use crate::server::ClientTrust;

/// What whoever we are now may not do, though the running service has to.
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

/// Files that the service looks at again and again are not read by root any more.
fn unreadable(key: &str, file: &Path, who: &str) -> Option<String> {
    let fault = File::open(file).err()?;
    let right = format!("expected a file that {who} may read, since it is looked at for as long as the service runs");
    Some(format!("{key}: {who} may not read {}: {fault}; {right}", file.display()))
}

/// A folder that is not there may come with the service (`RuntimeDirectory=`).
fn folder_of_socket(socket: &Path, who: &str) -> Option<String> {
    let folder = socket.parent().filter(|folder| folder.is_dir())?;
    let fault = access(folder, Access::WRITE_OK | Access::EXEC_OK).err()?;
    let right = format!("expected a folder in which {who} may make the socket, such as RuntimeDirectory= makes");
    Some(format!("admin.socket: {who} may not write to {}: {fault}; {right}", folder.display()))
}
