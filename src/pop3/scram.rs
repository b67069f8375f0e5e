//! SASL SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), as messages: whether each is well-formed, belongs to
//! the others, and was sent on this connection. Salts, nonces and keys come from outside.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Mechanism;

/// The channel binding of a TLS connection, of the type `tls-exporter` (RFC 9266): both ends know it, and nobody in the
/// middle.
pub type ChannelBinding = [u8; 32];

/// The flag of a client that binds the channel by the only type that is supported here (RFC 5802 §7).
const BOUND: &str = "p=tls-exporter";

/// The login for which a client wants a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramLogin {
    /// The login name as typed; UTF-8.
    pub login: Vec<u8>,
    /// The authorization identity; UTF-8, empty if the client sends none.
    pub authorization: Vec<u8>,
    /// With or without channel binding.
    pub mechanism: Mechanism,
}

/// The contents of the server's first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramChallenge {
    /// The server's part of the nonce: printable ASCII without comma.
    pub nonce: String,
    /// The salt of the person's password.
    pub salt: Vec<u8>,
    /// How often it is hashed.
    pub iterations: u32,
}

/// The contents of the client's last message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramProof {
    /// `AuthMessage` (RFC 5802 §3): everything that both sides have sent.
    pub message: Vec<u8>,
    /// `ClientProof`.
    pub proof: [u8; 32],
}

/// Why a well-formed exchange proves nothing, whatever the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScramFault {
    /// The client answers another challenge.
    OtherNonce,
    /// The client is not on the same TLS connection as the server.
    OtherChannel,
    /// The client binds the channel by a type that is not supported here.
    OtherBindingType,
    /// The client believes that -PLUS was not offered, but it was.
    Downgrade,
}

impl fmt::Display for ScramFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherNonce => "SCRAM: the client answers another challenge",
            Self::OtherChannel => "SCRAM: the client is bound to another TLS connection; somebody may be in the middle",
            Self::OtherBindingType => "SCRAM: the client does not bind to the channel by tls-exporter",
            Self::Downgrade => "SCRAM: the client was not told of SCRAM-SHA-256-PLUS; somebody may be in the middle",
        })
    }
}

/// An exchange that waits for the client's next message.
pub(super) enum AwaitedMessage {
    /// Its first one, on a connection with this channel binding.
    First(Mechanism, Option<ChannelBinding>),
    /// Its last one.
    Last(Box<Challenged>),
    /// An empty line: the client accepts the server's signature.
    Content,
}

/// The result of a message.
pub(super) enum ScramProgress {
    Begun(Box<Begun>, ScramLogin),
    Answered(Result<ScramProof, ScramFault>),
    Content,
}

/// The client's first message was accepted.
pub(super) struct Begun {
    /// What the last message must repeat: the client's header and the channel binding.
    binding: Vec<u8>,
    /// `client-first-message-bare`.
    bare: String,
    /// The client's nonce.
    nonce: String,
    fault: Option<ScramFault>,
}

/// The server's first message was sent.
pub(super) struct Challenged {
    binding: Vec<u8>,
    /// `client-first-message-bare "," server-first-message`.
    said: String,
    /// Both nonces.
    nonce: String,
    fault: Option<ScramFault>,
}

impl AwaitedMessage {
    /// Its mechanism, as far as an exchange that has begun still knows it.
    pub(super) fn mechanism(&self) -> Mechanism {
        match self {
            Self::First(mechanism, _) => *mechanism,
            Self::Last(_) | Self::Content => Mechanism::ScramSha256,
        }
    }

    /// Takes a message; none if it is malformed.
    pub(super) fn take(self, message: &[u8]) -> Option<ScramProgress> {
        let text = std::str::from_utf8(message).ok().filter(|text| !text.contains('\0'))?;
        match self {
            Self::First(mechanism, binding) => {
                let (begun, login) = Begun::read(text, mechanism, binding)?;
                Some(ScramProgress::Begun(Box::new(begun), login))
            }
            Self::Last(challenged) => challenged.answered(text).map(ScramProgress::Answered),
            Self::Content => text.is_empty().then_some(ScramProgress::Content),
        }
    }

    /// Whether the directory was asked for it.
    pub(super) fn is_challenged(&self) -> bool {
        !matches!(self, Self::First(..))
    }
}

