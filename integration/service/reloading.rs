//! A configuration that is read again while the service runs, in front of a real slapd: what comes into force, what stays,
//! and what nobody notices.

mod caches;
mod load;
mod rejected;
mod sessions;
mod settings;

use std::fs;

use restante::demo::people;
use serde_json::Value;

use crate::support::directory::RealDirectory;
use crate::support::login::give_mail;
use crate::support::process::output;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;

/// A person with mail.
const ALAN: (&str, &str) = ("ajones", "violet-harbour-17");

/// Another one.
const LAMB: (&str, &str) = ("alamb", "seven green lamps");

/// The service in front of slapd, with an admin socket.
struct Reloading {
    service: Service,
    site: Site,
    plan: Plan,
    slapd: Slapd,
}

/// How `restante reload` ended.
struct Reloaded {
    status: i32,
    told: String,
    complained: String,
}

impl Reloading {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// With a plan that is changed before the service starts.
    fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let (slapd, site) = (Slapd::start(people::LDIF), Site::new());
        for (name, _) in [ALAN, LAMB] {
            give_mail(&site, name);
        }
        let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s").and("admin: { socket: admin.sock }");
        change(&mut plan);
        let service = site.serve(&plan);
        service.wait_for_log(&["the directory answers"]);
        Self { service, site, plan, slapd }
    }

    /// Writes the plan as it is now.
    fn write(&self) {
        fs::write(self.site.folder().join("restante.yaml"), self.plan.yaml()).unwrap();
    }

    fn reload(&self) -> Reloaded {
        let output = output(&mut self.site.command(&["reload"]), "");
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        Reloaded { status: output.status.code().unwrap(), told: text(output.stdout), complained: text(output.stderr) }
    }

    /// Writes the plan and reloads, which succeeds; gives what was told.
    fn reloads(&self) -> String {
        self.write();
        let Reloaded { status, told, complained } = self.reload();
        assert_eq!((status, complained.as_str()), (0, ""), "{told}");
        told
    }

    /// What `restante status` tells of a cache: its entries.
    fn cached(&self, cache: &str) -> u64 {
        let status = output(&mut self.site.command(&["status", "--json"]), "");
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        let caches = status["caches"].as_array().unwrap();
        let of = caches.iter().find(|entry| entry["cache"] == cache).unwrap();
        of["entries"].as_u64().unwrap()
    }
}
