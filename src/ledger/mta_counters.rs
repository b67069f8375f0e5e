//! What mail transfer agents ask: logins over the SASL service, and look-ups in the tables of the socketmap.

use prometheus_client::registry::Registry;

use super::families::CounterFamily;

/// What mail transfer agents ask.
pub struct MtaCounters {
    sasl: CounterFamily<1>,
    lookups: CounterFamily<2>,
}

impl MtaCounters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (sasl, lookups) = (CounterFamily::default(), CounterFamily::default());
        registry.register("sasl_requests", "Requests to the SASL service, by answer", sasl.clone());
        registry.register("socketmap_lookups", "Look-ups in tables of the socketmap, by answer", lookups.clone());
        for answer in ["accepted", "refused", "temporary", "malformed"] {
            drop(sasl.get_or_create(&[("answer", answer)]));
        }
        for table in ["recipient", "maildir", "sender", "alias", "host", "pop_before_smtp"] {
            for answer in ["found", "not_found", "temporary", "permanent"] {
                drop(lookups.get_or_create(&[("table", table), ("answer", answer)]));
            }
        }
        Self { sasl, lookups }
    }

    /// A request to the SASL service was answered.
    pub fn note_sasl(&self, answer: &'static str) {
        self.sasl.get_or_create(&[("answer", answer)]).inc();
    }

    /// A look-up in a table was answered.
    pub fn note_lookup(&self, table: &'static str, answer: &'static str) {
        self.lookups.get_or_create(&[("table", table), ("answer", answer)]).inc();
    }
}
