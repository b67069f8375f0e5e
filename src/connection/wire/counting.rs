//! How TLS handshakes are counted.

use super::stream::ClientStream;
use super::transport::Transport;
use crate::connection::report::CloseReason;
use crate::ledger::TlsCounters;

/// Counts a handshake that succeeded; a connection in clear counts as none.
pub(crate) fn note_handshake<T: Transport>(counters: &TlsCounters, stream: &ClientStream<T>) {
    if !stream.is_clear() {
        counters.note_handshake(stream.protection(), stream.is_resumed());
    }
}

/// Counts a handshake that failed.
pub(crate) fn note_failure(counters: &TlsCounters, closed: &CloseReason) {
    if let CloseReason::Handshake(failure, _) = closed {
        counters.note_failure(failure.word());
    }
}
