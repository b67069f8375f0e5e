//! Tokens: what a bearer token (a JWT, RFC 7519) says, and whether it is valid.
//!
//! Nothing in a token decides how it is verified: issuer, audience, algorithms and keys are [`Settings`], and the
//! algorithms of a key follow from its type. Keys come from files, which are read again when they change (`issuers`);
//! none is fetched. Which person a token belongs to is decided by `identity`.
//!
//! The only module that knows the JWT library.
//!
//! | file | rule |
//! |---|---|
//! | `issuers` | all issuers; their keys are read again when the files change |
//! | `unverified` | which issuer a token names, before anything is verified |
//! | `bearer` | whether a token is valid, and whose it is |
//! | `claims` | audience, times, scope, the name |
//! | `keys`, `key`, `jwks`, `pem` | an issuer's keys, and the algorithms that fit each |
//! | `refusal` | why a token is rejected |

mod bearer;
mod claims;
mod issuers;
mod jwks;
mod key;
mod keys;
mod pem;
mod refusal;
mod settings;
mod unverified;

pub use bearer::{Bearer, RefusedToken};
pub use issuers::Issuers;
pub use jsonwebtoken::Algorithm;
pub use keys::KeyFault;
pub use refusal::TokenRefusal;
pub use settings::Settings;
