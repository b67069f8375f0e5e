//! The ways to log in.
//!
//! In go credentials, the client's address and perhaps a certificate; out comes an `Outcome`. The order of the checks
//! is the same for all ways, and is written down in one function, `order::checks`. Each way is one struct that
//! implements `order::LoginMethod`: a new SASL mechanism is a new struct here, and one method of `IdentityMap`.
//!
//! | file | rule |
//! |---|---|
//! | `order` | all checks of a login, from top to bottom |
//! | `context` | what every way works with: directories, settings, caches, throttle |
//! | `second_factor` | a certificate sent in addition to other credentials must be the same person's |
//! | `account` | whether the account may log in, by the entry and by the last proof |
//! | `authorization` | the authorization identity must be a name of the same person |
//! | `outage` | while a directory is silent, everybody outside the grace gets the same answer |
//! | `password`, `bind`, `grace` | a name and a password: the cache, a bind, the outage grace |
//! | `namesakes` | a name of several people: the password must be right for exactly one of them |
//! | `certificate` | a certificate alone (SASL EXTERNAL) |
//! | `scram` | a challenge and its answer |
//! | `token` | a bearer token |
//! | `resolve` | the same without a password, for the administrator's commands |

mod account;
mod authorization;
mod bind;
mod certificate;
mod context;
mod grace;
mod namesakes;
mod order;
mod outage;
mod password;
mod resolve;
mod scram;
mod second_factor;
mod token;

pub(crate) use certificate::CertificateLogin;
pub(crate) use context::LoginContext;
pub(crate) use order::log_in;
pub(crate) use password::PasswordLogin;
pub use resolve::Resolved;
pub(crate) use resolve::resolve;
pub(crate) use scram::{DecoyCredentials, ScramAnswerLogin, ScramChallenger};
pub use scram::{ScramExchange, ServerSignature};
pub use second_factor::ShownCertificate;
pub use token::TokenJudgement;
pub(crate) use token::TokenLogin;
