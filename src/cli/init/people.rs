//! Where people are, which entries they are, and which names they have.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::arguments::{InitArgs, SCHEMAS};
use super::census::{Census, CountedPlace};
use super::fault::InitFault;
use super::interview::Interview;
use super::link::DirectoryLink;
use crate::audit::{NameUsage, SampleEnd, name_usage};
use crate::directory::{Change, Directory, Entry, RootDse, ServerVendor, WalkEnd};
use crate::names::Dn;

/// People whose entries are looked at for names and paths.
const SAMPLE: usize = 1_000;

/// Attributes that other servers use for the place of mail.
const PLACES: [&str; 3] = ["homeDirectory", "mailMessageStore", "mailHomeDirectory"];

/// How long a directory may take until it is followed.
const UNTIL_FOLLOWED: Duration = Duration::from_secs(10);

/// The people of a directory.
pub(super) struct FoundPeople {
    pub(super) base: Dn,
    pub(super) schema: &'static str,
    /// How many people are below each base that may be right.
    pub(super) bases: Vec<(String, String)>,
    /// How many people each schema finds.
    pub(super) schemas: Vec<(&'static str, String)>,
    pub(super) entries: Vec<Entry>,
    pub(super) end: SampleEnd,
    pub(super) names: Vec<NameUsage>,
    /// What the service may not read.
    pub(super) unreadable: Vec<String>,
    /// Whether changes can be followed, and if not, why.
    pub(super) followed: Result<(), String>,
    pub(super) directory: Directory,
}

impl FoundPeople {
    /// Counts people below each naming context, and looks at some of them.
    pub(super) fn find(
        link: &DirectoryLink,
        dse: &RootDse,
        arguments: &InitArgs,
        interview: &Interview,
    ) -> Result<Self, InitFault> {
        let contexts = contexts(link, dse, arguments)?;
        let counted = Census { link, is_active_directory: dse.vendor == ServerVendor::ActiveDirectory };
        let counted = contexts.iter().map(|context| counted.count(context)).collect::<Result<Vec<_>, _>>()?;
        let given = arguments.schema.as_deref().and_then(|given| SCHEMAS.into_iter().find(|own| *own == given));
        let schema = given.unwrap_or_else(|| schema_of(&counted));
        let inhabited: Vec<&CountedPlace> = counted.iter().filter(|place| place.people(schema) > 0).collect();
        let place = match inhabited.as_slice() {
            [] => return Err(nobody(link, &contexts, schema)?),
            [only] => *only,
            several => {
                let choices: Vec<String> =
                    several.iter().map(|one| format!("{}: {}", one.context, one.in_words(schema))).collect();
                let what =
                    "people are below several naming contexts, of which one directory of the configuration has one";
                let chosen = interview.choose(what, &choices, "--base")?;
                several.get(chosen).copied().ok_or(InitFault::Declined("no base was chosen"))?
            }
        };
        let base = if arguments.base.is_some() { place.context.clone() } else { place.base(schema) };
        let directory = link.directory_reading(base.as_str(), schema, None, &PLACES)?;
        let (entries, end) = link.runtime.block_on(sample(&directory))?;
        let unreadable = link.runtime.block_on(directory.unreadable(Vec::new())).map_err(InitFault::Search)?;
        Ok(Self {
            bases: place.bases(schema, &base),
            schemas: SCHEMAS.iter().map(|own| (*own, place.in_words(own))).collect(),
            names: name_usage(&entries, &directory.settings().attributes),
            followed: if dse.offers_synchronisation() {
                link.runtime.block_on(follow(&directory))
            } else {
                Err("the server does not offer content synchronisation (RFC 4533)".to_owned())
            },
            base,
            schema,
            entries,
            end,
            unreadable,
            directory,
        })
    }

    /// How many people are below the base.
    pub(super) fn counted(&self) -> String {
        let at_least = if self.end == SampleEnd::Complete { "" } else { "at least " };
        format!("{at_least}{}", in_people(self.entries.len()))
    }
}

/// A number of people, in words.
pub(super) fn in_people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

/// The trees in which people are searched for.
fn contexts(link: &DirectoryLink, dse: &RootDse, arguments: &InitArgs) -> Result<Vec<Dn>, InitFault> {
    if let Some(text) = &arguments.base {
        let right = "expected a DN such as ou=people,dc=example,dc=org";
        return Dn::parse(text)
            .map(|base| vec![base])
            .ok_or_else(|| InitFault::Option("--base", format!("\"{text}\" is not a distinguished name; {right}")));
    }
    if dse.naming_contexts.is_empty() {
        return Err(InitFault::NoNamingContext(who(link)));
    }
    Ok(dse.naming_contexts.clone())
}

/// How sentences name the one who searches.
pub(super) fn who(link: &DirectoryLink) -> String {
    link.service.as_ref().map_or_else(|| "an anonymous client".to_owned(), |service| service.dn.to_string())
}

/// The schema that finds (nearly) everybody; of several the first, since `inetOrgPerson` has mail addresses, which
/// `posixAccount` has not.
fn schema_of(counted: &[CountedPlace]) -> &'static str {
    let people = |schema: &&str| counted.iter().map(|place| place.people(schema)).sum::<usize>();
    let most = SCHEMAS.iter().map(people).max().unwrap_or_default();
    SCHEMAS
        .into_iter()
        .find(|schema| people(schema) > 0 && people(schema) * 10 >= most * 9)
        .unwrap_or("inet_org_person")
}

fn nobody(link: &DirectoryLink, contexts: &[Dn], schema: &str) -> Result<InitFault, InitFault> {
    let mut said = Vec::new();
    for context in contexts {
        let directory = link.directory(context.as_str(), schema, None)?;
        let instead = link.runtime.block_on(directory.instead_of_people());
        said.push(instead.unwrap_or_else(|fault| fault.to_string()));
    }
    let places = contexts.iter().map(Dn::to_string).collect::<Vec<_>>().join(" and ");
    Ok(InitFault::Nobody { places, who: who(link), instead: said.join("; ") })
}

async fn sample(directory: &Directory) -> Result<(Vec<Entry>, SampleEnd), InitFault> {
    let (mut walk, mut entries) = (directory.walk(), Vec::new());
    while let Some(found) = walk.next().await {
        // An entry that cannot be read as a person is reported by `check`.
        entries.extend(found.ok().filter(|entry| entry.out_of_scope.is_none()));
        if entries.len() >= SAMPLE {
            return Ok((entries, SampleEnd::Enough));
        }
    }
    let end = match walk.end().await.map_err(InitFault::Search)? {
        WalkEnd::Complete => SampleEnd::Complete,
        WalkEnd::CutShort(why) => SampleEnd::CutShort(why),
    };
    Ok((entries, end))
}

/// Follows the directory until it says that it can be followed, or that it cannot.
async fn follow(directory: &Directory) -> Result<(), String> {
    let (sender, mut changes) = mpsc::unbounded_channel();
    let following = directory.follow(move |change| drop(sender.send(change)));
    let first = async {
        tokio::select! {
            () = following => None,
            first = changes.recv() => first,
        }
    };
    match timeout(UNTIL_FOLLOWED, first).await {
        Ok(Some(Change::Lost(why))) => Err(why),
        Ok(Some(_)) => Ok(()),
        Ok(None) | Err(_) => Err(format!("the directory was not followed within {UNTIL_FOLLOWED:?}")),
    }
}
