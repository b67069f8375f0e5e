//! The usual stage: the sample people in an embedded directory, a folder, Restante.

use std::path::PathBuf;
use std::sync::Arc;

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::people;
use restante::names::Dn;
use rustls::ClientConfig;

use super::conversation::{Conversation, trusting};
use super::directory::unchanged_for_long;
use super::maildir;
use super::process::output;
use super::service::{Plan, Service, Site};

/// The password of `ajones`, who fetches the mail in most tests.
pub const PASSWORD: &str = "violet-harbour-17";

/// The server's name in its certificate.
pub const NAME: &str = "localhost";

/// Restante with everything that it needs. What is behind the service ends after it.
pub struct Stage {
    pub service: Service,
    pub site: Site,
    /// What it was served with, to start another node.
    pub plan: Plan,
    pub directory: EmbeddedDirectory,
    /// TLS as a client that trusts the server.
    pub tls: Arc<ClientConfig>,
}

/// A directory with the sample people, in this process.
pub fn directory() -> EmbeddedDirectory {
    EmbeddedDirectory::start(unchanged_for_long(people::LDIF), Dn::parse(people::SERVICE)).unwrap()
}

impl Stage {
    /// Serves with further lines of configuration, and messages in the Maildir of `ajones`.
    pub fn set(further: &str, messages: &[(&str, &[u8])]) -> Self {
        Self::set_by(messages, |plan, _| plan.further.push_str(further))
    }

    /// The same, with the plan or the folder changed before Restante starts.
    pub fn set_by(messages: &[(&str, &[u8])], change: impl FnOnce(&mut Plan, &Site)) -> Self {
        let (directory, site) = (directory(), Site::new());
        maildir::make(&site.maildir("ajones"), messages);
        let mut plan = Plan::at(&directory.url()).and("refusal_step: 0s");
        change(&mut plan, &site);
        let service = site.serve(&plan);
        Self { service, tls: trusting(&site.authority()), site, plan, directory }
    }

    /// Runs a command of ours with the same configuration; gives what it told.
    pub fn command(&self, words: &[&str]) -> String {
        let output = output(&mut self.site.command(words), "");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// The Maildir of `ajones`.
    pub fn maildir(&self) -> PathBuf {
        self.site.maildir("ajones")
    }

    /// A client in clear that has read the greeting.
    pub fn client(&self) -> Conversation {
        self.service.client()
    }

    /// A client under TLS that has read the greeting.
    pub fn tls_client(&self) -> Conversation {
        let mut client = Conversation::tls(self.service.pop3s(), NAME, &self.tls);
        client.expect("+OK");
        client
    }

    /// `ajones`, logged in, in clear.
    pub fn session(&self) -> Conversation {
        self.service.session("ajones", PASSWORD)
    }
}
