//! Look-ups: one connection for each directory, shared by all, bound as the service.

use ldap3::{LdapError, LdapResult, Scope, SearchEntry, ldap_escape};

use super::connect::Connection;
use super::servers::Servers;
use super::shared::{Discarded, Shared, SharedConnection};
use crate::directory::entries::{CHANGE_STAMPS, CONFLICT, Entry, FINER_STAMPS, IDS, STATE};
use crate::directory::fault::{Fault, failed, is_late, is_lost, no_base};
use crate::directory::settings::Settings;
use crate::names::{Dn, HierarchicalName, Kind, LookUp};

/// Asks one directory, over the connection that all searches share.
pub(crate) struct Searcher {
    pub(crate) shared: SharedConnection,
}

/// How a question fared on the shared connection.
enum Try {
    Answered(Result<Vec<Entry>, Fault>),
    /// The connection is gone.
    Lost(LdapError),
    /// This question has no answer in time, while others are answered.
    Late(Fault),
    /// The server answers nobody.
    Down(Fault),
}

/// The server's own time limit for a search was reached (timeLimitExceeded, RFC 4511 Appendix A).
const TIME_LIMIT_EXCEEDED: u32 = 3;

/// One person is enough to know that a search base is there; another entry found may be the service's own.
const LIMIT: i32 = 2;

/// A hierarchical name is told from others of the same common name here, by the parents, and whom the directory is for
/// likewise: RFC 4515 has no filter for either that every directory knows.
const NAMESAKES: i32 = 100;

/// One question to a directory.
pub(crate) struct Question {
    pub(crate) base: String,
    pub(crate) scope: Scope,
    pub(crate) filter: String,
    /// The most entries wanted; 0 for all.
    pub(crate) limit: i32,
    /// Whether the entries' certificates are read too.
    pub(crate) certificates: bool,
    /// The name whose parents an entry must fit besides.
    pub(crate) parents: Option<HierarchicalName>,
    /// The attributes wanted; none for those of a person.
    pub(crate) wanted: Option<Vec<String>>,
}

impl Searcher {
    pub(crate) fn new() -> Self {
        Self { shared: SharedConnection::default() }
    }

    /// The entries that answer a look-up, each once; of more than `most` there may be others yet.
    pub(crate) async fn look_up(
        &self,
        settings: &Settings,
        servers: &Servers,
        look_up: &LookUp,
        most: u8,
    ) -> Result<Vec<Entry>, Fault> {
        let mut found: Vec<Entry> = Vec::new();
        for question in Question::all(settings, look_up, most) {
            merge(&mut found, self.ask_for_people(settings, servers, question).await?);
        }
        self.judged(settings, servers, found, most).await
    }

    /// Losers of a replication conflict take up places of a search: where there are some, and no place was left, it is
    /// sent again with more.
    pub(crate) async fn ask_for_people(
        &self,
        settings: &Settings,
        servers: &Servers,
        question: Question,
    ) -> Result<Vec<Entry>, Fault> {
        let found = self.ask(settings, servers, &question).await?;
        let is_full = i32::try_from(found.len()).is_ok_and(|count| count >= question.limit);
        if !is_full || question.limit >= NAMESAKES || !found.iter().any(Entry::lost_conflict) {
            return Ok(found);
        }
        self.ask(settings, servers, &Question { limit: NAMESAKES, ..question }).await
    }

    /// People, without the service itself; with the word on whom the directory is for and whom it lets in.
    pub(crate) async fn judged(
        &self,
        settings: &Settings,
        servers: &Servers,
        mut found: Vec<Entry>,
        most: u8,
    ) -> Result<Vec<Entry>, Fault> {
        found.retain(|entry| settings.bind.as_ref().is_none_or(|service| !service.dn.matches(&entry.dn)));
        let mut fitting: Vec<&mut Entry> = found.iter_mut().filter(|entry| entry.misfit.is_none()).collect();
        // Nobody of so many is let in.
        if fitting.len() <= usize::from(most) {
            for entry in &mut fitting {
                entry.exclusion = self.exclusion(settings, servers, entry).await?;
            }
        }
        Ok(found)
    }

    /// Whether there is an answer, and the search base.
    pub(crate) async fn probe(&self, settings: &Settings, servers: &Servers) -> Result<(), Fault> {
        self.ask(settings, servers, &Question::nobody(settings)).await?;
        self.probe_group(settings, servers).await
    }

