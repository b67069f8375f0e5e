//! The four ways to log a person in at their host, and XCLIENT before that.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize as _, Zeroizing};

use super::connect::Greeted;
use super::dialogue::{HostDialogue, HostReply};
use super::fault::{RefusalCode, RelayFault};
use super::settings::{BackEndLogin, ClientAddress, HostSettings};
use super::user_name::SEPARATOR;
use super::{RelayTarget, RelayedClient};
use crate::secret::Password;

/// The longest command line, in octets with its end (RFC 2449 §4).
const COMMAND_LINE: usize = 255;

/// What a host that is told its client by XCLIENT may pass on: nothing. Dovecot refuses to be a proxy at this value.
const LAST_HOP: u8 = 1;

/// How the person is logged in.
enum HostCredentials<'p> {
    /// USER and PASS.
    Pair { user: String, password: &'p Password },
    /// AUTH with this mechanism and response.
    Sasl { mechanism: &'static str, response: Zeroizing<Vec<u8>> },
}

/// Logs in; returns the text of the host's `+OK`.
pub(super) async fn log_in(
    greeted: &mut Greeted,
    target: &RelayTarget,
    settings: &HostSettings,
    password: Option<&Password>,
    client: &RelayedClient,
) -> Result<String, RelayFault> {
    let credentials = credentials(&target.user, &settings.login, password)?;
    let dialogue = &mut greeted.dialogue;
    let is_offered = settings.client_address == ClientAddress::Xclient && offers_xclient(&greeted.greeting);
    let mut first = Zeroizing::new(if is_offered { xclient(client).into_bytes() } else { Vec::new() });
    let has_xclient = !first.is_empty();
    match credentials {
        HostCredentials::Pair { user, password } => {
            first.extend_from_slice(format!("USER {user}\r\n").as_bytes());
            send(dialogue, first).await?;
            if has_xclient {
                accepted(dialogue).await?;
            }
            accepted(dialogue).await?;
            send(dialogue, line(&[b"PASS ", password.expose().as_bytes()])?).await?;
            accepted(dialogue).await
        }
        HostCredentials::Sasl { mechanism, mut response } => {
            let encoded = Zeroizing::new(STANDARD.encode(&response));
            response.zeroize();
            let whole = line(&[b"AUTH ", mechanism.as_bytes(), b" ", encoded.as_bytes()])?;
            let is_short = whole.len() <= COMMAND_LINE;
            if is_short {
                first.extend_from_slice(&whole);
            } else {
                first.extend_from_slice(format!("AUTH {mechanism}\r\n").as_bytes());
            }
            send(dialogue, first).await?;
            if has_xclient {
                accepted(dialogue).await?;
            }
            if !is_short {
                continued(dialogue).await?;
                send(dialogue, line(&[encoded.as_bytes()])?).await?;
            }
            accepted(dialogue).await
        }
    }
}

fn credentials<'p>(
    user: &str,
    login: &BackEndLogin,
    sent: Option<&'p Password>,
) -> Result<HostCredentials<'p>, RelayFault> {
    Ok(match login {
        BackEndLogin::ClientPassword => {
            HostCredentials::Pair { user: user.to_owned(), password: sent.ok_or(RelayFault::NeedsPassword)? }
        }
        // "message = [authzid] UTF8NUL authcid UTF8NUL passwd" (RFC 4616 §2)
        BackEndLogin::ProxyAccount { account, password } => {
            HostCredentials::Sasl { mechanism: "PLAIN", response: plain(user, account, password) }
        }
        BackEndLogin::MasterUser { account, password } => HostCredentials::Sasl {
            mechanism: "PLAIN",
            response: plain("", &format!("{user}{SEPARATOR}{account}"), password),
        },
        BackEndLogin::Certificate => {
            HostCredentials::Sasl { mechanism: "EXTERNAL", response: Zeroizing::new(user.as_bytes().to_vec()) }
        }
    })
}

fn plain(authorization: &str, name: &str, password: &Password) -> Zeroizing<Vec<u8>> {
    let parts = [authorization.as_bytes(), b"\0", name.as_bytes(), b"\0", password.expose().as_bytes()];
    Zeroizing::new(parts.concat())
}

