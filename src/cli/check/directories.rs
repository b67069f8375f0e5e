//! What `restante check` asks a directory: whether it answers, which people it has, and what it hides.

use std::time::{SystemTime, UNIX_EPOCH};

use super::clock::{self, ClockFinding};
use crate::audit::{Sample, SampleEnd, Sampled, sample};
use crate::directory::{self, AttributeNeed, AttributeUse, CertificateMapping, Directory};
use crate::identity::{self, AccountReason, IdentityMap, NameReason, Outcome, Reason, Trace};
use crate::maildir::Field;
use crate::names::Kind;

/// People who are looked up by a name of their own.
const LOOKED_UP: usize = 20;

/// People named in one sentence.
const NAMED: usize = 3;

/// What a directory lets the service see.
#[derive(Default)]
pub(super) struct Probed {
    /// A sentence for each thing that is wrong.
    pub(super) faults: Vec<String>,
    /// And for each that is worth knowing.
    pub(super) notes: Vec<String>,
    /// Some people; none where the directory gives no answer.
    pub(super) sample: Option<Sample>,
    /// What its time says about ours.
    pub(super) clock: Option<ClockFinding>,
}

impl Probed {
    /// How many people there are, and which entries are people.
    pub(super) fn counted(&self, of: &directory::Settings) -> Option<String> {
        let sample = self.sample.as_ref()?;
        Some(format!("directory {}: {} below {}, matching {}", of.name, sample.counted(), of.base, of.filter))
    }
}

/// Asks a directory everything that `check` reports; a missing answer is a fault like any other.
pub(super) async fn probe(directory: &Directory, settings: &identity::Settings, certificates: bool) -> Probed {
    let mut probed = Probed::default();
    if let Err(fault) = examine(directory, settings, certificates, &mut probed).await {
        probed.faults.push(fault.to_string());
    }
    probed
}

async fn examine(
    directory: &Directory,
    settings: &identity::Settings,
    certificates: bool,
    probed: &mut Probed,
) -> Result<(), directory::Fault> {
    directory.probe().await?;
    // A server that does not show its root DSE may work well.
    if let Ok(Some(dse)) = directory.root_dse().await {
        probed.clock = dse.current_time.and_then(|theirs| clock::compare(theirs, seconds_since_1970()));
    }
    probed.faults.extend(directory.unreadable(needs(directory.settings(), settings, certificates)).await?);
    let sample = sample(directory, settings).await?;
    if sample.people.is_empty() {
        probed.faults.push(nobody(directory, &sample).await?);
    }
    probed.faults.extend(without_place(&sample));
    probed.notes.extend(partly(&sample));
    probed.notes.extend(nameless(&sample, directory.settings(), settings));
    probed.sample = Some(sample);
    Ok(())
}

fn seconds_since_1970() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

async fn nobody(directory: &Directory, sample: &Sample) -> Result<String, directory::Fault> {
    let directory::Settings { base, filter, .. } = directory.settings();
    if let Some(first) = sample.unreadable.first() {
        return Ok(format!("no people found: none of {} entries below {base} can be read: {first}", sample.seen()));
    }
    if sample.outside_limits > 0 {
        let outside = sample.outside_limits;
        return Ok(format!("no people found: all {outside} people are outside names_below and mail_domains"));
    }
    let instead = directory.instead_of_people().await?;
    Ok(format!("no people found: no entry below {base} matches {filter}; {instead}"))
}

/// Reports that nobody has a mail path.
fn without_place(sample: &Sample) -> Option<String> {
    let first = sample.here().next()?;
    let (why, all) = (first.maildrop.as_ref().err()?, sample.here().all(|person| person.maildrop.is_err()));
    all.then(|| format!("mailboxes.path gives a path for none of {}: {why}", sample.counted()))
}

fn partly(sample: &Sample) -> Vec<String> {
    let without: Vec<&Sampled> = sample.here().filter(|person| person.maildrop.is_err()).collect();
    let names = without.iter().take(NAMED).map(|person| person.canonical_name.as_str()).collect::<Vec<_>>().join(", ");
    let more = if without.len() > NAMED { ", …" } else { "" };
    let is_some = !without.is_empty() && without.len() < sample.here().count();
    let unplaced = is_some.then(|| {
        format!("{} of {} have no mail path ({names}{more}) and cannot log in", without.len(), sample.counted())
    });
    let outside = (sample.outside_limits > 0)
        .then(|| format!("{} other people are outside names_below and mail_domains", sample.outside_limits));
    let unreadable = sample.unreadable.first().map(|why| format!("some entries cannot be read as people: {why}"));
    let cut_short = match &sample.end {
        SampleEnd::CutShort(why) => {
            Some(format!("the directory does not list all people, as `audit` and --all require: {why}"))
        }
        SampleEnd::Complete | SampleEnd::Enough => None,
    };
    [unplaced, outside, unreadable, cut_short].into_iter().flatten().collect()
}

