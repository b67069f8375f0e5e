//! What came of some credentials, and why.

use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

use crate::directory::{Exclusion, Fault, Refusal};
use crate::identity::Identity;
use crate::maildir::{MaildropPath, PathRefusal};
use crate::names::{Kind, LoginNameFault};
use crate::pop3::ScramFault;
use crate::secret::{PasswordFault, TokenFault};
use crate::token;

/// The end of a login.
#[derive(Debug)]
pub enum Outcome {
    /// They are this person's.
    Proven(ProvenLogin),
    /// They are nobody's, or the person may not log in.
    Refused(RefusedLogin),
    /// The directory gives no answer now.
    Unavailable(String),
    /// The directory gives no answer until an administrator mends something.
    Misconfigured(String),
    /// The person is known, but their mail would lie where nothing may be opened.
    Forbidden(Arc<Identity>, String),
}

/// A login that succeeded.
#[derive(Debug)]
pub struct ProvenLogin {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// Where their mail is.
    pub maildrop: MaildropPath,
    /// The kind of name that was typed, if our comparison and the directory's agree on one.
    pub kind: Option<Kind>,
    /// How it was proven.
    pub proof: Proof,
}

/// How a login was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a bind, just now.
    Bind,
    /// By a bind, just now, that the directory let pass by grace: the password has expired.
    GraceLogin {
        /// Logins left after this one.
        left: u64,
    },
    /// By a bind not long ago.
    Held,
    /// By a bind, or the look-up of a certificate's or token's owner, within the outage grace; the directory is silent.
    Grace,
    /// By a certificate alone.
    Certificate,
    /// By a SCRAM proof.
    Scram,
    /// By a token.
    Token,
}

/// A login that was refused: the true reason, for the log only.
#[derive(Debug)]
pub struct RefusedLogin {
    /// Who was meant, where that is known.
    pub identity: Option<Arc<Identity>>,
    /// Why.
    pub reason: Reason,
    /// By how many whole steps it is to be told later than a first refusal, because somebody seems to be guessing.
    pub delay_steps: u32,
}

/// Why a login was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// What was sent cannot be anybody's name.
    NoName(LoginNameFault),
    /// What was sent cannot be anybody's password.
    NoPassword(PasswordFault),
    /// The policy has no kind of name that this could be.
    OutsidePolicy,
    /// Nobody has that name.
    Nobody,
    /// No directory is for such a name, or for the entry that has it; why.
    OutsideLimits(String),
    /// Several people have that name; their DNs.
    Ambiguous(Vec<String>),
    /// It would be tried on each of several people; their DNs.
    TriedOnEach(Vec<String>),
    /// It was tried on each of several people, and is nobody's; what each of their directories said.
    NoneOfSeveral(Vec<String>),
    /// It was tried on each of several people, and is more than one's; their DNs.
    PasswordOfSeveral(Vec<String>),
    /// The directory said no, by the answer to a bind or by what stands in the entry.
    Directory(Refusal),
    /// The directory does not let this person use the service.
    Excluded(Exclusion),
    /// The listener takes no logins from where the client is.
    FromElsewhere,
    /// The directory said no to the same password not long ago.
    RefusedBefore,
    /// The SCRAM proof was made with another password.
    WrongProof,
    /// The SCRAM exchange proves nothing, whatever the proof.
    Scram(ScramFault),
    /// The client did not answer the SCRAM challenge.
    ChallengeUnanswered,
    /// The entry holds no SCRAM credentials that can be read.
    NoScramCredentials,
    /// The entry does not tell where the mail is.
    NoMaildrop(PathRefusal),
    /// A certificate is needed, and the client has none that counts; why.
    NoCertificate(String),
    /// The certificate is nobody's; why.
    CertificateOfNobody(String),
    /// The certificate is another person's than the password; that one's DN.
    CertificateOfAnother(String),
    /// It cannot be told which one's of several people the certificate is; their DNs.
    CertificateOfSeveral(Vec<String>),
    /// The authorization identity is no login name of the person whose password it is.
    NotOwnName,
    /// The authorization identity is no login name of the certificate's owner.
    NotTheirName,
    /// The authorization identity is no login name of the person whom the token is about.
    NotBearersName,
    /// Nobody's tokens count here.
    NoTokens,
    /// What was sent cannot be anybody's token.
    NoToken(TokenFault),
    /// The token does not count.
    Token(token::Refusal),
    /// The directory takes the token's name for this person's, but it is not to the letter, upper and lower case apart.
    OnlyAlike,
    /// There were too many wrong passwords; this one was not looked at.
    LockedOut(LockOutOf),
}

