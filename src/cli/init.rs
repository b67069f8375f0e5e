//! `restante init`: looks at an existing directory and its mail, and writes a configuration.
//!
//! | file | rule |
//! |---|---|
//! | `arguments`, `interview`, `fault` | options; questions, on a terminal only; why nothing was written |
//! | `link` | **whom the connection trusts: never anybody without the administrator's word** |
//! | `service` | the entry that searches, and its password |
//! | `census`, `people` | how many people are where; base, schema, names, what may be read |
//! | `mail` | which path leads to the Maildirs |
//! | `trial` | the settings that the service itself would make of the answers |
//! | `document`, `yaml`, `files` | the text; new files only |

mod arguments;
mod census;
mod document;
mod fault;
mod files;
mod interview;
mod link;
mod mail;
mod people;
mod service;
mod trial;
mod yaml;

use std::time::SystemTime;

pub(super) use self::arguments::InitArgs;

use self::document::Document;
use self::fault::InitFault;
use self::files::{AUTHORITY, NewFiles, PASSWORD};
use self::interview::Interview;
use self::link::{DirectoryLink, TrustedBy};
use self::mail::FoundMail;
use self::people::FoundPeople;
use self::service::PasswordPlace;
use super::{ExitStatus, report_error, sanitized};
use crate::certificate::pem;
use crate::date::Date;
use crate::directory::RootDse;

/// Writes a configuration, or says why it cannot.
pub(super) fn init(arguments: &InitArgs) -> ExitStatus {
    match try_init(arguments) {
        Ok(()) => ExitStatus::Success,
        Err(fault) => {
            report_error(&sanitized(&fault.to_string()));
            fault.status()
        }
    }
}

fn try_init(arguments: &InitArgs) -> Result<(), InitFault> {
    let mut files = NewFiles::beside(&arguments.output)?;
    let interview = Interview::new(arguments.yes);
    let mut link = DirectoryLink::establish(arguments, &interview)?;
    if let TrustedBy::Accepted(_) = link.trusted {
        files.require_free(AUTHORITY)?;
    }
    let (password, dse) = service::log_in(&mut link, arguments, &interview, &files)?;
    say_server(&link, &dse);
    let people = FoundPeople::find(&link, &dse, arguments, &interview)?;
    say_people(&people);
    let mail = FoundMail::find(&link, &people, arguments, &interview)?;
    mail.notes.iter().for_each(|note| say(&format!("mail: {note}")));
    let password_file = match &password {
        PasswordPlace::File(file) => Some(file.clone()),
        _ => None,
    };
    let certificate = match (&arguments.tls_chain, &arguments.tls_key) {
        (Some(chain), Some(key)) => Some((std::path::absolute(chain)?, std::path::absolute(key)?)),
        _ => files.certificate(),
    };
    let written = Date::of(SystemTime::now());
    let has_certificate = certificate.is_some();
    let (link, dse, people, mail) = (&link, &dse, &people, &mail);
    let text = Document { link, dse, people, mail, password_file, certificate, written }.text();
    if let TrustedBy::Accepted(certificate) = &link.trusted {
        files.authority(&pem(certificate))?;
    }
    if let (PasswordPlace::Saved, Some(service)) = (&password, &link.service) {
        files.password(service.password.expose())?;
    }
    files.configuration(&text)?;
    say_next(arguments, &password, mail, has_certificate);
    Ok(())
}

fn say_server(link: &DirectoryLink, dse: &RootDse) {
    let contexts = dse.naming_contexts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let pages = if dse.offers_pages() { "" } else { ", without paged results" };
    say(&format!("{} is {}{pages}; it holds {contexts}", link.url, dse.vendor));
    if let TrustedBy::Nothing { is_local: false } = link.trusted {
        say("WARNING: without TLS, everybody on the way to the directory can read passwords");
    }
}

fn say_people(people: &FoundPeople) {
    say("people below each DN that may be the base:");
    people.bases.iter().for_each(|(dn, count)| say(&format!("  {count:>6}  {dn}")));
    say(&format!("base {}, schema {}: {}", people.base, people.schema, people.counted()));
    people.names.iter().for_each(|names| say(&names.to_string()));
    people.unreadable.iter().for_each(|sentence| say(&format!("TO DO: {sentence}")));
    if people.unreadable.is_empty() {
        say("ids, change stamps and account states can be read");
    }
    match &people.followed {
        Ok(()) => say("changes can be followed (RFC 4533)"),
        Err(why) => say(&format!("changes cannot be followed: {why}")),
    }
}

fn say_next(arguments: &InitArgs, password: &PasswordPlace, mail: &FoundMail, has_certificate: bool) {
    let file = arguments.output.display();
    say(&format!("\nWrote {file}. What is left to do:"));
    if let PasswordPlace::ToDo = password {
        say(&format!(
            "  - write the password of the service's entry to {PASSWORD} beside it, readable by the service only"
        ));
    }
    if !has_certificate {
        say(
            "  - put the certificate chain and its key into fullchain.pem and privkey.pem beside it, or name yours in it",
        );
    }
    if !mail.is_inspected {
        say(&format!("  - set mailboxes.root and mailboxes.path in it; {} was not looked at", mail.root.display()));
    }
    say(&format!("  - restante check --config {file}"));
}

/// Values from a directory must not control the terminal.
#[allow(clippy::print_stdout, reason = "the report of the command")]
fn say(text: &str) {
    println!("{}", sanitized(text));
}
