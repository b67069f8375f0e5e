//! A relay between client and server that forgets connections, as firewalls do with those that idle.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A port that leads to a server.
pub struct Relay {
    address: SocketAddr,
    generation: Arc<AtomicU64>,
}

impl Relay {
    /// Begins to carry what is sent to a port of its own.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { address: listener.local_addr().unwrap(), generation: Arc::default() };
        let generation = Arc::clone(&relay.generation);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, generation) = (client.unwrap(), Arc::clone(&generation));
                std::thread::spawn(move || carry(client, server, &generation));
            }
        });
        relay
    }

    /// `ldap://` and its address.
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// Forgets every connection there is. Nobody is told: only who sends something on one learns that it is gone.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

/// Carries one connection until it ends or is forgotten.
fn carry(mut client: TcpStream, server: SocketAddr, generation: &AtomicU64) {
    let born = generation.load(Ordering::SeqCst);
    let Ok(mut upstream) = TcpStream::connect(server) else { return };
    let (mut answers, mut back) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut octets = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut octets) {
        if generation.load(Ordering::SeqCst) != born || upstream.write_all(&octets[..count]).is_err() {
            break;
        }
    }
    let _ = upstream.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}