/// A line of these parts. A line end in a password would begin a second command, so such a password is not sent.
fn line(parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, RelayFault> {
    let mut line = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + 2));
    for part in parts {
        line.extend_from_slice(part);
    }
    if line.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
        return Err(RelayFault::UnsendablePassword);
    }
    line.extend_from_slice(b"\r\n");
    Ok(line)
}

/// Dovecot announces XCLIENT only in its greeting, and only to those it trusts.
fn offers_xclient(greeting: &str) -> bool {
    greeting.to_ascii_uppercase().starts_with("[XCLIENT]")
}

fn xclient(client: &RelayedClient) -> String {
    let (ip, port, session) = (client.peer.ip(), client.peer.port(), &client.session);
    format!("XCLIENT ADDR={ip} PORT={port} SESSION={session} TTL={LAST_HOP}\r\n")
}

async fn send(dialogue: &mut HostDialogue, lines: Zeroizing<Vec<u8>>) -> Result<(), RelayFault> {
    dialogue.send(lines).await.map_err(|fault| lost(&fault))
}

async fn accepted(dialogue: &mut HostDialogue) -> Result<String, RelayFault> {
    match dialogue.reply().await.map_err(|fault| lost(&fault))? {
        HostReply::Ok(text) => Ok(text),
        HostReply::Err(reply) => Err(RelayFault::Refused { code: RefusalCode::of(&reply), reply }),
        other => Err(RelayFault::Unanswered(format!("login: unexpected {other:?}"))),
    }
}

async fn continued(dialogue: &mut HostDialogue) -> Result<(), RelayFault> {
    match dialogue.reply().await.map_err(|fault| lost(&fault))? {
        HostReply::Continue => Ok(()),
        HostReply::Err(reply) => Err(RelayFault::Refused { code: RefusalCode::of(&reply), reply }),
        other => Err(RelayFault::Unanswered(format!("login: unexpected {other:?}"))),
    }
}

fn lost(fault: &io::Error) -> RelayFault {
    RelayFault::Unanswered(format!("login: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn each_way_has_its_credentials() {
        let secret = || password("secret");
        let account = "relay".to_owned();
        let of = |login: &BackEndLogin| match credentials("ada", login, None).unwrap_or_else(|fault| panic!("{fault}"))
        {
            HostCredentials::Pair { .. } => panic!("the client's password"),
            HostCredentials::Sasl { mechanism, response } => format!("{mechanism} {}", response.escape_ascii()),
        };
        let proxy = BackEndLogin::ProxyAccount { account: account.clone(), password: secret() };
        assert_eq!(of(&proxy), "PLAIN ada\\x00relay\\x00secret");
        let master = BackEndLogin::MasterUser { account, password: secret() };
        assert_eq!(of(&master), "PLAIN \\x00ada*relay\\x00secret");
        assert_eq!(of(&BackEndLogin::Certificate), "EXTERNAL ada");
        let without = credentials("ada", &BackEndLogin::ClientPassword, None).err();
        assert_eq!(without, Some(RelayFault::NeedsPassword));
    }

    #[test]
    fn a_password_is_never_a_second_command() {
        assert_eq!(**line(&[b"PASS ", b"a b "]).unwrap(), *b"PASS a b \r\n");
        for password in ["a\r\nDELE 1", "a\nb", "a\rb"] {
            assert_eq!(line(&[b"PASS ", password.as_bytes()]).err(), Some(RelayFault::UnsendablePassword));
        }
    }

    #[test]
    fn xclient_is_sent_only_where_the_greeting_offers_it() {
        assert!(offers_xclient("[XCLIENT] Dovecot ready."));
        assert!(!offers_xclient("Dovecot ready."));
        let client = RelayedClient { peer: "[2001:db8::7]:40000".parse().unwrap(), session: "6a1b-1".to_owned() };
        assert_eq!(xclient(&client), "XCLIENT ADDR=2001:db8::7 PORT=40000 SESSION=6a1b-1 TTL=1\r\n");
    }
}
