//! The PROXY protocol, versions 1 and 2: how a load balancer reports the true address of the client whose connection it
//! passes on, as <https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt> defines it.
//!
//! | file | rule |
//! |---|---|
//! | `settings` | which networks may send headers, and what is believed of them |
//! | `header` | what a header says, and which headers are rejected |
//! | `checksum` | whether a header arrived as the proxy sent it |
//! | `fault` | why there is no header, in the words of the log |
//! | `tls_fields` | what it says about TLS at the proxy and the client's certificate |
//! | `reading` | the octets of a header, not one more, within their time |
//! | `origin` | whom a connection is from: the client itself, or the proxy |

mod checksum;
mod fault;
mod header;
mod origin;
mod reading;
mod settings;
mod tls_fields;

pub use self::settings::{ProxyCertificates, ProxyProtocol, ProxyTls};

pub(super) use self::fault::HeaderFault;
pub(super) use self::header::ProxyHeader;
pub(super) use self::origin::Origin;
pub(super) use self::reading::read_header;
