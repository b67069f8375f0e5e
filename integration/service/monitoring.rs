//! The running service as administrators watch it: over the admin socket, by HTTP, with Prometheus' own tools and in a
//! browser.

mod health;
mod metrics;
mod page;
mod requests;
mod rules;
mod sessions;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::PATIENCE;
use crate::support::service::Service;

/// An admin socket and an HTTP listener.
const ADMIN: &str = "admin: { socket: admin.sock, http: \"127.0.0.1:0\" }\n";

/// Where a service answers HTTP.
fn http_address(service: &Service) -> SocketAddr {
    let line = service.wait_for_log(&["admin HTTP listener", "address="]);
    let (_, rest) = line.split_once("address=").unwrap();
    rest.split_whitespace().next().unwrap().trim_matches('"').parse().unwrap()
}

/// An answer: its status, its header, its body.
struct Answer {
    status: u16,
    header: String,
    body: String,
}

/// Sends octets, and reads the answer to the end of the connection.
fn exchange(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (header, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = header.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, header: header.to_lowercase(), body: body.to_owned() }
}

/// GET, as a client on this machine.
fn get(address: SocketAddr, path: &str) -> Answer {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

/// The value of one line of metrics; none if there is no such line.
fn value(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}
