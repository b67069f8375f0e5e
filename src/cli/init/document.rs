//! The text of the configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::files::{AUTHORITY, CERTIFICATE, PASSWORD};
use super::link::{DirectoryLink, TrustedBy};
use super::mail::FoundMail;
use super::people::FoundPeople;
use super::yaml::quoted;
use crate::certificate::Sha256Fingerprint;
use crate::cli::layout::{counted, wrapped};
use crate::cli::sanitized;
use crate::date::Date;
use crate::directory::RootDse;

/// Everything that stands in the file.
pub(super) struct Document<'d> {
    pub(super) link: &'d DirectoryLink,
    pub(super) dse: &'d RootDse,
    pub(super) people: &'d FoundPeople,
    pub(super) mail: &'d FoundMail,
    /// Where the password of the service's entry is.
    pub(super) password_file: Option<PathBuf>,
    /// Certificate chain and key, if they are known.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
    pub(super) written: Date,
}

fn yaml_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// Lines of comment.
fn comment(text: &str, indent: usize) -> String {
    let wrapped = wrapped(&sanitized(text), 0);
    let lines = wrapped.lines().map(|line| line.strip_prefix("    ").unwrap_or(line).trim_end());
    lines.fold(String::new(), |text, line| text + &format!("{:indent$}# {line}\n", ""))
}

/// One line of comment, whatever a DN holds.
fn place(dn: &str, count: &str) -> String {
    format!("    #   {count:>6}  {}\n", sanitized(dn).replace('\n', "\u{fffd}"))
}

