//! Whether the limits that the system sets to the process leave room for the limits of the configuration.

use rustix::process::{Resource, getrlimit};

use super::running::FoundService;
use crate::cli::unit::Unit;
use crate::connection::BLOCKING_THREADS;
use crate::server::is_root;

/// Open files of one connection: its socket, and the message that is being sent.
const OF_CONNECTION: u64 = 2;

/// Open files besides: listeners, directories, the log, administrators.
const BESIDES: u64 = 64;

/// Threads besides those for file calls.
const OTHER_THREADS: u64 = 64;

/// Notes about limits that are too low. `unit`: the systemd unit that serves the configuration.
pub(super) fn inspect(connections: usize, service: &FoundService, unit: Option<&Unit>) -> Vec<String> {
    let own = getrlimit(Resource::Nofile).maximum;
    let (limit, of) = match (service.open_files(), unit.map(Unit::open_files)) {
        (Some(limit), _) => (Some(limit), "the running service"),
        (None, Some(limit)) => (Some(limit), "the unit"),
        (None, None) => (own, "this shell"),
    };
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_mul(OF_CONNECTION).saturating_add(BESIDES);
    let files = limit.filter(|limit| *limit < needed).map(|limit| {
        format!(
            "limits.connections: {connections} needs {needed} open files, but {of} may have {limit}; set \
             LimitNOFILE={needed} in the unit (`ulimit -Hn` elsewhere), or lower limits.connections"
        )
    });
    files.into_iter().chain(threads(unit.is_some())).collect()
}

/// The limit of the user's processes and threads, which does not hold for root. A unit has one of its own.
fn threads(has_unit: bool) -> Option<String> {
    let limit = getrlimit(Resource::Nproc).current.filter(|_| !is_root() && !has_unit)?;
    let needed = u64::try_from(BLOCKING_THREADS).ok()?.saturating_add(OTHER_THREADS);
    (limit < needed).then(|| {
        format!(
            "the user may have {limit} threads, but the service may need {needed} while network file systems do not \
             answer; raise `ulimit -u`"
        )
    })
}
