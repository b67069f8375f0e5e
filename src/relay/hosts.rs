//! Which host a person's entry means.

use super::settings::{HostSettings, Settings, normalised};

/// Where a person's mail is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostChoice {
    /// Here.
    Here,
    /// At a listed host.
    Listed {
        /// Which item of the list it is.
        index: usize,
        /// Its name.
        host: String,
    },
    /// Nobody may be sent there; why, for the log.
    Rejected(String),
}

/// A person's place at another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayTarget {
    /// Which item of the list of hosts it is.
    pub index: usize,
    /// The host's name.
    pub host: String,
    /// The name by which the person is logged in there.
    pub user: String,
}

impl Settings {
    /// Chooses by the values of the attribute. An entry cannot send anybody's password to a host that is not listed.
    #[must_use]
    pub fn choose(&self, values: &[String]) -> HostChoice {
        let attribute = &self.attribute;
        let mut names: Vec<String> = Vec::new();
        for value in values.iter().filter(|value| !value.trim().is_empty()) {
            let Some(name) = normalised(value) else {
                return HostChoice::Rejected(format!("{attribute} {value:?} is not a host name"));
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let [name] = names.as_slice() else {
            if names.iter().all(|name| self.own_names.contains(name)) {
                return HostChoice::Here;
            }
            return HostChoice::Rejected(format!("{attribute} names several hosts: {}", names.join(", ")));
        };
        if self.own_names.contains(name) {
            return HostChoice::Here;
        }
        match self.find(name) {
            Some((index, _)) => HostChoice::Listed { index, host: name.clone() },
            None => HostChoice::Rejected(format!("{attribute} names {name}, which is not listed in relay.hosts")),
        }
    }

    fn find(&self, name: &str) -> Option<(usize, &HostSettings)> {
        self.hosts.iter().enumerate().find(|(_, host)| host.pattern.fits(name))
    }

    /// Whether any host needs the password that the client sent.
    #[must_use]
    pub fn needs_some_passwords(&self) -> bool {
        self.hosts.iter().any(HostSettings::needs_client_password)
    }

    /// Whether every host needs the password that the client sent, so that nobody who is relayed can log in without one.
    #[must_use]
    pub fn needs_client_passwords(&self) -> bool {
        !self.hosts.is_empty() && self.hosts.iter().all(HostSettings::needs_client_password)
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{BackEndLogin, BackEndTls, ClientAddress, HostLimits, HostPattern};
    use super::*;

    fn settings() -> Settings {
        let host = |name: &str| HostSettings {
            pattern: HostPattern::parse(name).unwrap(),
            port: 995,
            tls: BackEndTls::None,
            login: BackEndLogin::ClientPassword,
            client_address: ClientAddress::None,
            limits: HostLimits::default(),
        };
        let hosts = ["mail2.example.org", "*.mail.example.org", "2001:db8::1"].map(host).into();
        let own_names = vec!["mail.example.org".to_owned(), "pop.example.org".to_owned()];
        Settings { attribute: "mailHost".to_owned(), own_names, hosts }
    }

    fn chosen(values: &[&str]) -> String {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        match settings().choose(&values) {
            HostChoice::Here => "here".to_owned(),
            HostChoice::Listed { index, host } => format!("{index} {host}"),
            HostChoice::Rejected(why) => why,
        }
    }

    #[test]
    fn no_host_or_our_own_name_is_here() {
        for values in
            [&[][..], &[""], &["mail.example.org"], &["POP.example.org."], &["pop.example.org", "mail.example.org"]]
        {
            assert_eq!(chosen(values), "here", "{values:?}");
        }
    }

    #[test]
    fn a_listed_host_is_found_in_any_spelling() {
        for (value, expected) in [
            ("mail2.example.org", "0 mail2.example.org"),
            ("MAIL2.Example.ORG.", "0 mail2.example.org"),
            ("a.mail.example.org", "1 a.mail.example.org"),
            ("b.a.mail.example.org", "1 b.a.mail.example.org"),
            ("2001:DB8::1", "2 2001:db8::1"),
        ] {
            assert_eq!(chosen(&[value]), expected);
        }
        assert_eq!(chosen(&["mail2.example.org", "Mail2.example.org"]), "0 mail2.example.org");
    }

    #[test]
    fn nobody_is_sent_to_a_stranger() {
        for (values, word) in [
            (&["evil.example"][..], "not listed"),
            (&[".mail.example.org"], "not a host name"),
            (&["xmail.example.org"], "not listed"),
            (&["mail2.example.org.evil.example"], "not listed"),
            (&["a..mail.example.org"], "not a host name"),
            (&["a b.mail.example.org"], "not a host name"),
            (&["evil.example\r\n.mail.example.org"], "not a host name"),
            (&["mail2.example.org", "a.mail.example.org"], "several hosts"),
            (&["mail.example.org", "a.mail.example.org"], "several hosts"),
        ] {
            assert!(chosen(values).contains(word), "{values:?}: {}", chosen(values));
        }
    }
}
