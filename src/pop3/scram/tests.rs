//! The exchange as a session sees it; whether a proof is right is none of its business.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::example::{FIRST, LAST, NONCE, SALT, SIGNATURE, access, session, session_with};
use super::*;
use crate::pop3::{Access, Action, Event, Line, Session};

/// The challenge of the example.
const ANSWER: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

/// The channel binding of the tests' TLS connection.
const CHANNEL: ChannelBinding = *b"thirty-two octets of a TLS link.";

fn line(text: &str) -> Event {
    Event::Line(Line::new(text.as_bytes().to_vec()))
}

fn encoded(message: &str) -> Event {
    line(&STANDARD.encode(message))
}

fn challenge() -> Event {
    let salt = STANDARD.decode(SALT).unwrap();
    Event::Challenge(ScramChallenge { nonce: NONCE.to_owned(), salt, iterations: 4096 })
}

/// What the session sends now, the base64 of a challenge decoded.
fn replied(action: Action) -> String {
    let (Action::Reply(reply) | Action::RefuseInClear(reply, _) | Action::Close(reply, _)) = action else {
        panic!("no reply")
    };
    let reply = String::from_utf8(reply).unwrap().trim_end_matches("\r\n").to_owned();
    match reply.strip_prefix("+ ") {
        Some(base64) => format!("+ {}", String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap()),
        None => reply,
    }
}

/// Begins with a first message; whose challenge is wanted, or the reply.
fn begin(session: &mut Session, mechanism: &str, first: &str) -> Result<ScramLogin, String> {
    match session.step(line(&format!("AUTH {mechanism} {}", STANDARD.encode(first)))) {
        Action::Challenge(login) => Ok(login),
        action => Err(replied(action)),
    }
}

/// Goes on to a last message; what is to be proven, or the reply.
fn answer(session: &mut Session, last: &str) -> Result<Result<ScramProof, ScramFault>, String> {
    assert!(replied(session.step(challenge())).starts_with("+ r="));
    match session.step(encoded(last)) {
        Action::Prove(answer) => Ok(answer),
        action => Err(replied(action)),
    }
}

/// A last message that fits the example but for its channel.
fn last_on(header: &str, channel: &[u8]) -> String {
    LAST.replace("biws", &STANDARD.encode([header.as_bytes(), channel].concat()))
}

#[test]
fn the_example_of_rfc_7677() {
    for with_initial_response in [true, false] {
        let mut session = session(None);
        let action = if with_initial_response {
            session.step(line(&format!("AUTH SCRAM-SHA-256 {}", STANDARD.encode(FIRST))))
        } else {
            assert_eq!(replied(session.step(line("AUTH scram-sha-256"))), "+ ");
            session.step(encoded(FIRST))
        };
        let Action::Challenge(wanted) = action else { panic!("no challenge is made") };
        assert_eq!(
            wanted,
            ScramLogin { login: b"user".to_vec(), authorization: Vec::new(), mechanism: Mechanism::ScramSha256 }
        );
        assert_eq!(replied(session.step(challenge())), format!("+ {ANSWER}"));
        let Action::Prove(Ok(proof)) = session.step(encoded(LAST)) else { panic!("nothing is judged") };
        let said = format!("{},{ANSWER},{}", &FIRST[3..], LAST.rsplit_once(",p=").unwrap().0);
        assert_eq!(String::from_utf8(proof.message).unwrap(), said);
        assert_eq!(STANDARD.encode(proof.proof), LAST.rsplit_once(",p=").unwrap().1);
        let signature = STANDARD.decode(SIGNATURE).unwrap().try_into().unwrap();
        assert_eq!(replied(session.step(Event::Signed(signature))), format!("+ v={SIGNATURE}"));
        assert!(matches!(session.step(line("")), Action::Conclude));
        assert!(matches!(session.step(Event::Judged(crate::pop3::LoginVerdict::Proven)), Action::Open { .. }));
    }
}

