//! The sockets of this machine that listen for TCP connections, and the processes that hold them (proc(5)).

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The state of a socket that listens, as the kernel writes it.
const LISTENS: &str = "0A";

/// All listening sockets, as they were at one moment.
pub(super) struct ListeningSockets(Vec<ListeningSocket>);

/// One of them.
#[derive(Debug)]
pub(super) struct ListeningSocket {
    address: SocketAddr,
    inode: u64,
    /// The user who created it.
    pub(super) uid: u32,
    /// The processes that hold it, as far as the current user may see.
    pub(super) holders: Vec<SocketHolder>,
}

/// A process.
#[derive(Clone, Debug)]
pub(super) struct SocketHolder {
    pub(super) pid: u32,
    /// The name of its program.
    pub(super) name: String,
    /// Its command line.
    pub(super) command: String,
}

impl ListeningSockets {
    /// Reads them. Only root sees the processes of other users.
    pub(super) fn read() -> Self {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| fs::read_to_string(file).unwrap_or_default());
        let mut sockets: Vec<_> = tables.iter().flat_map(|table| table.lines()).filter_map(listening).collect();
        let places = sockets.iter().enumerate().map(|(place, socket)| (socket.inode, place)).collect();
        for (place, holder) in holders(Path::new("/proc"), &places) {
            if let Some(socket) = sockets.get_mut(place) {
                socket.holders.push(holder);
            }
        }
        Self(sockets)
    }

    /// The socket that keeps others from listening at an address.
    pub(super) fn at(&self, address: SocketAddr) -> Option<&ListeningSocket> {
        self.0.iter().find(|socket| overlap(socket.address, address))
    }
}

/// `[::]` takes IPv4, too.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (first, second) = (one.ip().to_canonical(), other.ip().to_canonical());
    let takes = |all: IpAddr, other: IpAddr| all.is_unspecified() && (all.is_ipv6() || other.is_ipv4());
    one.port() == other.port() && (first == second || takes(first, second) || takes(second, first))
}

/// `0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 …`
fn listening(line: &str) -> Option<ListeningSocket> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, local, _, LISTENS, _, _, _, uid, _, inode, ..] = fields.as_slice() else { return None };
    let (ip, port) = local.split_once(':')?;
    let address = SocketAddr::new(address(ip)?, u16::from_str_radix(port, 16).ok()?);
    Some(ListeningSocket { address, inode: inode.parse().ok()?, uid: uid.parse().ok()?, holders: Vec::new() })
}

/// Words of 32 bits in the machine's order of octets, each in hexadecimal digits.
fn address(digits: &str) -> Option<IpAddr> {
    let word = |place: usize| u32::from_str_radix(digits.get(place * 8..place * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    match digits.len() {
        8 => Some(IpAddr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (place, four) in octets.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(place)?);
            }
            Some(IpAddr::from(octets))
        }
        _ => None,
    }
}

/// The processes that have one of these sockets open, each with the place of the socket.
fn holders(processes: &Path, places: &HashMap<u64, usize>) -> Vec<(usize, SocketHolder)> {
    let mut found = Vec::new();
    for process in fs::read_dir(processes).into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let mut own: Vec<usize> =
            descriptors(&process.path()).filter_map(|inode| places.get(&inode).copied()).collect();
        own.sort_unstable();
        own.dedup();
        found.extend(own.into_iter().map(|place| (place, SocketHolder::of(pid, &process.path()))));
    }
    found
}

/// The inodes of what a process has open.
fn descriptors(process: &Path) -> impl Iterator<Item = u64> {
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    open.filter_map(|open| fs::metadata(open.path()).ok()).map(|metadata| metadata.ino())
}

impl SocketHolder {
    fn of(pid: u32, process: &Path) -> Self {
        let text =
            |name: &str| fs::read(process.join(name)).map(|octets| String::from_utf8_lossy(&octets).into_owned());
        let name = text("comm").unwrap_or_default().trim_end().to_owned();
        let command = text("cmdline").unwrap_or_default().trim_end_matches('\0').replace('\0', " ");
        Self { pid, name, command }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_that_exclude_each_other_overlap() {
        for (one, other, expected) in [
            ("127.0.0.1:110", "127.0.0.1:110", true),
            ("127.0.0.1:110", "127.0.0.1:995", false),
            ("127.0.0.1:110", "127.0.0.2:110", false),
            ("0.0.0.0:110", "127.0.0.2:110", true),
            ("[::]:110", "127.0.0.2:110", true),
            ("[::]:110", "[::1]:110", true),
            ("0.0.0.0:110", "[::1]:110", false),
            ("[::ffff:127.0.0.1]:110", "127.0.0.1:110", true),
        ] {
            let [first, second] = [one, other].map(|text| text.parse().unwrap());
            assert_eq!((overlap(first, second), overlap(second, first)), (expected, expected), "{one} {other}");
        }
    }

    #[test]
    fn a_socket_is_found_with_its_process() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let socket = TcpListener::bind(address).unwrap();
            let all = ListeningSockets::read();
            let found = all.at(socket.local_addr().unwrap()).unwrap();
            assert!(found.holders.iter().any(|holder| holder.pid == std::process::id()), "{found:?}");
        }
        assert!(ListeningSockets::read().at("127.0.0.1:0".parse().unwrap()).is_none());
    }
}
