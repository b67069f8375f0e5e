//! Debian's Cyrus with POP3, in clear, on ports and in a folder of its own.
//!
//! Its POP3 server cannot be installed beside Dovecot's, so that one package is unpacked into a folder.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::TempDir;

use super::ports::Port;
use super::process::{Daemon, program, succeed};
use super::unpacked::unpacked;

/// A Cyrus that runs. It ends when dropped.
pub struct Cyrus {
    daemon: Daemon,
    folder: TempDir,
    pop3: Port,
    lmtp: Port,
}

impl Cyrus {
    /// Serves people with these passwords. `proxy`: the one who may act for others.
    pub fn serve(people: &[(&str, &str)], proxy: &str) -> Self {
        let (packages, folder) = (unpacked("cyrus", &["cyrus-pop3d", "sasl2-bin"]), tempfile::tempdir().unwrap());
        let daemon = Daemon::new("Cyrus", folder.path().join("output"));
        let mut cyrus = Self { daemon, folder, pop3: Port::take(), lmtp: Port::take() };
        for part in ["conf", "spool", "proc", "lock", "socket"] {
            fs::create_dir(cyrus.path(part)).unwrap();
        }
        let shown = cyrus.folder.path().display().to_string();
        let (pop3, lmtp, server) = (cyrus.pop3.address(), cyrus.lmtp.address(), packages.display());
        fs::write(
            cyrus.path("imapd.conf"),
            format!(
                "configdirectory: {shown}/conf
proc_path: {shown}/proc
mboxname_lockpath: {shown}/lock
servername: localhost
defaultpartition: default
partition-default: {shown}/spool
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {shown}/sasldb2
sasl_mech_list: PLAIN
proxyservers: {proxy}
autocreate_quota: 0
autocreate_post: yes
lmtpsocket: {shown}/socket/lmtp
idlesocket: {shown}/socket/idle
notifysocket: {shown}/socket/notify
"
            ),
        )
        .unwrap();
        fs::write(
            cyrus.path("cyrus.conf"),
            format!(
                "START {{
}}
SERVICES {{
  pop3 cmd=\"{server}/usr/lib/cyrus/bin/pop3d -C {shown}/imapd.conf\" listen=\"{pop3}\" prefork=0
  lmtp cmd=\"/usr/lib/cyrus/bin/lmtpd -a -C {shown}/imapd.conf\" listen=\"{lmtp}\" prefork=0
}}
EVENTS {{
}}
"
            ),
        )
        .unwrap();
        for (name, password) in people {
            let mut command = program(&format!("{server}/usr/sbin/saslpasswd2"));
            command.arg("-f").arg(cyrus.path("sasldb2")).args(["-c", "-p", "-u", "localhost", name]);
            succeed(&mut command, &format!("{password}\n"));
        }
        succeed(program("chown").args(["-R", "cyrus:mail"]).arg(cyrus.folder.path()), "");
        let mut command = program("/usr/lib/cyrus/bin/master");
        command.arg("-D").arg("-C").arg(cyrus.path("imapd.conf")).arg("-M").arg(cyrus.path("cyrus.conf"));
        command.arg("-p").arg(cyrus.path("pid"));
        cyrus.daemon.start(&mut command, &[pop3, lmtp]);
        cyrus
    }

    /// Its POP3 port, without TLS.
    pub fn pop3(&self) -> SocketAddr {
        self.pop3.address()
    }

    /// Delivers a message (RFC 2033).
    pub fn deliver(&self, name: &str, message: &str) {
        let mut client = TcpStream::connect(self.lmtp.address()).unwrap();
        let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
        let message = message.replace('\n', "\r\n");
        let mut expect = |code: &str| loop {
            let line = lines.next().unwrap().unwrap();
            assert!(line.starts_with(code), "{line}");
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        };
        expect("220");
        for (command, code) in [
            ("LHLO localhost".to_owned(), "250"),
            ("MAIL FROM:<>".to_owned(), "250"),
            (format!("RCPT TO:<{name}>"), "250"),
            ("DATA".to_owned(), "354"),
            (format!("{message}\r\n."), "250"),
            ("QUIT".to_owned(), "221"),
        ] {
            client.write_all(format!("{command}\r\n").as_bytes()).unwrap();
            expect(code);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Cyrus {
    fn drop(&mut self) {
        // Only in good order does it take its processes with it.
        self.daemon.end(Signal::TERM);
    }
}
