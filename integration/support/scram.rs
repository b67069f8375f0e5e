//! SCRAM as a client does it, written by the book and independent of the server's code; and what a directory's
//! administrator writes into entries.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::conversation::Conversation;

/// The schema of RFC 3112 as far as slapd needs it, which ships none: its own syntax is left out.
pub const SCHEMA: &str = "attributetype ( 1.3.6.1.4.1.4203.1.3.4 NAME 'authPassword' EQUALITY octetStringMatch \
                          SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.4203.1.4.7 NAME 'authPasswordObject' SUP top AUXILIARY MAY authPassword )";

/// The value of an entry's attribute (RFC 5803).
pub fn stored(password: &str, salt: &[u8], iterations: u32) -> String {
    let keys = Keys::derive(password, salt, iterations);
    let (stored_key, server_key) = (STANDARD.encode(keys.stored), STANDARD.encode(keys.server));
    format!("SCRAM-SHA-256${iterations}:{}${stored_key}:{server_key}", STANDARD.encode(salt))
}

/// What a client has to say.
pub struct Client<'a> {
    pub name: &'a str,
    pub password: &'a str,
    /// The header, such as `n,,`.
    pub header: &'a str,
    /// The channel binding, where there is one.
    pub channel: &'a [u8],
}

/// A challenge as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub salt: String,
    pub iterations: u32,
    /// `client-first-message-bare "," server-first-message "," client-final-message-without-proof`.
    said: String,
    last: String,
}

struct Keys {
    client: [u8; 32],
    stored: [u8; 32],
    server: [u8; 32],
}

impl Keys {
    /// RFC 5802 §3.
    fn derive(password: &str, salt: &[u8], iterations: u32) -> Self {
        let mut salted = [0; 32];
        let iterations = NonZeroU32::new(iterations).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut salted);
        let client = sign(&salted, b"Client Key");
        let stored = digest::digest(&digest::SHA256, &client).as_ref().try_into().unwrap();
        Self { client, stored, server: sign(&salted, b"Server Key") }
    }
}

fn sign(key: &[u8], message: &[u8]) -> [u8; 32] {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().try_into().unwrap()
}

impl<'a> Client<'a> {
    /// One that binds to no channel.
    pub fn new((name, password): (&'a str, &'a str)) -> Self {
        Self { name, password, header: "n,,", channel: b"" }
    }

    /// One that binds to a channel.
    pub fn bound((name, password): (&'a str, &'a str), channel: &'a [u8]) -> Self {
        Self { name, password, header: "p=tls-exporter,,", channel }
    }

    /// Logs in to the end; `+OK`, or the reply that ended it.
    pub fn log_in(&self, pop3: &mut Conversation) -> String {
        let challenge = match self.begin(pop3) {
            Ok(challenge) => challenge,
            Err(reply) => return reply,
        };
        if let Err(reply) = self.prove(pop3, &challenge) {
            return reply;
        }
        pop3.send("");
        pop3.line()
    }

    /// Asks for a challenge; or the reply instead of it.
    pub fn begin(&self, pop3: &mut Conversation) -> Result<Challenge, String> {
        let mut octets = [0; 18];
        rand::fill(&mut octets).unwrap();
        let bare = format!("n={},r={}", self.name.replace('=', "=3D").replace(',', "=2C"), STANDARD.encode(octets));
        let plus = if self.header.starts_with("p=") { "-PLUS" } else { "" };
        pop3.send(&format!("AUTH SCRAM-SHA-256{plus} {}", STANDARD.encode(format!("{}{bare}", self.header))));
        let first = challenge(&pop3.line())?;
        let (nonce, rest) = first.strip_prefix("r=").unwrap().split_once(",s=").unwrap();
        let (salt, iterations) = rest.split_once(",i=").unwrap();
        let last = format!("c={},r={nonce}", STANDARD.encode([self.header.as_bytes(), self.channel].concat()));
        let said = format!("{bare},{first},{last}");
        Ok(Challenge { salt: salt.to_owned(), iterations: iterations.parse().unwrap(), said, last })
    }

    /// Sends the proof, and looks at the server's; or the reply instead of it.
    pub fn prove(&self, pop3: &mut Conversation, with: &Challenge) -> Result<(), String> {
        let keys = self.keys(with);
        pop3.send(&with.answer(&keys));
        let signed = challenge(&pop3.line())?;
        assert_eq!(signed, format!("v={}", STANDARD.encode(sign(&keys.server, with.said.as_bytes()))));
        Ok(())
    }

    /// The line that holds the proof.
    pub fn proof(&self, with: &Challenge) -> String {
        with.answer(&self.keys(with))
    }

    fn keys(&self, with: &Challenge) -> Keys {
        Keys::derive(self.password, &STANDARD.decode(&with.salt).unwrap(), with.iterations)
    }
}

impl Challenge {
    fn answer(&self, keys: &Keys) -> String {
        let signature = sign(&keys.stored, self.said.as_bytes());
        let proof: Vec<u8> = keys.client.iter().zip(signature).map(|(one, other)| one ^ other).collect();
        STANDARD.encode(format!("{},p={}", self.last, STANDARD.encode(proof)))
    }
}

/// The decoded text of a challenge; any other reply as it is.
fn challenge(reply: &str) -> Result<String, String> {
    let base64 = reply.strip_prefix("+ ").ok_or_else(|| reply.to_owned())?;
    Ok(String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap())
}
