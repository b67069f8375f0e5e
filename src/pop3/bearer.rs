//! The messages by which a client logs in with a bearer token: OAUTHBEARER (RFC 7628 §3.1), and XOAUTH2, Google's
//! predecessor of it.

use super::{Mechanism, TokenCredentials};
use crate::secret::{Token, TokenFault};

/// The form of a message with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BearerForm {
    OauthBearer,
    Xoauth2,
}

/// `kvsep = %x01`
const SEPARATOR: u8 = 0x01;

/// Parses a client's first message; none if it does not have its mechanism's form.
pub(super) fn read(form: BearerForm, message: &[u8]) -> Option<TokenCredentials> {
    match form {
        BearerForm::OauthBearer => oauthbearer(message),
        BearerForm::Xoauth2 => xoauth2(message),
    }
}

/// `client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep`, and `kvpair = key "=" value kvsep`. Host and port, which
/// clients may send as well, are ignored.
fn oauthbearer(message: &[u8]) -> Option<TokenCredentials> {
    let header = message.iter().position(|octet| *octet == SEPARATOR)?;
    let (header, pairs) = message.split_at_checked(header)?;
    let authorization = authorization(header)?;
    let pairs = Pairs::read(pairs.get(1..)?)?;
    Some(TokenCredentials { authorization, token: token(&pairs)?, mechanism: Mechanism::OauthBearer })
}

/// `"user=" {User} "^A" "auth=Bearer " {Access Token} "^A" "^A"`
fn xoauth2(message: &[u8]) -> Option<TokenCredentials> {
    let pairs = Pairs::read(message)?;
    let authorization = pairs.one(b"user")?.to_vec();
    Some(TokenCredentials { authorization, token: token(&pairs)?, mechanism: Mechanism::Xoauth2 })
}

/// `gs2-header = [gs2-nonstd-flag ","] gs2-cb-flag "," [gs2-authzid] ","` (RFC 5801 §4). These mechanisms bind no
/// channel, so the flag is `n`, or `y` from a client that supports channel binding.
fn authorization(header: &[u8]) -> Option<Vec<u8>> {
    let rest = header.strip_prefix(b"n,").or_else(|| header.strip_prefix(b"y,"))?;
    let identity = rest.strip_suffix(b",")?;
    if identity.is_empty() {
        return Some(Vec::new());
    }
    unescaped(identity.strip_prefix(b"a=")?)
}

/// `saslname`: "=2C" is a comma, "=3D" an equals sign, and neither may stand unescaped (RFC 5801 §4).
fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    if name.is_empty() || name.contains(&b',') || name.contains(&0) {
        return None;
    }
    let mut parts = name.split(|octet| *octet == b'=');
    let mut unescaped = parts.next()?.to_vec();
    for part in parts {
        let (octet, rest) = match part {
            [b'2', b'C', rest @ ..] => (b',', rest),
            [b'3', b'D', rest @ ..] => (b'=', rest),
            _ => return None,
        };
        unescaped.push(octet);
        unescaped.extend_from_slice(rest);
    }
    Some(unescaped)
}

/// Keys with their values, in the order of the message.
struct Pairs<'m>(Vec<(&'m [u8], &'m [u8])>);

impl<'m> Pairs<'m> {
    /// `*kvpair kvsep`: each pair ends in a separator, and so does the message.
    fn read(message: &'m [u8]) -> Option<Self> {
        let pairs = message.strip_suffix(&[SEPARATOR])?;
        let Some(pairs) = pairs.strip_suffix(&[SEPARATOR]) else { return pairs.is_empty().then(|| Self(Vec::new())) };
        let pairs = pairs.split(|octet| *octet == SEPARATOR);
        pairs.map(pair).collect::<Option<Vec<_>>>().map(Self)
    }

    /// The value of a key that occurs exactly once.
    fn one(&self, key: &[u8]) -> Option<&'m [u8]> {
        let mut values = self.0.iter().filter(|(own, _)| *own == key).map(|(_, value)| *value);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }
}

/// `key = 1*(ALPHA)` and `value = *(VCHAR / SP / HTAB / CR / LF)`; names in UTF-8 are accepted as well.
fn pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pair.iter().position(|octet| *octet == b'=')?;
    let (key, value) = pair.split_at_checked(at)?;
    let is_sound = !key.is_empty() && key.iter().all(u8::is_ascii_alphabetic) && !value.contains(&0);
    is_sound.then_some((key, value.get(1..)?))
}

