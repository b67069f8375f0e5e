//! The entry that searches for people, and its password.

use std::path::PathBuf;

use super::arguments::InitArgs;
use super::fault::{InitFault, ServerFault};
use super::files::{NewFiles, PASSWORD};
use super::interview::Interview;
use super::link::DirectoryLink;
use super::people::who;
use crate::config;
use crate::directory::{Fault, RootDse, ServerVendor, ServiceBind};
use crate::names::Dn;

/// Where the password will be.
pub(super) enum PasswordPlace {
    /// There is no entry.
    None,
    /// In a file that is there.
    File(PathBuf),
    /// In a file that is written with the configuration.
    Saved,
    /// In a file that the administrator still has to write.
    ToDo,
}

/// Asks for the entry, and logs in as it.
pub(super) fn log_in(
    link: &mut DirectoryLink,
    arguments: &InitArgs,
    interview: &Interview,
    files: &NewFiles,
) -> Result<(PasswordPlace, RootDse), InitFault> {
    let dn = match &arguments.bind {
        Some(dn) => Some(dn.clone()),
        None => interview.optional("DN of the entry that searches for people (empty: search anonymously)")?,
    };
    let place = match dn {
        Some(dn) => take_password(link, &dn, arguments, interview, files)?,
        None => PasswordPlace::None,
    };
    let answer = link.runtime.block_on(link.server()?.root_dse());
    let dse = answer.map_err(|fault| match (fault, &link.service) {
        (fault @ Fault::Misconfigured(_), Some(service)) => {
            ServerFault::BindRefused(service.dn.to_string(), fault).into()
        }
        (fault @ Fault::Unavailable { .. }, _) => ServerFault::Unreachable(link.url.to_string(), fault).into(),
        (fault, None) => InitFault::Search(fault),
    })?;
    match dse {
        Some(dse) => Ok((place, dse)),
        None if arguments.base.is_some() => Ok((place, RootDse::of_vendor(ServerVendor::Other(None)))),
        None => Err(InitFault::NoNamingContext(who(link))),
    }
}

fn take_password(
    link: &mut DirectoryLink,
    dn: &str,
    arguments: &InitArgs,
    interview: &Interview,
    files: &NewFiles,
) -> Result<PasswordPlace, InitFault> {
    let right = "expected something like cn=restante,ou=services,dc=example,dc=org";
    let parsed = Dn::parse(dn)
        .ok_or_else(|| InitFault::Option("--bind", format!("\"{dn}\" is not a distinguished name; {right}")))?;
    let (password, place) = if let Some(file) = &arguments.password_file {
        let password = config::password_in(file).map_err(|why| InitFault::Option("--password-file", why))?;
        (password, PasswordPlace::File(std::path::absolute(file)?))
    } else {
        let password = interview.password(dn, "--password-file")?;
        let question = format!("Write this password to {PASSWORD} beside the configuration (mode 0600)?");
        let is_saved = arguments.save_password || interview.wants(&question)?;
        if is_saved {
            files.require_free(PASSWORD)?;
        }
        (password, if is_saved { PasswordPlace::Saved } else { PasswordPlace::ToDo })
    };
    link.service = Some(ServiceBind { dn: parsed, password });
    Ok(place)
}
