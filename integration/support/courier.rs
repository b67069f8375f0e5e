//! Debian's Courier: its POP3 server on the Maildirs of a site.
//!
//! Its package cannot be installed beside Dovecot's, so it is unpacked into a folder. What comes before it in a whole
//! Courier (listening, and passwords) is done here; everything that has to do with mail is Courier's own.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;

use super::conversation::Conversation;
use super::service::Site;
use super::unpacked::unpacked;

/// Everybody's password.
pub const PASSWORD: &str = "courier-secret-42";

/// The server, and the libraries that come with it.
const PACKAGES: [&str; 4] = ["courier-pop", "courier-authlib", "libcourier-unicode4", "libidn12"];

/// A Courier that takes connections as long as the test runs.
pub struct Courier {
    address: SocketAddr,
}

impl Courier {
    /// Serves a site's Maildirs, in clear.
    pub fn serve(site: &Site) -> Self {
        let (unpacked, root) = (unpacked("courier", &PACKAGES), site.root());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, unpacked, root) = (client.unwrap(), unpacked.clone(), root.clone());
                std::thread::spawn(move || serve(client, &unpacked, &root));
            }
        });
        Self { address }
    }

    /// Its POP3 port, without TLS.
    pub fn pop3(&self) -> SocketAddr {
        self.address
    }

    /// A client that has logged in.
    pub fn session(&self, name: &str) -> Conversation {
        let mut client = Conversation::plain(self.address);
        client.expect("+OK");
        client.login(name, PASSWORD);
        client
    }
}

/// Takes name and password; then the connection is Courier's.
fn serve(mut client: TcpStream, unpacked: &Path, root: &Path) -> Option<()> {
    let mut lines = BufReader::new(client.try_clone().ok()?).lines();
    client.write_all(b"+OK Hello there.\r\n").ok()?;
    let name = lines.next()?.ok()?.trim_end().strip_prefix("USER ")?.to_owned();
    client.write_all(b"+OK Password required.\r\n").ok()?;
    let password = lines.next()?.ok()?.trim_end().strip_prefix("PASS ")?.to_owned();
    if password != PASSWORD {
        return client.write_all(b"-ERR Login failed.\r\n").ok();
    }
    let library = unpacked.join("usr/lib");
    let libraries =
        format!("{}:{}/x86_64-linux-gnu:{}/aarch64-linux-gnu", library.display(), library.display(), library.display());
    let mut command = Command::new(library.join("courier/courier/courierpop3d"));
    command.arg("Maildir").current_dir(root.join(&name)).env("LD_LIBRARY_PATH", libraries).env("AUTHENTICATED", &name);
    let (input, output) = (OwnedFd::from(client.try_clone().ok()?), OwnedFd::from(client));
    command.stdin(input).stdout(output).stderr(std::process::Stdio::null()).status().ok().map(drop)
}