/// `"Bearer" 1*SP b64token` (RFC 6750 §2.1), the scheme in any case (RFC 9110 §11.1). With an empty value the client
/// asks what kind of token is required (RFC 7628 §4.3).
fn token(pairs: &Pairs<'_>) -> Option<Result<Token, TokenFault>> {
    let value = pairs.one(b"auth")?;
    if value.is_empty() {
        return Some(Token::new(value));
    }
    let (scheme, rest) = value.split_at_checked(b"Bearer".len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"Bearer") && (rest.is_empty() || rest.starts_with(b" "));
    is_bearer.then(|| Token::new(rest.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type BearerMessage = (String, Result<String, TokenFault>);

    fn parsed(form: BearerForm, message: &str) -> Option<BearerMessage> {
        let credentials = read(form, message.replace('^', "\x01").as_bytes())?;
        let token = credentials.token.map(|token| token.expose().to_owned());
        Some((String::from_utf8(credentials.authorization).unwrap(), token))
    }

    fn said(name: &str, token: &str) -> BearerMessage {
        (name.to_owned(), Ok(token.to_owned()))
    }

    #[test]
    fn oauthbearer_as_clients_send_it() {
        for (message, name) in [
            ("n,a=user@example.com,^host=server.example.com^port=143^auth=Bearer vF9dft4qmT==^^", "user@example.com"),
            ("n,,^auth=Bearer vF9dft4qmT==^^", ""),
            ("y,,^auth=bearer  vF9dft4qmT==^^", ""),
            ("n,a=a=2Cb=3D=2C,^auth=BEARER vF9dft4qmT== ^host=x^^", "a,b=,"),
            ("n,a=J\u{fc}rgen M\u{fc}ller,^auth=Bearer vF9dft4qmT==^^", "J\u{fc}rgen M\u{fc}ller"),
        ] {
            assert_eq!(parsed(BearerForm::OauthBearer, message), Some(said(name, "vF9dft4qmT==")), "{message}");
        }
    }

    #[test]
    fn xoauth2_as_clients_send_it() {
        for message in ["user=ajones^auth=Bearer abc.def^^", "auth=Bearer abc.def^user=ajones^^"] {
            assert_eq!(parsed(BearerForm::Xoauth2, message), Some(said("ajones", "abc.def")), "{message}");
        }
        assert_eq!(parsed(BearerForm::Xoauth2, "user=^auth=Bearer abc.def^^"), Some(said("", "abc.def")));
    }

    #[test]
    fn who_sends_no_token_may_want_to_know_what_it_must_be() {
        for message in ["n,a=x,^host=h^auth=^^", "n,a=x,^auth=Bearer^^", "n,a=x,^auth=Bearer ^^"] {
            assert_eq!(
                parsed(BearerForm::OauthBearer, message),
                Some(("x".to_owned(), Err(TokenFault::Empty))),
                "{message}"
            );
        }
        let malformed = Some(("x".to_owned(), Err(TokenFault::Malformed)));
        assert_eq!(parsed(BearerForm::OauthBearer, "n,a=x,^auth=Bearer a b^^"), malformed);
    }

    #[test]
    fn what_is_in_no_form_is_not_guessed() {
        for message in [
            "",
            "^",
            "^^",
            "n,,",
            "n,,^",
            "n,,^^",
            "n,^auth=Bearer abc^^",
            "p=tls-unique,,^auth=Bearer abc^^",
            "F,n,,^auth=Bearer abc^^",
            "n,a=,^auth=Bearer abc^^",
            "n,b=x,^auth=Bearer abc^^",
            "n,a=x=2Ay,^auth=Bearer abc^^",
            "n,a=x=,^auth=Bearer abc^^",
            "n,a=x,y,^auth=Bearer abc^^",
            "n,,^auth=Bearer abc^",
            "n,,^auth=Bearer abc",
            "n,,^auth=Bearer abc^^^",
            "n,,^auth=Bearer abc^auth=Bearer abd^^",
            "n,,^auth=Basic abc^^",
            "n,,^auth=Bearerabc^^",
            "n,,^auth2=Bearer abc^^",
            "n,,^=x^auth=Bearer abc^^",
            "n,,^host^auth=Bearer abc^^",
        ] {
            assert_eq!(parsed(BearerForm::OauthBearer, message), None, "{message}");
        }
        for message in
            ["", "^^", "auth=Bearer abc^^", "user=x^^", "user=x^auth=Bearer abc^", "user=x^user=y^auth=Bearer a^^"]
        {
            assert_eq!(parsed(BearerForm::Xoauth2, message), None, "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets: Vec<u8>) {
            let _ = (read(BearerForm::OauthBearer, &octets), read(BearerForm::Xoauth2, &octets));
        }

        /// Nearer to the real thing.
        #[test]
        fn no_muddle_panics(parts in prop::collection::vec(prop::sample::select(
            vec!["n,", "a=", "=2C", ",", "\x01", "auth=", "Bearer ", "user=", "x", "=", "\0"]), 0..12)) {
            let message = parts.concat();
            let _ = (read(BearerForm::OauthBearer, message.as_bytes()), read(BearerForm::Xoauth2, message.as_bytes()));
        }

        /// Whatever a name holds, it comes out as it went in.
        #[test]
        fn every_name_survives_its_escapes(name in "[^\\x00-\\x1f]{1,40}") {
            let escaped = name.replace('=', "=3D").replace(',', "=2C");
            let message = format!("n,a={escaped},\x01auth=Bearer abc\x01\x01");
            let read = read(BearerForm::OauthBearer, message.as_bytes()).unwrap();
            prop_assert_eq!(read.authorization, name.into_bytes());
        }
    }
}
