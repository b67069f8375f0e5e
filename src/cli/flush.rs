//! `restante flush`: tells the running service to forget.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{Ended, with_configuration};
use crate::admin::{Order, Settings};

/// The service may have to ask its directory who somebody is, and that may be slow.
const PATIENCE: Duration = Duration::from_secs(60);

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn flush(file: &Path, whom: Option<&str>) -> Ended {
    with_configuration(file, |configuration| {
        let order = Order::parse(&format!("flush {}", whom.unwrap_or_default()));
        let done = order.and_then(|order| give(configuration.admin.as_ref(), &order)).map_err(anyhow::Error::msg)?;
        println!("{done}");
        Ok(true)
    })
}

/// Gives an order to the running service, and takes its answer.
fn give(admin: Option<&Settings>, order: &Order) -> Result<String, String> {
    let admin = admin.ok_or("the configuration has no admin.socket, so the running service takes no orders")?;
    let told = |fault: std::io::Error| format!("{}: {fault}; is the service running?", admin.socket.display());
    let answer = exchange(admin, order).map_err(told)?;
    match answer.trim_end().split_once(' ') {
        Some(("OK", sentence)) => Ok(sentence.to_owned()),
        Some(("NO", sentence)) => Err(sentence.to_owned()),
        _ => Err(format!("{}: the service hung up", admin.socket.display())),
    }
}

fn exchange(admin: &Settings, order: &Order) -> std::io::Result<String> {
    let mut service = UnixStream::connect(&admin.socket)?;
    service.set_read_timeout(Some(PATIENCE))?;
    service.set_write_timeout(Some(PATIENCE))?;
    service.write_all(format!("{order}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(service).read_line(&mut answer)?;
    Ok(answer)
}
