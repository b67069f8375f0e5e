//! Why a login was refused: for the log alone, since every refusal looks the same to a client.

use std::fmt;
use std::mem::{Discriminant, discriminant};

use crate::directory::{DirectoryRefusal, Exclusion};
use crate::maildir::PathRefusal;
use crate::names::LoginNameFault;
use crate::pop3::ScramFault;
use crate::secret::{PasswordFault, TokenFault};
use crate::token::TokenRefusal;

/// Why a login was refused, grouped by what is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The login name.
    Name(NameReason),
    /// The password, or the proof that was made from it.
    Password(PasswordReason),
    /// The client certificate.
    Certificate(CertificateReason),
    /// The token.
    Token(TokenReason),
    /// There were too many wrong passwords; this one was not checked.
    LockedOut(LockOutOf),
    /// The account, whatever the credentials.
    Account(AccountReason),
    /// The listener accepts no logins from the client's address.
    AddressNotAllowed,
}

/// What is wrong with a login name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameReason {
    /// The octets sent are not a login name.
    Invalid(LoginNameFault),
    /// The policy has no kind of name that this could be.
    OutsidePolicy,
    /// No entry has this name.
    Unknown,
    /// It is outside the limits of the directories.
    OutsideLimits(OutsideLimits),
    /// Several people have this name; their DNs.
    Ambiguous(Vec<String>),
    /// Several people have this name, and a password would be tried on each; their DNs.
    TriedOnEach(Vec<String>),
}

/// What is outside the limits of the directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutsideLimits {
    /// The name: no directory is asked for it.
    Name,
    /// The entry that has the name; why.
    Entry(String),
}

/// What is wrong with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordReason {
    /// The octets sent are not a password.
    Invalid(PasswordFault),
    /// The directory refused it.
    Refused(DirectoryRefusal),
    /// The directory refused the same password not long ago.
    RefusedBefore,
    /// It was tried for each of several people, and is nobody's; what each of their directories said.
    OfNone(Vec<String>),
    /// It was tried for each of several people, and is right for more than one; their DNs.
    OfSeveral(Vec<String>),
    /// The SCRAM proof was made with another password.
    WrongProof,
    /// The SCRAM exchange proves nothing, whatever the proof.
    Scram(ScramFault),
    /// The client did not answer the SCRAM challenge.
    ChallengeUnanswered,
    /// The entry has no SCRAM credentials that can be read.
    NoScramCredentials,
    /// The authorization identity is not a login name of the person whose password it is.
    OtherAuthorization,
}

/// What is wrong with a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateReason {
    /// A certificate is required, and the client has no valid one; why.
    Missing(String),
    /// It is nobody's; why.
    OfNobody(String),
    /// It is not the certificate of the person whose password it came with; its owner's DN.
    OfAnother(String),
    /// It may be that of several people; their DNs.
    OfSeveral(Vec<String>),
    /// The authorization identity is not a login name of its owner.
    OtherAuthorization,
}

/// What is wrong with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenReason {
    /// No issuer is configured.
    NotAccepted,
    /// The octets sent are not a token.
    Invalid(TokenFault),
    /// It is rejected.
    Refused(TokenRefusal),
    /// The directory matches the token's name with this person's, but they are not equal letter by letter.
    NotToTheLetter,
    /// The authorization identity is not a login name of the token's owner.
    OtherAuthorization,
}

/// What is wrong with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountReason {
    /// The directory refuses the login, by its answer to a bind or by what the entry says.
    Refused(DirectoryRefusal),
    /// The directory does not let this person use the service.
    Excluded(Exclusion),
    /// The entry does not say where the mail is.
    NoMaildrop(PathRefusal),
}

/// Who is locked out by too many wrong passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOutOf {
    /// The person.
    Person,
    /// The person, if passwords that are still being judged are counted: many came at once.
    PersonAtOnce,
    /// A name that leads to nobody, or to several people.
    Name,
    /// The client's network.
    Network,
}

/// A kind of reason, without the names and texts in it, some of which a client chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReasonKind(Discriminant<Reason>, Within);

/// What is distinguished within a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Within {
    Name(Discriminant<NameReason>),
    Password(Discriminant<PasswordReason>, Option<Discriminant<DirectoryRefusal>>),
    Certificate(Discriminant<CertificateReason>),
    Token(Discriminant<TokenReason>, Option<Discriminant<TokenRefusal>>),
    Account(Discriminant<AccountReason>, Option<Discriminant<DirectoryRefusal>>),
    Whole,
}

