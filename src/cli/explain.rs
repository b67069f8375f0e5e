//! The steps of a login as text and as JSON.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::directory::Verdict;
use crate::identity::{
    AccountReason, MailPlace, NameReason, Outcome, PasswordReason, Reason, RefusedLogin, TraceEvent,
};
use crate::maildir::MaildirCondition;
use crate::names::{Kind, LookUp, Policy};

/// A login name, and everything that was found about it.
pub(super) struct Explanation {
    pub(super) login: String,
    pub(super) policy: Policy,
    /// The mail root.
    pub(super) root: PathBuf,
    pub(super) steps: Vec<TraceEvent>,
    /// Where the mail is, or the outcome of the login.
    pub(super) end: Result<MailPlace, Box<Outcome>>,
    /// What is there.
    pub(super) mailbox: Option<Mailbox>,
}

/// What is at the path of a maildrop.
pub(super) enum Mailbox {
    /// The state of the Maildir.
    Seen(MaildirCondition),
    /// The mail root itself cannot be used; why.
    NoRoot(String),
}

impl Explanation {
    /// Whether a login would open mail.
    pub(super) fn is_usable(&self) -> bool {
        let is_elsewhere = matches!(self.end, Ok(MailPlace::Elsewhere(_)));
        is_elsewhere
            || matches!(self.mailbox, Some(Mailbox::Seen(MaildirCondition::Fine(_) | MaildirCondition::Missing)))
    }

    fn is_missing(&self) -> bool {
        matches!(self.mailbox, Some(Mailbox::Seen(MaildirCondition::Missing)))
    }

    /// The text: what was done, then the rule that decided.
    pub(super) fn text(&self) -> String {
        let kinds: Vec<&str> = self.kinds().collect();
        let mut text = format!("login name  {:?}\npolicy      {}\n", self.login, kinds.join(", "));
        for step in &self.steps {
            write_step(&mut text, step);
        }
        if let Some(mailbox) = &self.mailbox {
            let _ = writeln!(text, "mailbox     {}", mailbox.describe());
        }
        let (decision, rule) = self.decision();
        let _ = writeln!(text, "decision    {decision}\nrule        {rule}");
        text
    }

    /// One JSON object.
    pub(super) fn json(&self) -> String {
        let (decision, rule) = self.decision();
        let whole = json!({
            "login": self.login,
            "policy": self.kinds().collect::<Vec<_>>(),
            "steps": self.steps.iter().map(step_json).collect::<Vec<_>>(),
            "mailbox": self.mailbox.as_ref().map(|mailbox| json!({
                "path": self.path(),
                "state": mailbox.word(),
                "text": mailbox.describe(),
            })),
            "usable": self.is_usable(),
            "outcome": self.outcome(),
            "decision": decision,
            "rule": rule,
        });
        format!("{whole:#}\n")
    }

    fn kinds(&self) -> impl Iterator<Item = &'static str> {
        Kind::ALL.into_iter().filter(|kind| self.policy.allows(*kind)).map(Kind::word)
    }

    fn path(&self) -> Option<String> {
        let place = self.end.as_ref().ok().and_then(MailPlace::here);
        place.map(|path| self.root.join(path).display().to_string())
    }

    /// The outcome in one word.
    fn outcome(&self) -> &'static str {
        match self.end.as_ref().map_err(|outcome| &**outcome) {
            Ok(MailPlace::Elsewhere(_)) => "elsewhere",
            Ok(_) if self.is_usable() => "person",
            Ok(_) => "unusable_mailbox",
            Err(Outcome::Refused(refused)) => match &refused.reason {
                Reason::Name(NameReason::Unknown) => "no_such_name",
                Reason::Name(NameReason::OutsidePolicy) => "outside_policy",
                Reason::Name(NameReason::Ambiguous(_) | NameReason::TriedOnEach(_))
                | Reason::Password(PasswordReason::OfNone(_) | PasswordReason::OfSeveral(_)) => "ambiguous",
                Reason::Name(NameReason::OutsideLimits(_)) => "outside_limits",
                Reason::Name(NameReason::Invalid(_)) => "no_name",
                Reason::Account(AccountReason::NoMaildrop(_)) => "no_path",
                _ => "refused",
            },
            Err(Outcome::Forbidden(..)) => "forbidden_path",
            Err(Outcome::Misconfigured(_)) => "misconfigured",
            Err(Outcome::Unavailable(_) | Outcome::Proven(_)) => "unavailable",
        }
    }

    /// The decision, and the rule behind it.
    fn decision(&self) -> (String, &'static str) {
        match self.end.as_ref().map_err(|outcome| &**outcome) {
            Ok(MailPlace::Elsewhere(target)) => (
                format!("one person, whose session is passed on to {} as {}", target.host, target.user),
                "exactly one entry, and a host that relay.hosts lists",
            ),
            Ok(MailPlace::Here(path)) if self.is_missing() => (
                format!(
                    "one person; no Maildir at {} yet (clients see an empty mailbox)",
                    self.root.join(path).display()
                ),
                "exactly one entry, and a path below the mail root; is mail delivered there? see mailboxes.path",
            ),
            Ok(MailPlace::Here(path)) if self.is_usable() => (
                format!("one person, whose mail is in {}", self.root.join(path).display()),
                "exactly one entry, and a path below the mail root",
            ),
            Ok(_) => ("one person, whose mail cannot be opened".to_owned(), "clients get [SYS/TEMP] or [SYS/PERM]"),
            Err(Outcome::Refused(RefusedLogin {
                reason: reason @ Reason::Name(NameReason::TriedOnEach(_)), ..
            })) => (format!("undecided: {reason}"), rule(reason)),
            Err(Outcome::Refused(refused)) => (format!("refused: {}", refused.reason), rule(&refused.reason)),
            Err(Outcome::Forbidden(_, why)) => {
                (format!("one person, whose mail may not be opened: {why}"), "nothing outside the mail root is opened")
            }
            Err(Outcome::Misconfigured(why)) => {
                (format!("not possible: {why}"), "an administrator must fix this; clients get [SYS/PERM]")
            }
            Err(Outcome::Unavailable(why)) => (
                format!("undecided: {why}"),
                "the directory is unavailable; clients get [SYS/TEMP], unless the outage grace lets the person in",
            ),
            Err(Outcome::Proven(_)) => ("one person".to_owned(), "exactly one entry"),
        }
    }
}

