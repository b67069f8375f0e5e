//! Which requests are answered, and with what.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use crate::admin::{ServiceView, page};
use crate::ledger::ExpositionFormat;

/// How a client has connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// Over TCP, as a browser can that shows another site's page.
    Tcp,
    /// Over a Unix socket, as no browser does.
    Unix,
}

const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Nothing is loaded from anywhere, no script runs, and no other page may show this one in a frame.
const CONTENT_SECURITY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer to a request. Its body is not read.
pub(super) async fn answer<Body>(request: &Request<Body>, via: Via, service: &ServiceView) -> Response<Full<Bytes>> {
    if via == Via::Tcp && !is_for_loopback(request) {
        let why = "the Host of a request must be localhost, 127.0.0.1 or [::1]\n";
        return response(StatusCode::MISDIRECTED_REQUEST, PLAIN, why.to_owned());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = response(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET and HEAD\n".to_owned());
        // "The origin server MUST generate an Allow header field in a 405 response" (RFC 9110 §15.5.6)
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/" => {
            service.identities.note_sizes().await;
            response(StatusCode::OK, HTML, page::render(service, request.uri().query() == Some("refresh")))
        }
        "/metrics" => {
            let accepted = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
            let format = ExpositionFormat::accepted(&accepted.collect::<Vec<_>>().join(","));
            service.identities.note_sizes().await;
            response(StatusCode::OK, format.content_type(), service.metrics(format))
        }
        "/healthz" => response(StatusCode::OK, PLAIN, "ok\n".to_owned()),
        "/readyz" => match service.readiness() {
            Ok(()) => response(StatusCode::OK, PLAIN, "ok\n".to_owned()),
            Err(why) => response(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("{why}\n")),
        },
        _ => response(StatusCode::NOT_FOUND, PLAIN, "there are /, /metrics, /healthz and /readyz\n".to_owned()),
    }
}

/// A name that another site chose can be made to lead to loopback (DNS rebinding), but the browser then sends that name.
/// "A server MUST respond with a 400 … to any HTTP/1.1 request message that lacks a Host header field and to any request
/// message that contains more than one Host header field line" (RFC 9112 §3.2): both are refused here as well.
fn is_for_loopback<Body>(request: &Request<Body>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    // "When an origin server receives a request with an absolute-form of request-target, the origin server MUST ignore the
    // received Host header field (if any)" (RFC 9112 §3.2.2)
    let target = request.uri().authority().map(|authority| is_loopback(authority.as_str()));
    target.unwrap_or(true) && host.to_str().is_ok_and(is_loopback)
}

/// Whether a host, with or without a port, is a name of loopback.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_names_of_loopback_are_hosts() {
        for right in ["localhost", "LOCALHOST:9110", "127.0.0.1", "127.0.0.1:9110", "[::1]", "[::1]:9110"] {
            assert!(is_loopback(right), "{right}");
        }
        for wrong in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:9110",
            "[::2]",
            "::1",
            "a@localhost:x",
        ] {
            assert!(!is_loopback(wrong), "{wrong}");
        }
    }
}
