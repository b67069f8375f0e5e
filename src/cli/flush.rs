//! `restante flush`: clears the running service's caches.

use serde_json::json;

use super::order::Running;
use super::{Ended, complain};
use crate::admin::Order;

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn flush(service: &Running, whom: Option<&str>, json: bool) -> Ended {
    let order = match Order::parse(&format!("flush {}", whom.unwrap_or_default())) {
        Ok(order) => order,
        Err(fault) => {
            complain(&fault);
            return Ended::UsedWrongly;
        }
    };
    let (done, ended) = match service.give(&order) {
        Ok(done) => (Some(done), Ended::Fine),
        Err(ended) => (None, ended),
    };
    if json {
        println!("{:#}", json!({ "clean": done.is_some(), "answer": done }));
    } else if let Some(done) = done {
        println!("{done}");
    }
    ended
}