impl Document<'_> {
    /// The whole file.
    pub(super) fn text(&self) -> String {
        let mut text = comment(
            &format!(
                "Written by restante init on {} from {}. Keys that are not here are at their defaults; the reference \
                 configuration explains each. restante check reports everything that is wrong with this file.",
                self.written.of_log(),
                self.link.url
            ),
            0,
        );
        text.push_str(&self.listeners());
        text.push_str(&self.directory());
        text.push_str(&self.mailboxes());
        text
    }

    fn listeners(&self) -> String {
        let mut text = "listeners:\n  - { address: \"[::]:110\", tls: starttls, login_without_tls: refuse }\n  \
                        - { address: \"[::]:995\", tls: implicit }\ntls:\n  certificates:\n"
            .to_owned();
        if self.certificate.is_none() {
            text.push_str(&comment(
                "TO DO: put the certificate chain for the host name that mail programs use, and its key (PEM), into these \
                 files beside this one, or name others.",
                4,
            ));
        }
        let (chain, key) = self
            .certificate
            .as_ref()
            .map_or_else(|| CERTIFICATE.map(str::to_owned).into(), |(chain, key)| (yaml_path(chain), yaml_path(key)));
        let _ = writeln!(text, "    - {{ chain: {chain}, key: {key} }}");
        text
    }

    fn directory(&self) -> String {
        let Self { link, people, .. } = self;
        let mut text = format!("directories:\n  - name: {}\n", name(people));
        let contexts = self.dse.naming_contexts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        text.push_str(&comment(&format!("{}, which holds {contexts}.", self.dse.vendor), 4));
        let _ = writeln!(text, "    urls: [{}]", quoted(&link.url.to_string()));
        text.push_str(&self.trust());
        text.push_str(&self.bind());
        text.push_str(&comment("People below each DN that may be the base:", 4));
        for (dn, count) in &people.bases {
            text.push_str(&place(dn, count));
        }
        let _ = writeln!(text, "    base: {}", quoted(people.base.as_str()));
        let own = people.schemas.iter().find(|(schema, _)| *schema == people.schema).map(|(_, count)| count.as_str());
        let others = people.schemas.iter().filter(|(_, count)| count != "0" && Some(count.as_str()) != own);
        let others: Vec<String> = others.map(|(schema, count)| format!("{schema} ({count})")).collect();
        let others = if others.is_empty() { String::new() } else { format!(" Others: {}.", others.join(", ")) };
        text.push_str(&comment(&format!("This finds {}.{others}", people.counted()), 4));
        for names in &people.names {
            text.push_str(&comment(&format!("{names}."), 4));
        }
        let _ = writeln!(text, "    schema: {}", people.schema);
        for sentence in &people.unreadable {
            text.push_str(&comment(&format!("TO DO: {sentence}."), 4));
        }
        match &people.followed {
            Ok(()) => {
                text.push_str(&comment("Changes of people take effect at once (RFC 4533).", 4));
                text.push_str("    follow: true\n");
            }
            Err(why) => text.push_str(&comment(&format!("Changes of people are not followed: {why}."), 4)),
        }
        text
    }

    fn trust(&self) -> String {
        let starttls = if self.link.starttls { "    starttls: true\n" } else { "" };
        match &self.link.trusted {
            TrustedBy::System => format!("{starttls}{}", comment("Signed by an authority that this system trusts.", 4)),
            TrustedBy::File(file) => format!("{starttls}    ca: {}\n", yaml_path(file)),
            TrustedBy::Accepted(certificate) => {
                let fingerprint = Sha256Fingerprint::of(certificate);
                let accepted =
                    format!("Presented by the server; accepted by this fingerprint (SHA-256): {fingerprint}");
                format!("{starttls}{}    ca: {AUTHORITY}\n", comment(&accepted, 4))
            }
            TrustedBy::Nothing { is_local: true } => {
                comment("Without TLS, since nothing leaves this machine. Use ldaps:// if the directory moves.", 4)
            }
            TrustedBy::Nothing { is_local: false } => {
                let warning = "WARNING: without TLS, everybody on the way to the directory can read the passwords of all people \
                               who log in.";
                format!("{}    allow_clear_text: true\n", comment(warning, 4))
            }
        }
    }

    fn bind(&self) -> String {
        let Some(service) = &self.link.service else {
            return comment("The directory is searched anonymously; an entry of its own would stand under bind.", 4);
        };
        let file = self.password_file.as_deref().unwrap_or(Path::new(PASSWORD));
        format!("    bind: {{ dn: {}, password_file: {} }}\n", quoted(service.dn.as_str()), yaml_path(file))
    }

    fn mailboxes(&self) -> String {
        let mail = self.mail;
        let mut text = "mailboxes:\n".to_owned();
        let _ = writeln!(text, "  root: {}", yaml_path(&mail.root));
        for note in &mail.notes {
            text.push_str(&comment(&format!("{note}."), 2));
        }
        let _ = writeln!(text, "  path: {}", quoted(&mail.path));
        if mail.lists.is_empty() {
            return text;
        }
        let lists: Vec<String> =
            mail.lists.iter().map(|(server, count)| format!("{server}'s in {}", counted(*count, "Maildir"))).collect();
        text.push_str("uidl:\n");
        text.push_str(&comment(
            &format!(
                "There are lists of unique-ids of another server: {}. They are read, so that mail programs do not download \
                 everything again. For Dovecot, dovecot_format must be its pop3_uidl_format. Compare with `restante uidl \
                 plan` before the move.",
                lists.join(", ")
            ),
            2,
        ));
        text.push_str("  import: read\n");
        text
    }
}

/// What the log calls the directory: the first part of the base that names an organisation.
fn name(people: &FoundPeople) -> String {
    let rdns = people.base.rdns();
    let named = ["dc", "o"].into_iter().find_map(|kind| rdns.iter().find_map(|rdn| rdn.value_of(kind)));
    let is_plain = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    // These words are no text in YAML.
    let is_text = |name: &&str| !["true", "false", "null"].iter().any(|word| name.eq_ignore_ascii_case(word));
    named.filter(is_plain).filter(is_text).unwrap_or("directory").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_directory_add_no_line_to_the_file() {
        let hostile = "ou=a\nmailboxes: { root: / }\r\u{1b}[2J#";
        assert_eq!(place(hostile, "7").lines().count(), 1);
        for text in [comment(hostile, 4), place(hostile, "7")] {
            assert!(text.lines().all(|line| line.starts_with("    # ")), "{text}");
            assert!(!text.contains(['\r', '\u{1b}']), "{text}");
        }
        assert_eq!(quoted("a\nb: \"c\" \\"), r#""a\nb: \"c\" \\""#);
    }
}