impl Begun {
    /// `client-first-message = gs2-header client-first-message-bare`, `gs2-header = gs2-cbind-flag "," [ authzid ] ","`
    /// (RFC 5802 §7); with the login.
    fn read(text: &str, mechanism: Mechanism, binding: Option<ChannelBinding>) -> Option<(Self, ScramLogin)> {
        let (flag, rest) = text.split_once(',')?;
        let (authorization, bare) = rest.split_once(',')?;
        let header = text.get(..text.len() - bare.len())?.as_bytes();
        if !has_form_of(flag, mechanism) {
            return None;
        }
        let mut parts = bare.split(',');
        let login = sasl_name(parts.next()?.strip_prefix("n=")?)?.into_bytes();
        let authorization = match authorization {
            "" => Vec::new(),
            named => sasl_name(named.strip_prefix("a=")?)?.into_bytes(),
        };
        let nonce = parts.next()?.strip_prefix("r=").filter(|nonce| is_nonce(nonce))?;
        if !parts.all(is_optional_extension) {
            return None;
        }
        let fault = fault_of(flag, mechanism, binding.is_some());
        let channel = binding.filter(|_| mechanism == Mechanism::ScramSha256Plus);
        let binding = [header, channel.as_ref().map_or(&[][..], |channel| channel)].concat();
        let begun = Self { binding, bare: bare.to_owned(), nonce: nonce.to_owned(), fault };
        Some((begun, ScramLogin { login, authorization, mechanism }))
    }

    /// `server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]` (RFC 5802 §7).
    pub(super) fn challenge(self, challenge: &ScramChallenge) -> (Challenged, String) {
        let nonce = self.nonce + &challenge.nonce;
        let first = format!("r={nonce},s={},i={}", STANDARD.encode(&challenge.salt), challenge.iterations);
        let said = format!("{},{first}", self.bare);
        (Challenged { binding: self.binding, said, nonce, fault: self.fault }, first)
    }
}

impl Challenged {
    /// `client-final-message = channel-binding "," nonce ["," extensions] "," proof` (RFC 5802 §7).
    fn answered(self, text: &str) -> Option<Result<ScramProof, ScramFault>> {
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let proof = STANDARD.decode(proof).ok()?.try_into().ok()?;
        let mut parts = without_proof.split(',');
        let binding = STANDARD.decode(parts.next()?.strip_prefix("c=")?).ok()?;
        let nonce = parts.next()?.strip_prefix("r=")?;
        if !parts.all(is_optional_extension) {
            return None;
        }
        let fault = if let Some(fault) = self.fault {
            Some(fault)
        } else if nonce != self.nonce {
            Some(ScramFault::OtherNonce)
        } else {
            (binding != self.binding).then_some(ScramFault::OtherChannel)
        };
        let message = format!("{},{without_proof}", self.said).into_bytes();
        Some(fault.map_or(Ok(ScramProof { message, proof }), Err))
    }
}

/// "n" and "y" come without channel binding, "p" and the type of the binding with it (RFC 5802 §6).
fn has_form_of(flag: &str, mechanism: Mechanism) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let binding_type = flag.strip_prefix("p=").filter(|name| !name.is_empty() && name.chars().all(is_of_name));
    if mechanism == Mechanism::ScramSha256Plus { binding_type.is_some() } else { matches!(flag, "n" | "y") }
}

/// "If the flag is set to "y" and the server supports channel binding, the server MUST fail authentication.  This is
/// because if the client sets the channel binding flag to "y", then the client must have believed that the server did not
/// support channel binding -- if the server did in fact support channel binding, then this is an indication that there has
/// been a downgrade attack" (RFC 5802 §6).
fn fault_of(flag: &str, mechanism: Mechanism, was_offered: bool) -> Option<ScramFault> {
    if mechanism == Mechanism::ScramSha256Plus {
        return (flag != BOUND).then_some(ScramFault::OtherBindingType);
    }
    (flag == "y" && was_offered).then_some(ScramFault::Downgrade)
}

/// `saslname = 1*(value-safe-char / "=2C" / "=3D")`. "If the server receives a username that contains '=' not followed by
/// either '2C' or '3D', then the server MUST fail the authentication." (RFC 5802 §5.1)
fn sasl_name(text: &str) -> Option<String> {
    let mut parts = text.split('=');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (escaped, rest) = part.split_at_checked(2)?;
        name.push(match escaped {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        name.push_str(rest);
    }
    (!name.is_empty()).then_some(name)
}

/// `printable = %x21-2B / %x2D-7E`, all of ASCII but blanks and the comma (RFC 5802 §7).
fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b',')
}

/// `attr-val = ALPHA "=" value`: unknown extensions are ignored, except "m", which must not be (RFC 5802 §5.1).
fn is_optional_extension(text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else { return false };
    matches!(name.as_bytes(), [letter] if letter.is_ascii_alphabetic() && *letter != b'm') && !value.is_empty()
}

#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
mod tests;
