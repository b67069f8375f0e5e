//! Which requests the HTTP listener answers.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use super::{ADMIN, exchange, get, http_address};
use crate::support::PATIENCE;
use crate::support::process::output;
use crate::support::stage::Stage;

#[test]
fn only_get_and_head_are_answered() {
    let stage = Stage::set(ADMIN, &[]);
    let address = http_address(&stage.service);
    let ask = |method: &str, path: &str| {
        exchange(address, &format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"))
    };
    for path in ["/", "/metrics", "/healthz", "/readyz"] {
        let (got, head) = (ask("GET", path), ask("HEAD", path));
        assert_eq!((got.status, head.status), (200, 200), "{path}");
        assert!(!got.body.is_empty() && head.body.is_empty(), "{path}");
        assert!(got.header.contains("cache-control: no-store"), "{}", got.header);
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let refused = ask(method, path);
            assert_eq!(refused.status, 405, "{method} {path}");
            assert!(refused.header.contains("allow: get, head"), "{}", refused.header);
        }
    }
    assert_eq!(get(address, "/etc/passwd").status, 404);
}

/// A browser on this machine sends the name by which a page reached loopback.
#[test]
fn a_page_of_another_site_cannot_read_it() {
    let stage = Stage::set(ADMIN, &[]);
    let address = http_address(&stage.service);
    let port = address.port();
    let ask = |hosts: &str| exchange(address, &format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"));
    for host in ["localhost", "LocalHost", "127.0.0.1", "[::1]"] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            assert_eq!(ask(&format!("Host: {host}\r\n")).status, 200, "{host}");
        }
    }
    for hosts in [
        "Host: evil.example\r\n".to_owned(),
        format!("Host: evil.example:{port}\r\n"),
        "Host: localhost.evil.example\r\n".to_owned(),
        "Host: 192.0.2.7\r\n".to_owned(),
        "Host: localhost\r\nHost: evil.example\r\n".to_owned(),
        "Host:\r\n".to_owned(),
        String::new(),
    ] {
        let refused = ask(&hosts);
        assert!(matches!(refused.status, 400 | 421), "{hosts}: {}", refused.status);
        assert!(!refused.body.contains("<html"), "{hosts}");
    }
    let absolute = "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(address, absolute).status, 421);
    let allowed = get(address, "/").header;
    assert!(allowed.contains("cross-origin-resource-policy: same-origin"), "{allowed}");
    assert!(!allowed.contains("access-control-allow"), "{allowed}");
}

#[test]
fn a_client_that_sends_no_request_is_cut_off() {
    let stage = Stage::set(ADMIN, &[]);
    let address = http_address(&stage.service);
    // More of them than there are places: whoever comes next waits no longer than for the first to be cut off.
    let mut silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    for client in &mut silent {
        client.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    assert_eq!(get(address, "/healthz").status, 200);
    let mut rest = Vec::new();
    let _ended = silent[0].read_to_end(&mut rest);
}

#[test]
fn a_unix_socket_has_the_mode_of_the_configuration() {
    let stage = Stage::set("admin: { http: \"unix:http.sock\", mode: \"0660\" }\n", &[]);
    let path = stage.site.folder().join("http.sock");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut client = UnixStream::connect(&path).unwrap();
    // No browser gets here, so that the host does not matter.
    client.write_all(b"GET /readyz HTTP/1.1\r\nHost: restante\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\nok\n"), "{answer}");
    assert!(stage.service.terminate().0.success());
    assert!(!path.exists());
}

#[test]
fn an_address_that_others_can_reach_is_a_mistake() {
    let stage = Stage::set("", &[]);
    for (http, told) in [
        ("0.0.0.0:9110", "can be reached from other machines"),
        ("\"[::]:9110\"", "can be reached from other machines"),
        ("localhost:9110", "is no such address; expected an address of loopback"),
        ("9110", "must be a string"),
    ] {
        let yaml = format!("{}admin: {{ http: {http} }}\n", stage.plan.yaml());
        fs::write(stage.site.folder().join("restante.yaml"), yaml).unwrap();
        let ended = output(&mut stage.site.command(&["serve"]), "");
        let complaint = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(78), "{complaint}");
        assert!(complaint.contains("admin.http") && complaint.contains(told), "{http}: {complaint}");
    }
}

#[test]
fn a_port_in_use_is_told_at_the_start() {
    let stage = Stage::set(ADMIN, &[]);
    let address = http_address(&stage.service);
    let yaml = stage.plan.yaml().replace("admin.sock, http: \"127.0.0.1:0\"", &format!("b.sock, http: \"{address}\""));
    fs::write(stage.site.folder().join("restante.yaml"), yaml).unwrap();
    let ended = output(&mut stage.site.command(&["serve"]), "");
    let complaint = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(complaint.contains(&format!("admin.http {address}: Address already in use")), "{complaint}");
}