impl Outcome {
    /// A directory gave no answer, and nothing bridges that: nobody is told that they are wrong while it cannot be known.
    pub(crate) fn unanswered(fault: Fault) -> Self {
        match fault {
            Fault::Misconfigured(why) => Self::Misconfigured(why),
            Fault::Unavailable { why, .. } => Self::Unavailable(why),
        }
    }

    /// A login where a certificate is needed and none counts.
    #[must_use]
    pub fn no_certificate(why: String) -> Self {
        Self::Refused(RefusedLogin { identity: None, reason: Reason::NoCertificate(why), delay_steps: 0 })
    }
}

/// Which reason it is, whatever names and texts it is told with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReasonKind {
    reason: Discriminant<Reason>,
    of_directory: Option<Discriminant<Refusal>>,
    of_token: Option<Discriminant<token::Refusal>>,
}

impl Reason {
    /// Which one it is: reasons of one kind may differ in names and texts, some of which a client chooses.
    #[must_use]
    pub fn kind(&self) -> ReasonKind {
        let (of_directory, of_token) = match self {
            Self::Directory(refusal) => (Some(discriminant(refusal)), None),
            Self::Token(refusal) => (None, Some(discriminant(refusal))),
            _ => (None, None),
        };
        ReasonKind { reason: discriminant(self), of_directory, of_token }
    }
}

/// Whose wrong passwords were too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOutOf {
    /// The person's.
    Person,
    /// The person's, with those under way: many came at once.
    PersonAtOnce,
    /// Those for a name that leads to nobody, or to several people.
    Name,
    /// Those from the client's network.
    Network,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName(fault) => fault.fmt(f),
            Self::NoPassword(fault) => fault.fmt(f),
            Self::OutsidePolicy => f.write_str("the name policy has no kind of name that this could be"),
            Self::Nobody => f.write_str("nobody has that name"),
            Self::OutsideLimits(why) => write!(f, "outside the limits of the directories: {why}"),
            Self::Ambiguous(people) => write!(f, "ambiguous: {}", people.join(" and ")),
            Self::TriedOnEach(people) => write!(f, "not by the name alone, which is {}'s", people.join(" and ")),
            Self::NoneOfSeveral(people) => write!(f, "ambiguous, and nobody's password: {}", people.join(" and ")),
            Self::PasswordOfSeveral(people) => write!(f, "ambiguous, and the password of {}", people.join(" and ")),
            Self::Directory(refusal) => refusal.fmt(f),
            Self::Excluded(exclusion) => exclusion.fmt(f),
            Self::FromElsewhere => f.write_str("the listener takes no logins from that address"),
            Self::RefusedBefore => f.write_str("wrong password, refused before"),
            Self::WrongProof => f.write_str("wrong password"),
            Self::Scram(fault) => fault.fmt(f),
            Self::ChallengeUnanswered => f.write_str("the client did not answer the SCRAM challenge"),
            Self::NoScramCredentials => f.write_str("the entry holds no SCRAM-SHA-256 credentials"),
            Self::NoMaildrop(refusal) => write!(f, "no maildrop: {refusal}"),
            Self::NoCertificate(why) => f.write_str(why),
            Self::CertificateOfNobody(why) => write!(f, "certificate of nobody: {why}"),
            Self::CertificateOfAnother(owner) => write!(f, "the certificate is another person's: {owner}"),
            Self::CertificateOfSeveral(people) => write!(f, "ambiguous certificate: {}", people.join(" and ")),
            Self::NotOwnName => f.write_str("the authorization identity is no name of this person"),
            Self::NotTheirName => f.write_str("the authorization identity is no name of the certificate's owner"),
            Self::NotBearersName => f.write_str("the authorization identity is no name of the token's owner"),
            Self::NoTokens => f.write_str("nobody's tokens count here"),
            Self::NoToken(fault) => fault.fmt(f),
            Self::Token(refusal) => refusal.fmt(f),
            Self::OnlyAlike => f.write_str("the token's name is like this person's, but not to the letter"),
            Self::LockedOut(whose) => write!(f, "locked out: {whose}"),
        }
    }
}

impl fmt::Display for LockOutOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "too many wrong passwords of this person",
            Self::PersonAtOnce => "too many passwords of this person at once",
            Self::Name => "too many wrong passwords of this name",
            Self::Network => "too many refused logins from this network",
        })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind => f.write_str("bind"),
            Self::GraceLogin { left } => write!(f, "grace login, {left} left"),
            Self::Held => f.write_str("held"),
            Self::Grace => f.write_str("outage grace"),
            Self::Certificate => f.write_str("certificate"),
            Self::Scram => f.write_str("scram"),
            Self::Token => f.write_str("token"),
        }
    }
}