#[test]
fn names_are_unescaped() {
    for (first, login) in [
        ("n,,n=Jones=2C Alan=3Dx,r=abc", Some("Jones, Alan=x")),
        ("y,a=user,n=user,r=abc", Some("user")),
        ("n,a=a=2Cb,n=a=2Cb,r=abc,x=ignored", Some("a,b")),
        ("n,,n=Jürgen,r=abc", Some("Jürgen")),
        ("n,a=other,n=user,r=abc", Some("user")),
        ("n,a=,n=user,r=abc", None),
        ("n,user,n=user,r=abc", None),
        ("n,,n=us=er,r=abc", None),
        ("n,,n=user=2c,r=abc", None),
        ("n,,n=user=2,r=abc", None),
        ("n,,n=,r=abc", None),
        ("n,,n=us\0er,r=abc", None),
        ("n,,m=must,n=user,r=abc", None),
        ("n,,n=user,r=abc,m=must", None),
        ("n,,n=user,r=", None),
        ("n,,n=user,r=a b", None),
        ("n,,n=user,r=ä", None),
        ("n,,n=user,r=abc,x", None),
        ("n,,n=user,r=abc,x=", None),
        ("n,,n=user,r=abc,", None),
        ("n,,r=abc,n=user", None),
        ("n,,n=user", None),
        ("n,n=user,r=abc", None),
        ("x,,n=user,r=abc", None),
        ("p=tls-exporter,,n=user,r=abc", None),
    ] {
        let begun = begin(&mut session(None), "SCRAM-SHA-256", first);
        let expected = login.map(|login| login.as_bytes().to_vec()).ok_or("-ERR malformed response".to_owned());
        assert_eq!(begun.map(|wanted| wanted.login), expected, "{first}");
    }
}

#[test]
fn a_last_message_has_its_form() {
    let (without, proof) = LAST.rsplit_once(",p=").unwrap();
    let other_nonce = LAST.replace("r=rOpr", "r=rOpS");
    for (last, expected) in [
        (LAST.to_owned(), Ok(true)),
        (format!("{without},x=ignored,p={proof}"), Ok(true)),
        (other_nonce, Ok(false)),
        (LAST.replace("biws", "eSws"), Ok(false)),
        (format!("{without},m=must,p={proof}"), Err(())),
        (format!("{without},p="), Err(())),
        (format!("{without},p={proof},x=late"), Err(())),
        (format!("{without},p=AAAA"), Err(())),
        (format!("{without},p={}", proof.trim_end_matches('=')), Err(())),
        (LAST.replace("c=biws,", ""), Err(())),
        (LAST.replace("biws", "biw"), Err(())),
        (without.to_owned(), Err(())),
        (String::new(), Err(())),
    ] {
        let mut session = session(None);
        begin(&mut session, "SCRAM-SHA-256", FIRST).unwrap();
        let answered = answer(&mut session, &last).map(|answer| answer.is_ok());
        assert_eq!(answered, expected.map_err(|()| "-ERR malformed response".to_owned()), "{last}");
    }
}

#[test]
fn the_channel_must_be_the_same_on_both_ends() {
    let plus = "p=tls-exporter,,";
    for (mechanism, header, last, expected) in [
        ("SCRAM-SHA-256-PLUS", plus, last_on(plus, &CHANNEL), None),
        ("SCRAM-SHA-256-PLUS", plus, last_on(plus, &[0; 32]), Some(ScramFault::OtherChannel)),
        ("SCRAM-SHA-256-PLUS", plus, last_on(plus, b""), Some(ScramFault::OtherChannel)),
        ("SCRAM-SHA-256-PLUS", plus, last_on("n,,", b""), Some(ScramFault::OtherChannel)),
        ("SCRAM-SHA-256-PLUS", "p=tls-unique,,", last_on("p=tls-unique,,", b"x"), Some(ScramFault::OtherBindingType)),
        // A client may bind to no channel, but not because it was told that it cannot.
        ("SCRAM-SHA-256", "n,,", last_on("n,,", b""), None),
        ("SCRAM-SHA-256", "n,,", last_on("n,,", &CHANNEL), Some(ScramFault::OtherChannel)),
        ("SCRAM-SHA-256", "n,,", last_on("y,,", b""), Some(ScramFault::OtherChannel)),
        ("SCRAM-SHA-256", "y,,", last_on("y,,", b""), Some(ScramFault::Downgrade)),
    ] {
        let mut session = session(Some(CHANNEL));
        begin(&mut session, mechanism, &FIRST.replace("n,,", header)).unwrap();
        assert_eq!(answer(&mut session, &last).unwrap().err(), expected, "{mechanism} {header} {last}");
    }
    for (mechanism, header) in [("SCRAM-SHA-256-PLUS", "n,,"), ("SCRAM-SHA-256-PLUS", "y,,"), ("SCRAM-SHA-256", plus)] {
        let begun = begin(&mut session(Some(CHANNEL)), mechanism, &FIRST.replace("n,,", header));
        assert_eq!(begun.unwrap_err(), "-ERR malformed response", "{mechanism} {header}");
    }
}