fn rule(reason: &Reason) -> &'static str {
    match reason {
        Reason::Name(NameReason::Unknown) => "no entry of that name matches the directory's filter",
        Reason::Name(NameReason::OutsidePolicy) => {
            "internet_authentication.names allows no kind of name that this could be"
        }
        Reason::Name(NameReason::Ambiguous(_)) => "an ambiguous name is rejected",
        Reason::Name(NameReason::TriedOnEach(_))
        | Reason::Password(PasswordReason::OfNone(_) | PasswordReason::OfSeveral(_)) => {
            "internet_authentication.ambiguous: try_each requires that the password is right for exactly one of at most four people"
        }
        Reason::Name(NameReason::OutsideLimits(_)) => {
            "directories[].names_below and .mail_domains limit the names that a directory is responsible for"
        }
        Reason::Name(NameReason::Invalid(_)) => "a login name has 1 to 512 octets of UTF-8, without control characters",
        Reason::Account(AccountReason::NoMaildrop(_)) => {
            "mailboxes.path requires exactly one value of each attribute that it names"
        }
        Reason::Account(AccountReason::Excluded(_)) => {
            "allowed_group and enabled_attribute limit who may use the service"
        }
        _ => "the directory refused the password, or the state of the account bars it",
    }
}

impl Mailbox {
    fn word(&self) -> &'static str {
        match self {
            Self::Seen(MaildirCondition::Fine(_)) => "present",
            Self::Seen(MaildirCondition::Missing) => "missing",
            Self::Seen(MaildirCondition::Forbidden(_)) => "forbidden",
            Self::Seen(MaildirCondition::Unusable(..)) => "unusable",
            Self::NoRoot(_) => "no_root",
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Seen(MaildirCondition::Fine(_)) => "exists, and can be read and written".to_owned(),
            Self::Seen(MaildirCondition::Missing) => {
                "does not exist yet: clients see an empty mailbox until the first mail is delivered".to_owned()
            }
            Self::Seen(MaildirCondition::Forbidden(why) | MaildirCondition::Unusable(_, why)) | Self::NoRoot(why) => {
                why.clone()
            }
        }
    }
}

/// The kinds and values that a name is looked up as.
fn terms(look_up: &LookUp) -> Vec<(Kind, String)> {
    let by_dn = look_up.entry.iter().map(|dn| (Kind::DistinguishedName, dn.to_string()));
    let by_parents =
        look_up.hierarchical.iter().map(|name| (Kind::HierarchicalName, format!("{} and parents", name.common_name())));
    let by_value = look_up.equal.iter().map(|term| (term.kind, term.value.clone()));
    by_dn.chain(by_parents).chain(by_value).collect()
}

