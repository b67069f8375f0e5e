//! The steps of a login in words, for people and for machines.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::directory::Verdict;
use crate::identity::{AccountReason, NameReason, Outcome, PasswordReason, Reason, RefusedLogin, TraceEvent};
use crate::maildir::{Condition, MaildropPath};
use crate::names::{Kind, LookUp, Policy};

/// A login name, and everything that was found out about it.
pub(super) struct Explanation {
    pub(super) login: String,
    pub(super) policy: Policy,
    /// The mail root.
    pub(super) root: PathBuf,
    pub(super) steps: Vec<TraceEvent>,
    /// Where the mail is, or how the login ends otherwise.
    pub(super) end: Result<MaildropPath, Box<Outcome>>,
    /// What lies there.
    pub(super) mailbox: Option<Mailbox>,
}

/// What lies at the path of a maildrop.
pub(super) enum Mailbox {
    /// As the disk says.
    Seen(Condition),
    /// The mail root itself is not as it must be; why.
    NoRoot(String),
}

impl Explanation {
    /// Whether a login would open mail.
    pub(super) fn is_usable(&self) -> bool {
        matches!(self.mailbox, Some(Mailbox::Seen(Condition::Fine(_) | Condition::Missing)))
    }

    fn is_missing(&self) -> bool {
        matches!(self.mailbox, Some(Mailbox::Seen(Condition::Missing)))
    }

    /// For people: what was done, then the rule that decided.
    pub(super) fn text(&self) -> String {
        let kinds: Vec<&str> = self.kinds().collect();
        let mut text = format!("login name  {:?}\npolicy      {}\n", self.login, kinds.join(", "));
        for step in &self.steps {
            tell(&mut text, step);
        }
        if let Some(mailbox) = &self.mailbox {
            let _ = writeln!(text, "mailbox     {}", mailbox.words());
        }
        let (decision, rule) = self.decision();
        let _ = writeln!(text, "decision    {decision}\nrule        {rule}");
        text
    }

