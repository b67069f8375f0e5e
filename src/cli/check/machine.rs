//! What `restante check` finds about this machine: the running service, its ports, limits, the clock, and room for mail.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::clock::{self, ClockFinding};
use super::listening::ListeningSockets;
use super::ports::{self, PortState};
use super::running::FoundService;
use super::space::{self, RoomFinding};
use super::{Checked, limits};
use crate::audit::Sample;
use crate::cli::unit::Unit;
use crate::config::Configuration;

/// Where systemd-timesyncd writes its state.
const TIMESYNC: &str = "/run/systemd/timesync";

impl Checked {
    /// What is found before the user is changed: ports below 1024 may need the rights of root.
    pub(super) fn machine(&mut self, file: &Path, configuration: &Configuration, sockets: &ListeningSockets) {
        let service = FoundService::ask(configuration.admin.as_ref());
        let (notes, in_order) = service.describe(file);
        self.notes.extend(notes);
        self.seen.extend(in_order);
        self.service = service.to_json(file);
        self.ports(ports::inspect(configuration, file, &service, sockets));
        let connections = configuration.server.limits.connections;
        self.notes.extend(limits::inspect(connections, &service, Unit::serving(file).as_ref()));
        self.notes.extend(clock::unsynchronised(Path::new(TIMESYNC)));
    }

    fn ports(&mut self, found: Vec<ports::PortFinding>) {
        for port in found {
            let address = port.address;
            self.listeners.push(json!({ "address": address.to_string(), "state": port.state.word() }));
            match port.state {
                PortState::Free => self.seen.push(format!("listeners: {address} is free")),
                PortState::InUseByService => self.seen.push(format!("listeners: {address} is in use by the service")),
                PortState::HeldForService(by) => {
                    self.seen.push(format!("listeners: {address} is held by {by}, which hands it over to a service"));
                }
                PortState::Untried => self.seen.push(format!(
                    "listeners: nobody listens at {address}; binding it needs more rights, so it was not tried"
                )),
                PortState::Taken(sentence) => self.faults.push(format!("listeners: {sentence}")),
            }
        }
    }

    /// A finding about the clock of a directory.
    pub(super) fn clock(&mut self, directory: &str, found: ClockFinding) {
        match found {
            ClockFinding::Note(text) => self.notes.push(format!("directory {directory}: {text}")),
            ClockFinding::Fault(text) => self.faults.push(format!("directory {directory}: {text}")),
        }
    }

    /// The file systems of the mail root, and of the Maildirs of some people.
    pub(super) fn room(&mut self, root: &Path, samples: &[Sample]) {
        let people = samples.iter().flat_map(|sample| &sample.people);
        let maildrops: Vec<PathBuf> =
            people.filter_map(|person| person.maildrop.as_ref().ok()).map(|path| root.join(path)).collect();
        for room in space::inspect(std::iter::once(root).chain(maildrops.iter().map(PathBuf::as_path))) {
            self.seen.push(room.describe());
            self.rooms.push(room.to_json());
            for finding in room.judge() {
                match finding {
                    RoomFinding::Enough => {}
                    RoomFinding::Short(text) => self.notes.push(text),
                    RoomFinding::Full(text) => self.faults.push(text),
                }
            }
        }
    }
}
