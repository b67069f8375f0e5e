//! Three nodes with the configuration of the guide over one mail root, `HAProxy` in front, and a directory with a replica.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use restante::demo::people;
use rustix::process::Signal;

use crate::support::directory::RealDirectory as _;
use crate::support::haproxy::HaProxy;
use crate::support::mount::{Mount, Shown};
use crate::support::overlays::Overlay;
use crate::support::ports::Port;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::{Options, Slapd};

const GUIDE: &str = include_str!("../../../config/guide/many-nodes.md");

/// Where Debian's `faketime` has its library; the machine's path is that of its processor.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// How each node differs: its name in the guide's `HAProxy`, its address there, its mail root, by how much its clock is wrong.
/// Two see the mail root as NFS shows it.
const NODES: [(&str, &str, &str, &str); 3] = [
    ("mail1", "192.0.2.21", "mail", ""),
    ("mail2", "192.0.2.22", "mail-of-mail2", "+3s"),
    ("mail3", "192.0.2.23", "mail-of-mail3", "-3s"),
];

/// What is dropped first stands first: whoever uses a thing is dropped before it.
pub(super) struct Farm {
    pub(super) haproxy: HaProxy,
    nodes: Vec<Node>,
    _mounts: Vec<Shown>,
    _disk: Mount,
    /// The directory, and its replica.
    pub(super) directories: [Mutex<Slapd>; 2],
    pub(super) site: Site,
}

struct Node {
    service: Mutex<Option<Service>>,
    yaml: String,
    /// Of its two listeners, and of its admin HTTP listener.
    ports: [Port; 3],
    /// The `HAProxy` on this node that passes on `/readyz`.
    health: HaProxy,
}

/// The pieces of a language in the guide, in its order.
fn pieces(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    GUIDE.split(&begin).skip(1).map(|piece| piece.split("```").next().unwrap()).collect()
}

impl Farm {
    /// Starts everything. `prepare` fills the mail root before the first node starts.
    pub(super) fn start(prepare: impl FnOnce(&Site)) -> Self {
        let site = Site::new();
        let disk = Mount::with_whole_seconds(&site.root(), site.folder());
        fs::write(site.root().join(".mounted"), "").unwrap();
        prepare(&site);
        let mounts = NODES.iter().filter(|(_, _, root, _)| *root != "mail").map(|(_, _, root, _)| {
            let at = site.folder().join(root);
            fs::create_dir(&at).unwrap();
            Shown::as_nfs(&site.root(), &at)
        });
        let mounts = mounts.collect();
        let options = Options { overlays: &[Overlay::Sync], ..Options::default() };
        let directory = Slapd::start_with(people::LDIF, &options);
        let replica = Slapd::replica(&directory, people::LDIF);
        let urls = format!("{}\", \"{}", directory.url(), replica.url());
        let nodes: Vec<Node> = NODES.iter().map(|(_, _, root, _)| Node::new(&urls, root)).collect();
        let haproxy = balancer(&nodes);
        let directories = [directory, replica].map(Mutex::new);
        let farm = Self { haproxy, nodes, _mounts: mounts, _disk: disk, directories, site };
        for node in 0..NODES.len() {
            farm.start_node(node);
        }
        farm
    }

    /// Where clients connect.
    pub(super) fn frontend(&self) -> SocketAddr {
        self.haproxy.frontends[0]
    }

    /// Where `HAProxy` connects for them.
    pub(super) fn listener(&self, node: usize) -> SocketAddr {
        self.nodes[node].ports[0].address()
    }

    /// The configuration of a node.
    pub(super) fn file(&self, node: usize) -> PathBuf {
        self.site.folder().join(file_of(node))
    }