    /// For machines.
    pub(super) fn json(&self) -> String {
        let (decision, rule) = self.decision();
        let whole = json!({
            "login": self.login,
            "policy": self.kinds().collect::<Vec<_>>(),
            "steps": self.steps.iter().map(machine).collect::<Vec<_>>(),
            "mailbox": self.mailbox.as_ref().map(|mailbox| json!({
                "path": self.path(),
                "state": mailbox.word(),
                "words": mailbox.words(),
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
        self.end.as_ref().ok().map(|path| self.root.join(path).display().to_string())
    }

    /// One word for how it ends.
    fn outcome(&self) -> &'static str {
        match self.end.as_ref().map_err(|outcome| &**outcome) {
            Ok(_) if self.is_usable() => "person",
            Ok(_) => "unusable_mailbox",
            Err(Outcome::Refused(refused)) => match &refused.reason {
                Reason::Name(NameReason::Unknown) => "nobody",
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

    /// What is decided, and by which rule.
    fn decision(&self) -> (String, &'static str) {
        match self.end.as_ref().map_err(|outcome| &**outcome) {
            Ok(path) if self.is_missing() => (
                format!(
                    "one person; no Maildir at {} yet (clients see an empty mailbox)",
                    self.root.join(path).display()
                ),
                "exactly one entry, and a path below the mail root; is mail delivered there? see mailboxes.path",
            ),
            Ok(path) if self.is_usable() => (
                format!("one person, whose mail is in {}", self.root.join(path).display()),
                "exactly one entry, and a path below the mail root",
            ),
            Ok(_) => {
                ("one person, whose mail cannot be opened".to_owned(), "a login would be told [SYS/TEMP] or [SYS/PERM]")
            }
            Err(Outcome::Refused(RefusedLogin {
                reason: reason @ Reason::Name(NameReason::TriedOnEach(_)), ..
            })) => (format!("not known: {reason}"), rule(reason)),
            Err(Outcome::Refused(refused)) => (format!("refused: {}", refused.reason), rule(&refused.reason)),
            Err(Outcome::Forbidden(_, why)) => (
                format!("one person, whose mail may not be opened: {why}"),
                "nothing outside the mail root is ever opened",
            ),
            Err(Outcome::Misconfigured(why)) => {
                (format!("not possible: {why}"), "an administrator must mend this; a login is told [SYS/PERM]")
            }
            Err(Outcome::Unavailable(why)) => (
                format!("not known: {why}"),
                "no answer is not \"no\"; a login is told [SYS/TEMP], or bridged by the outage grace",
            ),
            Err(Outcome::Proven(_)) => ("one person".to_owned(), "exactly one entry"),
        }
    }
}

fn rule(reason: &Reason) -> &'static str {
    match reason {
        Reason::Name(NameReason::Unknown) => "no entry of that name matches the directory's filter",
        Reason::Name(NameReason::OutsidePolicy) => {
            "internet_authentication.names has no kind of name that this could be"
        }
        Reason::Name(NameReason::Ambiguous(_)) => "a name that several people have logs nobody in",
        Reason::Name(NameReason::TriedOnEach(_))
        | Reason::Password(PasswordReason::OfNone(_) | PasswordReason::OfSeveral(_)) => {
            "internet_authentication.ambiguous: try_each wants a password that is exactly one's of at most four people"
        }
        Reason::Name(NameReason::OutsideLimits(_)) => {
            "directories[].names_below and .mail_domains say which names a directory is for"
        }
        Reason::Name(NameReason::Invalid(_)) => "a login name is UTF-8 without control characters, of 1 to 512 octets",
        Reason::Account(AccountReason::NoMaildrop(_)) => {
            "mailboxes.path wants exactly one value of each attribute that it names"
        }
        Reason::Account(AccountReason::Excluded(_)) => {
            "allowed_group and enabled_attribute say who may use this service"
        }
        _ => "the directory, by the entry or by a bind as the person, has the last word",
    }
}

impl Mailbox {
    fn word(&self) -> &'static str {
        match self {
            Self::Seen(Condition::Fine(_)) => "there",
            Self::Seen(Condition::Missing) => "missing",
            Self::Seen(Condition::Forbidden(_)) => "forbidden",
            Self::Seen(Condition::Unusable(..)) => "unusable",
            Self::NoRoot(_) => "no_root",
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Seen(Condition::Fine(_)) => "is there, and may be read and written".to_owned(),
            Self::Seen(Condition::Missing) => {
                "is not there yet: clients see an empty mailbox until the first mail is delivered".to_owned()
            }
            Self::Seen(Condition::Forbidden(why) | Condition::Unusable(_, why)) | Self::NoRoot(why) => why.clone(),
        }
    }
}

/// What a name stands for in a directory: pairs of a kind and a value.
fn terms(look_up: &LookUp) -> Vec<(Kind, String)> {
    let by_dn = look_up.entry.iter().map(|dn| (Kind::DistinguishedName, dn.to_string()));
    let by_parents =
        look_up.hierarchical.iter().map(|name| (Kind::HierarchicalName, format!("{} and parents", name.common_name())));
    let by_value = look_up.equal.iter().map(|term| (term.kind, term.value.clone()));
    by_dn.chain(by_parents).chain(by_value).collect()
}

fn tell(text: &mut String, step: &TraceEvent) {
    let _ = match step {
        TraceEvent::Name(_) => Ok(()),
        TraceEvent::Asked { directory, look_up, searches } => {
            let terms = terms(look_up);
            if terms.is_empty() {
                let _ = writeln!(text, "directory   {directory}: not asked, the policy has no kind of name for this");
            }
            for (kind, value) in &terms {
                let _ = writeln!(text, "taken as    {kind} {value:?}");
            }
            searches.iter().try_for_each(|search| writeln!(text, "search      {directory}: {search}"))
        }
        TraceEvent::Answered { directory, entries } => {
            let _ = writeln!(text, "found       {directory}: {}", counted(entries.len()));
            entries.iter().try_for_each(|(dn, kind, misfit)| {
                let by = kind.map(|kind| format!(" by {kind}")).unwrap_or_default();
                let but = misfit.map(|misfit| format!(", but {misfit}")).unwrap_or_default();
                writeln!(text, "            {dn}{by}{but}")
            })
        }
        TraceEvent::OutsideLimits { directory } => {
            writeln!(text, "directory   {directory}: not asked, names_below and mail_domains leave this name out")
        }
        TraceEvent::Unanswered { directory, fault } => writeln!(text, "no answer   {directory}: {fault}"),
        TraceEvent::Person { canonical_name, directory, dn, id } => {
            writeln!(text, "person      {canonical_name} in {directory}, entry {dn}, id {id}")
        }
        TraceEvent::TriedOnEach(people) => people.iter().try_for_each(|dn| writeln!(text, "tried on    {dn}")),
        TraceEvent::Account(status) => writeln!(text, "account     {status}"),
        TraceEvent::Scram { attribute, iterations: Some(count) } => {
            writeln!(text, "scram       {attribute} holds credentials, {count} iterations")
        }
        TraceEvent::Scram { attribute, iterations: None } => {
            writeln!(text, "scram       {attribute} holds no SCRAM-SHA-256 credentials, or cannot be read")
        }
        TraceEvent::Bind { dn, verdict } => writeln!(text, "bind        as {dn}: {}", verdict_words(verdict)),
        TraceEvent::BindUnanswered(fault) => writeln!(text, "bind        {fault}"),
        TraceEvent::Proven(proof) => writeln!(text, "password    proven by {proof}"),
        TraceEvent::Maildrop(Ok(path)) => writeln!(text, "path        {path}, below the mail root"),
        TraceEvent::Maildrop(Err(refusal)) => writeln!(text, "path        none: {refusal}"),
        TraceEvent::Retention(retention) => writeln!(text, "expires     {retention}"),
    };
}

fn counted(entries: usize) -> String {
    match entries {
        0 => "no entry".to_owned(),
        1 => "one entry".to_owned(),
        2 => "2 entries".to_owned(),
        several => format!("{several} entries, and perhaps more: no more are asked for"),
    }
}

fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Proven => "yes".to_owned(),
        Verdict::Grace { left } => format!("yes, by grace, {left} logins left: the password has expired"),
        Verdict::Refused(refusal) => format!("no, {refusal}"),
    }
}

fn machine(step: &TraceEvent) -> Value {
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
                    "dn": dn.as_str(), "kind": kind.map(Kind::word), "misfit": misfit.map(|misfit| misfit.to_string()),
                })).collect();
            json!({ "step": "answered", "directory": directory, "entries": entries })
        }
        TraceEvent::Unanswered { directory, fault } => {
            json!({ "step": "unanswered", "directory": directory, "why": fault.to_string() })
        }
        TraceEvent::OutsideLimits { directory } => json!({ "step": "outside_limits", "directory": directory }),
        TraceEvent::Person { canonical_name, directory, dn, id } => json!({
            "step": "person", "canonical_name": canonical_name, "directory": directory, "dn": dn.as_str(), "id": id,
        }),
        TraceEvent::TriedOnEach(people) => json!({ "step": "tried_on_each", "people": people }),
        TraceEvent::Account(status) => {
            json!({ "step": "account", "free": status.is_usable(), "words": status.to_string() })
        }
        TraceEvent::Scram { attribute, iterations } => {
            json!({ "step": "scram", "attribute": attribute, "iterations": iterations })
        }
        TraceEvent::Bind { dn, verdict } => json!({
            "step": "bind", "dn": dn.as_str(), "proven": !matches!(verdict, Verdict::Refused(_)), "words": verdict_words(verdict),
        }),
        TraceEvent::BindUnanswered(fault) => json!({ "step": "bind", "proven": false, "words": fault.to_string() }),
        TraceEvent::Proven(proof) => json!({ "step": "proven", "proof": proof.to_string() }),
        TraceEvent::Maildrop(Ok(path)) => json!({ "step": "maildrop", "path": path.to_string() }),
        TraceEvent::Maildrop(Err(refusal)) => json!({ "step": "maildrop", "path": null, "why": refusal.to_string() }),
        TraceEvent::Retention(retention) => json!({
            "step": "retention", "days": retention.expiry.map(|expiry| expiry.days()), "words": retention.to_string(),
        }),
    }
}
