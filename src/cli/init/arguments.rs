//! The options of `restante init`.

use std::path::PathBuf;

use clap::Args;

use crate::certificate::Sha256Fingerprint;

/// The schemas of the configuration.
pub(super) const SCHEMAS: [&str; 4] = ["inet_org_person", "posix", "389ds", "active_directory"];

/// Each question has an option that answers it beforehand.
#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[allow(clippy::doc_markdown, reason = "help texts are read without markup")]
pub(in crate::cli) struct InitArgs {
    /// The directory: ldaps://HOST, ldap://HOST (with StartTLS), or ldapi://%2Fpath%2Fto%2Fsocket
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// The entry that searches for people. Omitted: anonymous searches
    #[arg(long, value_name = "DN")]
    pub(super) bind: Option<String>,
    /// A file whose first line is the password of that entry; the configuration names this file
    #[arg(long, value_name = "FILE", requires = "bind")]
    pub(super) password_file: Option<PathBuf>,
    /// Write a typed password to ldap.password beside the configuration (mode 0600)
    #[arg(long, conflicts_with = "password_file")]
    pub(super) save_password: bool,
    /// A PEM file of the authorities that sign the directory's certificate
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Trust the authority that the server presents if its certificate has this fingerprint, and save it as ldap-ca.pem
    /// beside the configuration
    #[arg(long, value_name = "SHA256", conflicts_with = "ca")]
    pub(super) accept_fingerprint: Option<Sha256Fingerprint>,
    /// Use StartTLS for an ldap:// URL of this machine too
    #[arg(long, conflicts_with = "clear_text")]
    pub(super) starttls: bool,
    /// Use ldap:// without TLS: everybody on the way can read passwords
    #[arg(long)]
    pub(super) clear_text: bool,
    /// Where people are searched for. Omitted: found out
    #[arg(long, value_name = "DN")]
    pub(super) base: Option<String>,
    /// Which entries are people. Omitted: found out
    #[arg(long, value_name = "SCHEMA", value_parser = SCHEMAS)]
    pub(super) schema: Option<String>,
    /// The directory below which all Maildirs are
    #[arg(long, value_name = "DIR")]
    pub(super) mail_root: Option<PathBuf>,
    /// Each person's path below it, such as {short_name}/Maildir. Omitted: found out
    #[arg(long, value_name = "TEMPLATE")]
    pub(super) mail_path: Option<String>,
    /// The certificate chain that mail programs are shown (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_chain: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_chain")]
    pub(super) tls_key: Option<PathBuf>,
    /// The file to write; an existing one is never overwritten
    #[arg(long, value_name = "FILE", default_value = "restante.yaml")]
    pub(super) output: PathBuf,
    /// Take what was found out, and leave out what is optional, without asking. Never accepts a certificate
    #[arg(long)]
    pub(super) yes: bool,
}