#[test]
fn where_plus_was_not_offered_a_client_may_say_so() {
    let mut session = session(None);
    begin(&mut session, "SCRAM-SHA-256", &FIRST.replace("n,,", "y,,")).unwrap();
    assert_eq!(answer(&mut session, &last_on("y,,", b"")).unwrap().err(), None);
}

#[test]
fn what_is_offered_depends_on_the_connection() {
    let offered = |access: Access| {
        let mut session = session_with(access);
        let capabilities = replied(session.step(line("CAPA")));
        let plus = begin(&mut session, "SCRAM-SHA-256-PLUS", &FIRST.replace("n,,", "p=tls-exporter,,")).is_ok();
        (capabilities.contains(" SCRAM-SHA-256"), capabilities.contains(" SCRAM-SHA-256-PLUS"), plus)
    };
    let access = access(Some(CHANNEL));
    assert_eq!(offered(access), (true, true, true));
    assert_eq!(offered(Access { channel_binding: None, ..access }), (true, false, false));
    assert_eq!(offered(Access { passwords: false, ..access }), (false, false, false));
    assert_eq!(offered(Access { scram: false, ..access }), (false, false, false));
}

#[test]
fn it_can_be_given_up_at_each_step() {
    let mut session = session(None);
    let begins_anew = |session: &mut Session| assert!(begin(session, "SCRAM-SHA-256", FIRST).is_ok());
    assert_eq!(replied(session.step(line("AUTH SCRAM-SHA-256"))), "+ ");
    assert_eq!(replied(session.step(line("*"))), "-ERR authentication cancelled");
    begins_anew(&mut session);
    assert!(replied(session.step(challenge())).starts_with("+ r="));
    assert_eq!(replied(session.step(line("*"))), "-ERR authentication cancelled");
    begins_anew(&mut session);
    assert!(answer(&mut session, LAST).unwrap().is_ok());
    assert!(replied(session.step(Event::Signed([0; 32]))).starts_with("+ v="));
    assert_eq!(replied(session.step(line("*"))), "-ERR authentication cancelled");
    begins_anew(&mut session);
    assert!(answer(&mut session, LAST).unwrap().is_ok());
    assert!(replied(session.step(Event::Signed([0; 32]))).starts_with("+ v="));
    assert_eq!(replied(session.step(encoded("more"))), "-ERR malformed response");
    begins_anew(&mut session);
    assert!(replied(session.step(challenge())).starts_with("+ r="));
    assert_eq!(replied(session.step(Event::TooLong)), "-ERR line too long");
    begins_anew(&mut session);
}

#[test]
fn nobody_is_logged_in_before_the_client_is_content() {
    use crate::pop3::{LoginVerdict, SessionEnd};
    let out_of_order = |action| matches!(action, Action::Close(_, SessionEnd::OutOfOrder));
    let mut session = session(None);
    begin(&mut session, "SCRAM-SHA-256", FIRST).unwrap();
    assert!(out_of_order(session.step(Event::Judged(LoginVerdict::Proven))));
    let mut session = self::session(None);
    begin(&mut session, "SCRAM-SHA-256", FIRST).unwrap();
    assert!(answer(&mut session, LAST).unwrap().is_ok());
    assert!(out_of_order(session.step(Event::Judged(LoginVerdict::Proven))));
}

/// Each challenge costs the directory a question, so nobody gets them without end.
#[test]
fn giving_up_challenges_has_an_end() {
    let mut session = session(None);
    for _ in 0..19 {
        begin(&mut session, "SCRAM-SHA-256", FIRST).unwrap();
        session.step(challenge());
        assert_eq!(replied(session.step(line("*"))), "-ERR authentication cancelled");
    }
    begin(&mut session, "SCRAM-SHA-256", FIRST).unwrap();
    session.step(challenge());
    assert_eq!(replied(session.step(line("*"))), "-ERR too many wrong commands");
}

proptest! {
    #[test]
    fn any_octets_are_a_message_or_none(first: Vec<u8>, last: Vec<u8>) {
        for (response, is_last) in [(first, false), (last, true)] {
            let mut session = session(Some(CHANNEL));
            if is_last {
                begin(&mut session, "SCRAM-SHA-256", FIRST).unwrap();
                session.step(challenge());
            } else {
                session.step(line("AUTH SCRAM-SHA-256-PLUS"));
            }
            session.step(Event::Line(Zeroizing::new(STANDARD.encode(response).into_bytes())));
        }
    }

    #[test]
    fn a_name_survives_its_escaping(name in "[^\0]{1,20}") {
        let escaped = name.replace('=', "=3D").replace(',', "=2C");
        prop_assert_eq!(sasl_name(&escaped), Some(name));
    }
}
