//! `HAProxy` with the configurations of the guide, in front of listeners of the guide.

use std::net::SocketAddr;

use crate::support::conversation::Conversation;
use crate::support::haproxy::HaProxy;
use crate::support::stage::{NAME, PASSWORD, Stage};

const GUIDE: &str = include_str!("../../../config/guide/behind-haproxy.md");

/// Where clients of these tests connect from: another address than that of `HAProxy`.
const CLIENT: &str = "127.0.0.9";

/// The pieces of a language in the guide, in its order.
fn pieces(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    GUIDE.split(&begin).skip(1).map(|piece| piece.split("```").next().unwrap()).collect()
}

/// Restante with listeners of the guide, behind `HAProxy` on this machine.
fn stage(listeners: &str) -> Stage {
    Stage::set_by(&[("cur/1.one", b"Subject: one\n\none\n")], |plan, _| {
        let items = listeners.strip_prefix("listeners:\n").unwrap();
        let ports = ["[::]:110", "[::]:995", "[::]:1110"];
        let items = ports.iter().fold(items.to_owned(), |items, port| items.replace(port, "127.0.0.1:0"));
        plan.listeners = items.replace("[192.0.2.1, 192.0.2.2]", "[127.0.0.1]");
    })
}

/// `HAProxy` with a piece of the guide: its servers are this Restante, twice.
fn haproxy(stage: &Stage, piece: &str, further: &[(&str, &str)]) -> HaProxy {
    let mut changes: Vec<(String, String)> = vec![("inter 5s".to_owned(), "inter 100ms".to_owned())];
    // Another limit of files may be in force than an administrator's machine has.
    changes.push(("maxconn 20000".to_owned(), "maxconn 100".to_owned()));
    changes.push(("log /dev/log local0".to_owned(), "log stderr format raw local0".to_owned()));
    let ports: Vec<&str> =
        ["110", "995", "1110"].into_iter().filter(|port| piece.contains(&format!(".21:{port}\n"))).collect();
    for (port, (address, _)) in ports.into_iter().zip(&stage.service.listeners) {
        for server in ["192.0.2.21", "192.0.2.22"] {
            changes.push((format!("{server}:{port}\n"), format!("{address}\n")));
        }
    }
    changes.extend(further.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())));
    let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    HaProxy::serve(piece, &changes)
}

fn connect(frontend: SocketAddr) -> Conversation {
    Conversation::plain_from(CLIENT.parse().unwrap(), frontend)
}

fn fetch(client: &mut Conversation) {
    client.expect("+OK");
    client.login("ajones", PASSWORD);
    client.ask("RETR 1", "+OK");
    assert_eq!(client.message(), b"Subject: one\r\n\r\none\r\n");
    client.ask("QUIT", "+OK");
}

/// Everything that the log says of this machine's own address, which is `HAProxy`'s.
fn said_of_the_proxy(log: &[String]) -> Vec<&String> {
    let is_about = |line: &&String| line.contains("peer=127.0.0.1:") || line.contains("network=127.0.0.1 ");
    log.iter().filter(is_about).collect()
}

#[test]
fn clients_of_a_tcp_proxy_are_known_by_their_own_addresses() {
    let (piece, listeners) = (pieces("haproxy")[0], pieces("yaml")[0]);
    for version in ["send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c", "send-proxy"] {
        let stage = stage(listeners);
        let haproxy = haproxy(&stage, piece, &[("send-proxy-v2", version)]);
        haproxy.wait_for_checks(&["L7OK", "L4OK"]);
        let mut client = connect(haproxy.frontends[0]);
        client.expect("+OK");
        client.stls(NAME, &stage.tls);
        client.login("ajones", PASSWORD);
        client.ask("QUIT", "+OK");
        let mut client = connect(haproxy.frontends[1]);
        client.begin_tls(NAME, &stage.tls);
        fetch(&mut client);
        // HAProxy itself is on this machine, but its client is not who says so: 127.0.0.9 is.
        stage.service.wait_for_logs(&["INFO login ", "person=\"ajones\"", "peer=127.0.0.9:", "tls=\"TLS 1.3\""], 2);
        haproxy.wait_for_checks(&["L7OK", "L4OK"]);
        let (_, log) = stage.service.terminate();
        assert_eq!(said_of_the_proxy(&log), Vec::<&String>::new(), "health checks are not logged ({version})");
    }
}

#[test]
fn tls_may_end_at_the_proxy() {
    let (piece, listeners) = (pieces("haproxy")[1], pieces("yaml")[1]);
    let stage = stage(listeners);
    let both = stage.site.folder().join("both.pem");
    let of = |name: &str| std::fs::read_to_string(stage.site.folder().join("tls").join(name)).unwrap();
    std::fs::write(&both, of("server.pem") + &of("server.key")).unwrap();
    let haproxy = haproxy(&stage, piece, &[("/etc/haproxy/mail.pem", both.to_str().unwrap())]);
    haproxy.wait_for_checks(&["L7OK"]);
    let mut client = connect(haproxy.frontends[0]);
    client.begin_tls(NAME, &stage.tls);
    fetch(&mut client);
    stage.service.wait_for_log(&["INFO login ", "peer=127.0.0.9:", "tls=\"TLS 1.3 at the proxy\""]);
    let (_, log) = stage.service.terminate();
    assert_eq!(said_of_the_proxy(&log), Vec::<&String>::new());
}