fn write_step(text: &mut String, step: &TraceEvent) {
    let _ = match step {
        TraceEvent::Name(_) => Ok(()),
        TraceEvent::Asked { directory, look_up, searches } => {
            let terms = terms(look_up);
            if terms.is_empty() {
                let _ = writeln!(
                    text,
                    "directory   {directory}: not asked, since the policy allows no kind of name that this could be"
                );
            }
            for (kind, value) in &terms {
                let _ = writeln!(text, "taken as    {kind} {value:?}");
            }
            searches.iter().try_for_each(|search| writeln!(text, "search      {directory}: {search}"))
        }
        TraceEvent::Answered { directory, entries } => {
            let _ = writeln!(text, "found       {directory}: {}", entry_count(entries.len()));
            entries.iter().try_for_each(|(dn, kind, misfit)| {
                let by = kind.map(|kind| format!(" by {kind}")).unwrap_or_default();
                let but = misfit.map(|misfit| format!(", but {misfit}")).unwrap_or_default();
                writeln!(text, "            {dn}{by}{but}")
            })
        }
        TraceEvent::OutsideLimits { directory } => {
            writeln!(text, "directory   {directory}: not asked, since names_below and mail_domains exclude this name")
        }
        TraceEvent::Unanswered { directory, fault } => writeln!(text, "no answer   {directory}: {fault}"),
        TraceEvent::Person { canonical_name, directory, dn, id } => {
            writeln!(text, "person      {canonical_name} in {directory}, entry {dn}, id {id}")
        }
        TraceEvent::TriedOnEach(people) => people.iter().try_for_each(|dn| writeln!(text, "tried on    {dn}")),
        TraceEvent::Account(status) => writeln!(text, "account     {status}"),
        TraceEvent::Scram { attribute, iterations: Some(count) } => {
            writeln!(text, "scram       {attribute} has credentials, {count} iterations")
        }
        TraceEvent::Scram { attribute, iterations: None } => {
            writeln!(text, "scram       {attribute} has no SCRAM-SHA-256 credentials, or cannot be read")
        }
        TraceEvent::Bind { dn, verdict } => writeln!(text, "bind        as {dn}: {}", describe_verdict(verdict)),
        TraceEvent::BindUnanswered(fault) => writeln!(text, "bind        {fault}"),
        TraceEvent::Proven(proof) => writeln!(text, "password    proven by {proof}"),
        TraceEvent::MailHost(target) => writeln!(text, "mail host   {}, as {}", target.host, target.user),
        TraceEvent::Maildrop(Ok(path)) => writeln!(text, "path        {path}, below the mail root"),
        TraceEvent::Maildrop(Err(refusal)) => writeln!(text, "path        none: {refusal}"),
        TraceEvent::Retention(retention) => writeln!(text, "expires     {retention}"),
    };
}

fn entry_count(entries: usize) -> String {
    match entries {
        0 => "no entry".to_owned(),
        1 => "one entry".to_owned(),
        2 => "2 entries".to_owned(),
        several => format!("{several} entries, perhaps more: no more are requested"),
    }
}

fn describe_verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Proven => "yes".to_owned(),
        Verdict::Grace { left } => format!("yes, by a grace login ({left} left): the password has expired"),
        Verdict::Refused(refusal) => format!("no, {refusal}"),
    }
}

fn step_json(step: &TraceEvent) -> Value {
    match step {
        TraceEvent::Name(name) => json!({ "step": "name", "name": name }),
        TraceEvent::Asked { directory, look_up, searches } => {
            let terms: Vec<Value> = terms(look_up)
                .into_iter()
                .map(|(kind, value)| json!({ "kind": kind.word(), "value": value }))
                .collect();
            json!({ "step": "asked", "directory": directory, "taken_as": terms, "searches": searches })
        }
        TraceEvent::Answered { directory, entries } => {
            let entries: Vec<Value> =
                entries.iter().map(|(dn, kind, misfit)| json!({
                    "dn": dn.as_str(), "kind": kind.map(Kind::word), "out_of_scope": misfit.map(|misfit| misfit.to_string()),
                })).collect();
            json!({ "step": "answered", "directory": directory, "entries": entries })
        }
        TraceEvent::Unanswered { directory, fault } => {
            json!({ "step": "unanswered", "directory": directory, "reason": fault.to_string() })
        }
        TraceEvent::OutsideLimits { directory } => json!({ "step": "outside_limits", "directory": directory }),
        TraceEvent::Person { canonical_name, directory, dn, id } => json!({
            "step": "person", "canonical_name": canonical_name, "directory": directory, "dn": dn.as_str(), "id": id,
        }),
        TraceEvent::TriedOnEach(people) => json!({ "step": "tried_on_each", "people": people }),
        TraceEvent::Account(status) => {
            json!({ "step": "account", "may_log_in": status.is_usable(), "text": status.to_string() })
        }
        TraceEvent::Scram { attribute, iterations } => {
            json!({ "step": "scram", "attribute": attribute, "iterations": iterations })
        }
        TraceEvent::Bind { dn, verdict } => json!({
            "step": "bind", "dn": dn.as_str(), "proven": !matches!(verdict, Verdict::Refused(_)), "text": describe_verdict(verdict),
        }),
        TraceEvent::BindUnanswered(fault) => json!({ "step": "bind", "proven": false, "text": fault.to_string() }),
        TraceEvent::Proven(proof) => json!({ "step": "proven", "proof": proof.to_string() }),
        TraceEvent::MailHost(target) => json!({ "step": "mail_host", "host": target.host, "user": target.user }),
        TraceEvent::Maildrop(Ok(path)) => json!({ "step": "maildrop", "path": path.to_string() }),
        TraceEvent::Maildrop(Err(refusal)) => {
            json!({ "step": "maildrop", "path": null, "reason": refusal.to_string() })
        }
        TraceEvent::Retention(retention) => json!({
            "step": "retention", "days": retention.expiry.map(|expiry| expiry.days()), "text": retention.to_string(),
        }),
    }
}
