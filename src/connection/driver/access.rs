//! What a client may do: it depends on TLS, on the port, and on which credentials people have.

use crate::connection::report::{CloseReason, HandshakeFailure, SessionReport};
use crate::connection::service::Service;
use crate::connection::wire::{ClientCertificates, ClientStream, Transport, shown};
use crate::pop3::{Access, Elsewhere, Expire};

/// What clients are offered, by the settings and by which credentials people have.
#[derive(Clone, Copy)]
pub(super) struct LoginOffer {
    /// Somebody has SCRAM credentials.
    pub(super) scram: bool,
    /// Tokens are accepted.
    pub(super) tokens: bool,
    /// How long mail stays on the server.
    pub(super) expire: Expire,
    /// Whether sessions are passed on.
    pub(super) elsewhere: Elsewhere,
}

impl LoginOffer {
    /// What every connection of a service is offered.
    pub(super) fn by(service: &Service) -> Self {
        let (identities, expire) = (&service.identities, service.settings.expire);
        let elsewhere = match service.back_ends.as_ref().map(|hosts| hosts.settings()) {
            None => Elsewhere::Never,
            Some(hosts) if hosts.needs_client_passwords() => Elsewhere::ByPassword,
            Some(_) => Elsewhere::ByAnyLogin,
        };
        Self { scram: identities.offers_scram(), tokens: identities.takes_tokens(), expire, elsewhere }
    }
}

/// What a client may do under TLS, here or at a proxy. Where certificates are required, a resumed TLS session whose certificate is no
/// longer valid ends as a full handshake would.
pub(super) fn under_tls<T: Transport>(
    certificates: Option<&ClientCertificates>,
    stream: &ClientStream<T>,
    report: &SessionReport,
    offered: LoginOffer,
) -> Result<Access, CloseReason> {
    let LoginOffer { scram, tokens, expire, elsewhere } = offered;
    let channel_binding = if scram { stream.channel_binding() } else { None };
    let (stls, passwords, external) = (false, true, false);
    let mut access = Access { stls, passwords, external, scram, channel_binding, tokens, expire, elsewhere };
    if let Some(policy) = certificates {
        let certificate = shown(policy, stream, report)
            .map_err(|fault| CloseReason::Handshake(HandshakeFailure::ClientCertificate, fault.to_string()))?;
        access.external = policy.is_enough && certificate.is_some();
    }
    Ok(access)
}
