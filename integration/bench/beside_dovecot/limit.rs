//! What the work costs a server that does nothing else: tokio and rustls, no directory, no log, no files; it believes every
//! password, and answers from memory. How fast a machine is at accepting connections and sending octets, it tells.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::mail::OWNERS;
use crate::support::service::Site;

/// The first argument of the process that is such a server.
const WORD: &str = "be-the-limit";

/// Replies that are sent together at most, in octets.
const BLOCK: usize = 64 * 1024;

/// Such a server, as a process of its own; it ends when dropped.
pub struct Limit {
    process: Child,
    pub plain: SocketAddr,
    pub tls: SocketAddr,
}

impl Limit {
    pub fn start(site: &Site) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(WORD).arg(site.folder()).arg(site.root()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut address = || lines.next().unwrap().unwrap().parse().unwrap();
        Self { plain: address(), tls: address(), process }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One person's mail as it is sent.
struct Mail {
    stat: Vec<u8>,
    list: Vec<u8>,
    uidl: Vec<u8>,
    messages: Vec<Vec<u8>>,
}

/// Serves for ever, if this process was started for that.
pub fn serve_if_asked() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, word, folder, root] = &*arguments else { return };
    if word == WORD {
        tokio::runtime::Runtime::new().unwrap().block_on(serve(Path::new(folder), Path::new(root)));
    }
}

async fn serve(folder: &Path, root: &Path) {
    let certificates = CertificateDer::pem_file_iter(folder.join("tls/server.pem")).unwrap().map(Result::unwrap);
    let key = PrivateKeyDer::from_pem_file(folder.join("tls/server.key")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let mut config = config.with_single_cert(certificates.collect(), key).unwrap();
    config.ticketer = Ticketer::new().unwrap();
    let (acceptor, mail) = (TlsAcceptor::from(Arc::new(config)), Arc::new(all(root)));
    let (plain, tls) = (listener().await, listener().await);
    println!("{}\n{}", plain.local_addr().unwrap(), tls.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    loop {
        tokio::select! {
            Ok((socket, _)) = plain.accept() => drop(tokio::spawn(plainly(socket, Arc::clone(&mail)))),
            Ok((socket, _)) = tls.accept() => drop(tokio::spawn(under_tls(socket, acceptor.clone(), Arc::clone(&mail)))),
        }
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn plainly(socket: TcpStream, mail: Arc<HashMap<String, Mail>>) {
    let _ = socket.set_nodelay(true);
    let _ended = session(socket, &mail).await;
}

async fn under_tls(socket: TcpStream, acceptor: TlsAcceptor, mail: Arc<HashMap<String, Mail>>) {
    let _ = socket.set_nodelay(true);
    if let Ok(stream) = acceptor.accept(socket).await {
        let _ended = session(stream, &mail).await;
    }
}

/// Answers all commands that are there at once.
async fn session(mut stream: impl AsyncRead + AsyncWrite + Unpin, all: &HashMap<String, Mail>) -> std::io::Result<()> {
    let (mut heard, mut said, mut mail) = (Vec::with_capacity(4096), b"+OK limit POP3 server ready\r\n".to_vec(), None);
    loop {
        stream.write_all(&said).await?;
        stream.flush().await?;
        said.clear();
        if stream.read_buf(&mut heard).await? == 0 {
            return Ok(());
        }
        let whole = heard.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        for line in heard[..whole].split_inclusive(|octet| *octet == b'\n') {
            let line = std::str::from_utf8(line).unwrap_or_default().trim_end();
            let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
            if command == "USER" {
                mail = all.get(argument);
            }
            let Some(mail) = mail else { return Ok(()) };
            answer(&mut said, command, argument, mail);
            if said.len() > BLOCK {
                stream.write_all(&said).await?;
                said.clear();
            }
            if command == "QUIT" {
                stream.write_all(&said).await?;
                return stream.shutdown().await;
            }
        }
        heard.drain(..whole);
    }
}

fn answer(said: &mut Vec<u8>, command: &str, argument: &str, mail: &Mail) {
    match command {
        "STAT" => said.extend_from_slice(&mail.stat),
        "LIST" => said.extend_from_slice(&mail.list),
        "UIDL" => said.extend_from_slice(&mail.uidl),
        "RETR" => {
            let number: usize = argument.parse().unwrap_or_default();
            said.extend_from_slice(b"+OK\r\n");
            said.extend_from_slice(&mail.messages[number - 1]);
        }
        _ => said.extend_from_slice(b"+OK\r\n"),
    }
}

fn all(root: &Path) -> HashMap<String, Mail> {
    OWNERS.iter().map(|owner| (owner.name.to_owned(), Mail::read(&root.join(owner.name).join("Maildir/cur")))).collect()
}

impl Mail {
    fn read(cur: &Path) -> Self {
        let mut files: Vec<_> = std::fs::read_dir(cur).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort_unstable();
        let messages: Vec<Vec<u8>> = files.iter().map(|file| as_sent(&std::fs::read(file).unwrap())).collect();
        let octets: usize = messages.iter().map(|message| message.len() - 3).sum();
        let lines = |told: &dyn Fn(usize) -> String| {
            let lines: Vec<String> = (0..messages.len()).map(|at| format!("{} {}\r\n", at + 1, told(at))).collect();
            format!("+OK\r\n{}.\r\n", lines.concat()).into_bytes()
        };
        let list = lines(&|at| (messages[at].len() - 3).to_string());
        let uidl = lines(&|at| format!("{at:08x}6553f100"));
        Self { stat: format!("+OK {} {octets}\r\n", messages.len()).into_bytes(), list, uidl, messages }
    }
}

/// With CRLF at the end of each line, and the final dot; no line of these messages begins with one.
fn as_sent(message: &[u8]) -> Vec<u8> {
    let lines = message.split_inclusive(|octet| *octet == b'\n');
    let mut sent: Vec<u8> = lines.flat_map(|line| [&line[..line.len() - 1], b"\r\n"].concat()).collect();
    sent.extend_from_slice(b".\r\n");
    sent
}
