//! Tokens: what a bearer token (a JWT, RFC 7519) says, and whether it may be believed.
//!
//! Nothing of a token decides how it is verified: issuer, audience, algorithms and keys are [`Settings`], and which
//! algorithms a key may be used with follows from the key's own type. Keys come from files that are looked at again and
//! again; no key is fetched from anywhere. Who the person is that a token speaks of is the identity map's matter.
//!
//! The only module that knows the JWT library.

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
