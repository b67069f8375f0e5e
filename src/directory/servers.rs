//! The servers of one directory: any may be asked, the first that lives is.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ldap3::Ldap;
use tokio::time::timeout;

use super::connect::{Connection, connect};
use super::fault::told;
use super::{Fault, ServiceBind, Settings};

/// Which servers are believed to be down, and until when.
pub(super) struct Servers {
    down_until: Mutex<Vec<Option<Instant>>>,
}

/// How long a server that failed is passed over while others live.
const PASSED_OVER: Duration = Duration::from_secs(10);

impl Servers {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { down_until: Mutex::new(vec![None; settings.urls.len()]) }
    }

    /// Connects to the first server that answers, and logs in as the service unless the connection is for binds.
    pub(super) async fn connect(
        &self,
        settings: &Settings,
        service: Option<&ServiceBind>,
    ) -> Result<Connection, Fault> {
        let mut last = Fault::Misconfigured("the directory has no server".to_owned());
        for server in self.order() {
            let fault = match connect(settings, server).await {
                Ok(connection) => match log_in(&connection, service, settings).await {
                    Ok(()) => {
                        self.note(server, None);
                        return Ok(connection);
                    }
                    Err(fault @ Fault::Misconfigured(_)) => return Err(fault),
                    Err(fault) => fault,
                },
                Err(fault) => fault,
            };
            tracing::warn!(directory = %settings.name, %fault, "directory server failed");
            self.note_down(server);
            last = fault;
        }
        Err(last)
    }

    /// Passes a server over for a while.
    pub(super) fn note_down(&self, server: usize) {
        self.note(server, Some(Instant::now() + PASSED_OVER));
    }

    /// Whether another server is worth a try after this one failed.
    pub(super) fn has_other_than(&self, server: usize) -> bool {
        let now = Instant::now();
        let down_until = self.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        down_until.iter().enumerate().any(|(other, until)| other != server && until.is_none_or(|until| until <= now))
    }

    fn note(&self, server: usize, until: Option<Instant>) {
        let mut down_until = self.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = down_until.get_mut(server) {
            *slot = until;
        }
    }

    /// Those not believed to be down in the order of the configuration, then the others: hope is better than nothing.
    fn order(&self) -> Vec<usize> {
        let now = Instant::now();
        let down_until = self.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        let (up, down): (Vec<usize>, Vec<usize>) = (0..down_until.len())
            .partition(|server| down_until.get(*server).copied().flatten().is_none_or(|until| until <= now));
        up.into_iter().chain(down).collect()
    }
}

/// Binds as the service. A refusal is a misconfiguration, whatever the code.
async fn log_in(connection: &Connection, service: Option<&ServiceBind>, settings: &Settings) -> Result<(), Fault> {
    let Some(service) = service else { return Ok(()) };
    let mut ldap: Ldap = connection.handle();
    let bind = ldap.simple_bind(service.dn.as_str(), service.password.expose());
    let result = match timeout(settings.limits.operation, bind).await {
        Ok(Ok(result)) => result,
        Ok(Err(fault)) => return Err(Fault::silent(format!("service bind: {fault}"))),
        Err(_) => return Err(Fault::silent("service bind: no answer in time")),
    };
    match result.rc {
        0 => Ok(()),
        1 | 3 | 51 | 52 | 80 => Err(Fault::of_result("service bind", &result)),
        _ => Err(Fault::Misconfigured(format!("service bind as {} refused: {}", service.dn, told(&result)))),
    }
}