    /// Asks, once more on a fresh connection if this one was lost, and the next server if this one is silent.
    pub(crate) async fn ask(
        &self,
        settings: &Settings,
        servers: &Servers,
        question: &Question,
    ) -> Result<Vec<Entry>, Fault> {
        let (mut may_repeat, mut tried) = (true, Vec::new());
        loop {
            let shared = self.shared.get(settings, servers).await?;
            let fault = match question.try_on(&shared, settings).await {
                Try::Answered(answer) => return answer,
                Try::Late(fault) => return Self::ask_another(settings, servers, question, shared.server, fault).await,
                Try::Lost(_) if std::mem::take(&mut may_repeat) => {
                    self.shared.discard(&shared).await;
                    continue;
                }
                Try::Lost(error) => Fault::silent(format!("search: {error}")),
                Try::Down(fault) => fault,
            };
            match self.shared.discard(&shared).await {
                Discarded::Now => servers.note_down(shared.server),
                Discarded::Replaced if std::mem::take(&mut may_repeat) => continue,
                // Nothing more can be concluded from it about the server.
                Discarded::Before | Discarded::Replaced => {}
            }
            if tried.contains(&shared.server) {
                return Err(fault);
            }
            tried.push(shared.server);
            if !servers.has_other_than(&tried) {
                return Err(fault);
            }
            tracing::warn!(directory = %settings.name, %fault, "trying the next server");
        }
    }

    /// Asks another server, over a connection of its own: the one that all share goes on answering others.
    async fn ask_another(
        settings: &Settings,
        servers: &Servers,
        question: &Question,
        server: usize,
        fault: Fault,
    ) -> Result<Vec<Entry>, Fault> {
        if !servers.has_other_than(&[server]) {
            return Err(fault);
        }
        tracing::warn!(directory = %settings.name, %fault, "trying the next server, for this search alone");
        let connection = servers.connect_to_another(settings, settings.bind.as_ref(), server).await?;
        question.ask_on(&connection, settings).await
    }
}

impl Question {
    /// Asks for people under a name that nobody has: an answer proves connection, bind and search base.
    pub(crate) fn nobody(settings: &Settings) -> Self {
        let nobody = equality(settings, Kind::ShortName, "restante-asks-whether-the-search-base-is-there");
        Self::people(settings, &nobody, LIMIT)
    }

    /// What a directory is asked for a look-up, in order.
    pub(crate) fn all(settings: &Settings, look_up: &LookUp, most: u8) -> Vec<Self> {
        // One more than can be told apart, and perhaps the service's own entry.
        let limit = if settings.names.is_none() { i32::from(most) + 2 } else { NAMESAKES };
        let by_dn = look_up.entry.iter().flat_map(|dn| Self::entries(settings, dn));
        let by_parents = look_up.hierarchical.iter().map(|name| {
            let filter = equality(settings, Kind::CommonName, name.common_name());
            Self { parents: Some(name.clone()), ..Self::people(settings, &filter, NAMESAKES) }
        });
        let terms: String = look_up.equal.iter().map(|term| equality(settings, term.kind, &term.value)).collect();
        let by_value = (!terms.is_empty()).then(|| Self::people(settings, &format!("(|{terms})"), limit));
        by_dn.chain(by_parents).chain(by_value).collect()
    }

    /// The entry of a name that somebody typed, in each form in which the directory may have it.
    pub(crate) fn entries(settings: &Settings, dn: &Dn) -> impl Iterator<Item = Self> {
        dn.normal_forms().into_iter().map(|dn| Self::entry(settings, &dn))
    }

    pub(crate) fn entry(settings: &Settings, dn: &str) -> Self {
        Self::new(dn, Scope::Base, settings.filter.clone(), LIMIT)
    }

    /// Reads the entries' certificates too, which are too big to be read for nothing.
    pub(crate) fn with_certificates(self) -> Self {
        Self { certificates: true, ..self }
    }

    pub(crate) fn people(settings: &Settings, terms: &str, limit: i32) -> Self {
        let filter = format!("(&{}{terms})", settings.filter);
        Self::new(settings.base.as_str(), Scope::Subtree, filter, limit)
    }

    fn new(base: &str, scope: Scope, filter: String, limit: i32) -> Self {
        Self { base: base.to_owned(), scope, filter, limit, certificates: false, parents: None, wanted: None }
    }

