//! TLS 1.2 and 1.3, and sessions resumed in both.

use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion};

use super::speaking;
use crate::support::conversation::Conversation;
use crate::support::stage::{NAME, PASSWORD, Stage};

fn implicit(stage: &Stage, tls: &Arc<ClientConfig>) -> Conversation {
    let mut client = Conversation::tls(stage.service.pop3s(), NAME, tls);
    client.expect("+OK");
    client
}

fn after_stls(stage: &Stage, tls: &Arc<ClientConfig>) -> Conversation {
    let mut client = stage.client();
    client.stls(NAME, tls);
    client
}

#[test]
fn both_versions_work_on_both_ports_and_are_logged() {
    let stage = Stage::set("", &[]);
    for (version, number, told) in
        [(&TLS12, ProtocolVersion::TLSv1_2, "tls=\"TLS 1.2\""), (&TLS13, ProtocolVersion::TLSv1_3, "tls=\"TLS 1.3\"")]
    {
        let tls = speaking(version, &stage.site.authority());
        for (begin, port) in
            [(implicit as fn(&Stage, &_) -> _, stage.service.pop3s()), (after_stls, stage.service.pop3())]
        {
            let mut client: Conversation = begin(&stage, &tls);
            client.login("ajones", PASSWORD);
            assert_eq!(client.session().protocol_version(), Some(number));
            client.ask("QUIT", "+OK");
            client.ended();
            let listener = format!("listener=\"{port}\"");
            stage.service.wait_for_log(&["connection ended", "person=\"ajones\"", &listener, told]);
        }
    }
}

/// A client that comes again, to this port or the other, need not do the whole handshake once more.
#[test]
fn sessions_are_resumed_across_both_ports() {
    let stage = Stage::set("", &[]);
    for version in [&TLS12, &TLS13] {
        for (first, then) in
            [(implicit as fn(&Stage, &_) -> _, after_stls as fn(&Stage, &_) -> _), (after_stls, implicit)]
        {
            // What a client remembers is kept in its configuration, so each pair begins anew.
            let tls = speaking(version, &stage.site.authority());
            let mut client: Conversation = first(&stage, &tls);
            client.ask("QUIT", "+OK");
            client.ended();
            assert_eq!(client.session().handshake_kind(), Some(HandshakeKind::Full));
            let mut client: Conversation = then(&stage, &tls);
            client.login("ajones", PASSWORD);
            assert_eq!(client.session().handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
        }
    }
}
