//! `restante flush`: tells the running service to forget.

use super::order::Running;
use super::{Ended, complain};
use crate::admin::Order;

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn flush(service: &Running, whom: Option<&str>) -> Ended {
    let order = match Order::parse(&format!("flush {}", whom.unwrap_or_default())) {
        Ok(order) => order,
        Err(fault) => {
            complain(&fault);
            return Ended::FoundWrong;
        }
    };
    match service.give(&order) {
        Ok(done) => {
            println!("{done}");
            Ended::Fine
        }
        Err(ended) => ended,
    }
}