impl Reason {
    /// Which kind of reason it is.
    #[must_use]
    pub fn kind(&self) -> ReasonKind {
        let within = match self {
            Self::Name(reason) => Within::Name(discriminant(reason)),
            Self::Password(reason) => {
                let refusal = if let PasswordReason::Refused(refusal) = reason { Some(refusal) } else { None };
                Within::Password(discriminant(reason), refusal.map(discriminant))
            }
            Self::Certificate(reason) => Within::Certificate(discriminant(reason)),
            Self::Token(reason) => {
                let refusal = if let TokenReason::Refused(refusal) = reason { Some(refusal) } else { None };
                Within::Token(discriminant(reason), refusal.map(discriminant))
            }
            Self::Account(reason) => {
                let refusal = if let AccountReason::Refused(refusal) = reason { Some(refusal) } else { None };
                Within::Account(discriminant(reason), refusal.map(discriminant))
            }
            Self::LockedOut(_) | Self::AddressNotAllowed => Within::Whole,
        };
        ReasonKind(discriminant(self), within)
    }
}

impl From<DirectoryRefusal> for Reason {
    /// A refusal is about the password where another password might be accepted, else about the account.
    fn from(refusal: DirectoryRefusal) -> Self {
        match refusal {
            DirectoryRefusal::WrongPassword | DirectoryRefusal::WrongOrLocked | DirectoryRefusal::NoSuchEntry => {
                Self::Password(PasswordReason::Refused(refusal))
            }
            refusal => Self::Account(AccountReason::Refused(refusal)),
        }
    }
}

impl From<LoginNameFault> for Reason {
    fn from(fault: LoginNameFault) -> Self {
        Self::Name(NameReason::Invalid(fault))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(reason) => reason.fmt(f),
            Self::Password(reason) => reason.fmt(f),
            Self::Certificate(reason) => reason.fmt(f),
            Self::Token(reason) => reason.fmt(f),
            Self::LockedOut(whose) => write!(f, "locked out: {whose}"),
            Self::Account(reason) => reason.fmt(f),
            Self::AddressNotAllowed => f.write_str("the listener takes no logins from that address"),
        }
    }
}

impl fmt::Display for NameReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(fault) => fault.fmt(f),
            Self::OutsidePolicy => f.write_str("not a kind of name that internet_authentication.names allows"),
            Self::Unknown => f.write_str("no such login name"),
            Self::OutsideLimits(what) => write!(f, "outside the limits of the directories: {what}"),
            Self::Ambiguous(people) => write!(f, "ambiguous: {}", people.join(" and ")),
            Self::TriedOnEach(people) => {
                write!(f, "only with a password, since several people have that name: {}", people.join(" and "))
            }
        }
    }
}

impl fmt::Display for OutsideLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "no directory accepts such a name",
            Self::Entry(why) => why,
        })
    }
}

impl fmt::Display for PasswordReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(fault) => fault.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::RefusedBefore => f.write_str("wrong password, refused before"),
            Self::OfNone(people) => write!(f, "ambiguous, and the password is wrong for all: {}", people.join(" and ")),
            Self::OfSeveral(people) => write!(f, "ambiguous, and the password is right for {}", people.join(" and ")),
            Self::WrongProof => f.write_str("wrong password"),
            Self::Scram(fault) => fault.fmt(f),
            Self::ChallengeUnanswered => f.write_str("the client did not answer the SCRAM challenge"),
            Self::NoScramCredentials => f.write_str("the entry has no SCRAM-SHA-256 credentials"),
            Self::OtherAuthorization => f.write_str("the authorization identity is not a name of this person"),
        }
    }
}

impl fmt::Display for CertificateReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(why) => f.write_str(why),
            Self::OfNobody(why) => write!(f, "no person found for the certificate: {why}"),
            Self::OfAnother(owner) => write!(f, "the certificate is another person's: {owner}"),
            Self::OfSeveral(people) => write!(f, "ambiguous certificate: {}", people.join(" and ")),
            Self::OtherAuthorization => {
                f.write_str("the authorization identity is not a name of the certificate's owner")
            }
        }
    }
}

impl fmt::Display for TokenReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAccepted => f.write_str("no tokens are accepted here"),
            Self::Invalid(fault) => fault.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotToTheLetter => f.write_str("the token's name does not match this person's exactly"),
            Self::OtherAuthorization => f.write_str("the authorization identity is not a name of the token's owner"),
        }
    }
}

impl fmt::Display for AccountReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Excluded(exclusion) => exclusion.fmt(f),
            Self::NoMaildrop(refusal) => write!(f, "no maildrop: {refusal}"),
        }
    }
}

impl fmt::Display for LockOutOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "too many wrong passwords for this person",
            Self::PersonAtOnce => "too many passwords for this person at once",
            Self::Name => "too many wrong passwords for this name",
            Self::Network => "too many refused logins from this network",
        })
    }
}