    async fn try_on(&self, shared: &Shared, settings: &Settings) -> Try {
        match self.run(shared.handle(), settings, settings.limits.search).await {
            Ok((entries, result)) => {
                shared.note_answer();
                match self.judge(entries, &result, settings) {
                    Err(fault @ Fault::Unavailable { silent: true, .. }) if result.rc == TIME_LIMIT_EXCEEDED => {
                        Try::Late(fault)
                    }
                    Err(fault @ Fault::Unavailable { silent: true, .. }) => Try::Down(fault),
                    answer => Try::Answered(answer),
                }
            }
            Err(error) if is_lost(&error) => Try::Lost(error),
            Err(error) if is_late(&error) && !shared.is_silent() => Try::Late(failed(&error)),
            Err(error) => Try::Down(failed(&error)),
        }
    }

    /// Asks on a connection that nobody else uses.
    pub(crate) async fn ask_on(&self, connection: &Connection, settings: &Settings) -> Result<Vec<Entry>, Fault> {
        match self.run(connection.handle(), settings, settings.limits.search).await {
            Ok((entries, result)) => self.judge(entries, &result, settings),
            Err(error) => Err(failed(&error)),
        }
    }

    /// What the end of a search means. Code 4, the size limit, is ambiguity and no error.
    pub(crate) fn judge(
        &self,
        found: Vec<SearchEntry>,
        result: &LdapResult,
        settings: &Settings,
    ) -> Result<Vec<Entry>, Fault> {
        match result.rc {
            0 => {}
            4 if found.len() > 1 => {}
            // An entry asked for by a name that somebody typed may well not be there, or have a name that no entry of this
            // directory can have; the search base must be there.
            32 | 34 if self.scope == Scope::Base => return Ok(Vec::new()),
            32 => return Err(no_base(&self.base, result)),
            4 | 10 | 34 | 48 | 49 | 50 | 53 => {
                let why = format!("search below {}: {}", self.base, crate::directory::fault::told(result));
                return Err(Fault::Misconfigured(why));
            }
            _ => return Err(Fault::of_result("search", result)),
        }
        let mut answers: Vec<Entry> =
            found.into_iter().map(|found| settings.fitted(Entry::read(found, &settings.name))).collect();
        answers.retain(|entry| self.takes(entry, settings));
        Ok(self.fitting(answers, result.rc == 4))
    }

    /// A person whose DN cannot be read is nobody, and makes nobody's name ambiguous. A group is known by the text of its
    /// DN alone.
    fn takes(&self, entry: &Entry, settings: &Settings) -> bool {
        let takes = self.wanted.is_some() || entry.dn.is_readable();
        if !takes {
            tracing::warn!(directory = %settings.name, dn = entry.dn.as_str(), "nobody: the entry's DN cannot be read");
        }
        takes
    }

    /// Those who fit the parents. Where there are others yet that were not told, and who fits cannot be known, it is
    /// nobody's name alone: then all count.
    fn fitting(&self, mut answers: Vec<Entry>, is_cut_short: bool) -> Vec<Entry> {
        let fits = |entry: &Entry| self.parents.as_ref().is_none_or(|name| name.fits(&entry.dn));
        let fitting = answers.iter().filter(|entry| fits(entry) && entry.misfit.is_none()).count();
        if is_cut_short && fitting < 2 {
            for entry in &mut answers {
                entry.misfit = None;
            }
            return answers;
        }
        answers.retain(fits);
        answers
    }
}

/// `(attribute=value)` with the value escaped (RFC 4515 §3): it matches only itself. Several, if several attributes hold
/// this kind of name.
pub(crate) fn equality(settings: &Settings, kind: Kind, value: &str) -> String {
    let sought = settings.attributes.sought(kind, value);
    let terms: Vec<String> = sought.iter().map(|(name, value)| format!("({name}={})", ldap_escape(value))).collect();
    if terms.len() > 1 { format!("(|{})", terms.concat()) } else { terms.concat() }
}

pub(crate) fn attributes(settings: &Settings) -> Vec<&str> {
    let sources = Kind::ALL.into_iter().flat_map(|kind| settings.attributes.of(kind));
    let own = sources.map(|source| source.attribute.as_str());
    let further = settings.further_attributes.iter().map(String::as_str);
    own.chain(further)
        .chain(settings.admission.attributes())
        .chain(IDS)
        .chain(CHANGE_STAMPS)
        .chain(FINER_STAMPS)
        .chain(CONFLICT)
        .chain(STATE)
        .collect()
}

pub(crate) fn merge(found: &mut Vec<Entry>, more: Vec<Entry>) {
    for entry in more {
        if !found.iter().any(|other| other.id == entry.id && other.dn.matches(&entry.dn)) {
            found.push(entry);
        }
    }
}