    /// Starts a node, and returns when `HAProxy` sends clients there.
    pub(super) fn start_node(&self, node: usize) {
        let offset = NODES[node].3;
        let change = |command: &mut Command| {
            if !offset.is_empty() {
                // The stamps of files are the file server's, and no clock of durations jumps.
                command.env("LD_PRELOAD", FAKETIME).env("FAKETIME", offset);
                command.env("NO_FAKE_STAT", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            }
        };
        let Node { service, yaml, .. } = &self.nodes[node];
        let started = self.site.serve_file(&file_of(node), yaml, yaml.matches("address:").count(), change);
        let is_ignored = |line: &String| line.contains("cannot be preloaded");
        assert!(!started.log().iter().any(is_ignored), "faketime, of Debian: {}", started.log().join("\n"));
        *service.lock().unwrap() = Some(started);
        self.wait_for_node(node, "UP");
    }

    /// Takes a node's process away from the farm, which goes on without it.
    pub(super) fn take_node(&self, node: usize) -> Service {
        self.nodes[node].service.lock().unwrap().take().unwrap()
    }

    /// Kills a node; its log must not speak of damage.
    pub(super) fn kill_node(&self, node: usize) {
        let mut service = self.take_node(node);
        service.signal(Signal::KILL);
        let (_, log) = service.ended();
        let is_bad = |line: &&String| ["panicked", "damaged", "put aside"].iter().any(|word| line.contains(word));
        assert_eq!(log.iter().find(is_bad), None);
    }

    /// Returns when both backends of `HAProxy` have this node in a state.
    pub(super) fn wait_for_node(&self, node: usize, state: &str) {
        for backend in ["pop3", "pop3s"] {
            self.haproxy.wait_for_server(backend, NODES[node].0, state);
        }
    }
}

impl Node {
    fn new(urls: &str, root: &str) -> Self {
        let ports = [Port::take(), Port::take(), Port::take()];
        let [pop3, pop3s, http] = [&ports[0], &ports[1], &ports[2]].map(|port| port.address().to_string());
        let (listeners, others) = (pieces("yaml")[0], pieces("yaml")[1]);
        let (mailboxes, further) = others.strip_prefix("mailboxes:\n").unwrap().split_once("admin:").unwrap();
        // The caches are short, so that the directory is asked in nearly every login.
        let mut plan = Plan::at(urls)
            .and(&format!("admin:{}", further.replace("127.0.0.1:9110", &http)))
            .and("refusal_step: 0s\ncache: { found: 1s, password: 1s, outage_grace: 0s }")
            .and("uidl: { import: read }");
        let items = listeners.strip_prefix("listeners:\n").unwrap();
        let items = items.replace("[::]:110", &pop3).replace("[::]:995", &pop3s);
        plan.listeners = items.replace("[192.0.2.1, 192.0.2.2]", "[127.0.0.1]");
        plan.mailboxes.push_str(mailboxes);
        plan.mailboxes.push_str("  deletion: { keep_for: 14d }\n");
        let yaml = plan.yaml().replace("root: mail\n", &format!("root: {root}\n"));
        let changes = [("src 192.0.2.1 192.0.2.2", "src 127.0.0.1"), ("127.0.0.1:9110", &*http)];
        let health = HaProxy::serve(pieces("haproxy")[0], &changes);
        Self { service: Mutex::default(), yaml, ports, health }
    }
}

fn file_of(node: usize) -> String {
    format!("{}.yaml", NODES[node].0)
}

fn balancer(nodes: &[Node]) -> HaProxy {
    let mut changes: Vec<(String, String)> = vec![
        ("inter 2s".to_owned(), "inter 100ms".to_owned()),
        // Another limit of files may be in force than an administrator's machine has.
        ("maxconn 20000".to_owned(), "maxconn 100".to_owned()),
        ("log /dev/log local0".to_owned(), "log stderr format raw local0".to_owned()),
    ];
    for (node, (_, address, ..)) in nodes.iter().zip(NODES) {
        for (port, listener) in ["110", "995"].into_iter().zip(&node.ports) {
            let server = format!("{} port {}\n", listener.address(), node.health.frontends[0].port());
            changes.push((format!("{address}:{port}\n"), server));
        }
    }
    let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    HaProxy::serve(pieces("haproxy")[1], &changes)
}