/// The kinds of name that the policy allows but nobody has.
fn nameless(sample: &Sample, of: &directory::Settings, settings: &identity::Settings) -> Vec<String> {
    let is_allowed = |kind: &Kind| settings.policy.allows(*kind) && !of.attributes.of(*kind).is_empty();
    let unused = Kind::ALL.into_iter().filter(|kind| is_allowed(kind) && !sample.kinds.contains(kind));
    let sentence = |kind: Kind| {
        let attributes: Vec<&str> = of.attributes.of(kind).iter().map(|own| own.attribute.as_str()).collect();
        format!("none of {} has {}, so nobody can log in by {}", sample.counted(), attributes.join(" or "), kind.word())
    };
    if sample.people.is_empty() { Vec::new() } else { unused.map(sentence).collect() }
}

/// The attributes that this configuration needs, in addition to those that every directory is asked for.
fn needs(of: &directory::Settings, settings: &identity::Settings, certificates: bool) -> Vec<AttributeNeed> {
    let need =
        |attributes: Vec<String>, by, purpose: &str| AttributeNeed { attributes, by, purpose: purpose.to_owned() };
    let mut needs = Vec::new();
    for kind in Kind::ALL {
        let attributes: Vec<String> = of.attributes.of(kind).iter().map(|own| own.attribute.clone()).collect();
        if attributes.is_empty() {
            continue;
        }
        if settings.policy.allows(kind) {
            let purpose = format!("by which people are found ({} in internet_authentication.names)", kind.word());
            needs.push(need(attributes, AttributeUse::Search, &purpose));
        } else if fills_path(kind, settings) {
            needs.push(need(attributes, AttributeUse::Read, "which mailboxes.path needs"));
        }
    }
    for attribute in settings.template.attributes() {
        needs.push(need(vec![attribute.to_owned()], AttributeUse::Read, "which mailboxes.path needs"));
    }
    if let Some((attribute, _)) = &of.admission.enabled_attribute {
        needs.push(need(vec![attribute.clone()], AttributeUse::Read, "where enabled_attribute says who may log in"));
    }
    if let Some(attribute) = &of.attributes.scram {
        let purpose = "where attributes.scram says that SCRAM credentials are";
        needs.push(need(vec![attribute.clone()], AttributeUse::Secret, purpose));
    }
    if let Some(by_person) = &settings.retention.by_person {
        let purpose = "where expire.attribute says how long mail stays";
        needs.push(need(vec![by_person.attribute.clone()], AttributeUse::Read, purpose));
    }
    if certificates && of.certificate_mapping == CertificateMapping::Key {
        let attribute = of.attributes.certificate.clone();
        needs.push(need(vec![attribute], AttributeUse::Read, "with which client certificates are compared"));
    }
    needs
}

fn fills_path(kind: Kind, settings: &identity::Settings) -> bool {
    settings.template.fields().any(|field| match field {
        Field::ShortName | Field::CanonicalName => kind == Kind::ShortName,
        Field::Mail | Field::MailLocal | Field::MailDomain => kind == Kind::Mail,
        Field::Attribute(_) => false,
    })
}

/// Looks some people up by one of their names, as a login does; the reason if none of them is found.
pub(super) async fn not_found_by_name(identities: &IdentityMap, sample: &Sample) -> Option<String> {
    let logins: Vec<&str> = sample.people.iter().filter_map(|person| person.login.as_deref()).take(LOOKED_UP).collect();
    if logins.is_empty() && !sample.people.is_empty() {
        return Some("nobody has a name of a kind that internet_authentication.names allows".to_owned());
    }
    let mut first = None;
    for login in &logins {
        match identities.resolve(login.as_bytes(), Trace::OFF).await {
            Err(Outcome::Refused(refused)) if keeps_everybody_out(&refused.reason) => {
                first.get_or_insert_with(|| format!("{login}: {}", refused.reason));
            }
            _ => return None,
        }
    }
    first.map(|first| format!("none of {} people looked up may log in ({first})", logins.len()))
}

/// Whether a reason applies to everybody.
fn keeps_everybody_out(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Name(NameReason::Unknown | NameReason::OutsidePolicy | NameReason::OutsideLimits(_))
            | Reason::Account(AccountReason::Excluded(_))
    )
}
