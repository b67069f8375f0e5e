//! One connection of a mail transfer agent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::exchanges::{OpenExchange, OpenExchanges};
use super::judgement::{PresentedCredentials, judge};
use super::lines::{InputEnd, RequestLines};
use super::reply::{SaslAnswer, SaslReply, handshake};
use super::request::{LoginOrigin, LoginRequest, SaslRequest, SaslRequestFault, parse};
use crate::connection::Service;
use crate::current::Current;
use crate::pop3::{SaslDialogue, SaslStep};

/// How many logins of one connection are judged at once; further lines wait.
const AT_ONCE: usize = 16;

/// How long a mail transfer agent may take to read an answer.
const SLOWEST: Duration = Duration::from_secs(10);

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConversationEnd {
    /// The mail transfer agent has closed it.
    Input(InputEnd),
    /// It does not read, or is gone.
    Output,
    /// A line could not be understood.
    Misunderstood(SaslRequestFault),
    /// It cannot be known now whose the credentials are. Neither Postfix nor Exim knows an answer that says so: only a
    /// connection that is closed without one makes them ask their client to try later.
    Unavailable,
}

struct Conversation {
    lines: RequestLines<OwnedReadHalf>,
    output: OwnedWriteHalf,
    service: Arc<Current<Service>>,
    open: OpenExchanges,
    /// Logins that are being judged.
    judged: JoinSet<SaslReply>,
}

/// Serves a connection until one side closes it.
pub(super) async fn serve(client: UnixStream, service: Arc<Current<Service>>, number: u64) {
    let (input, output) = client.into_split();
    let (open, judged) = (OpenExchanges::default(), JoinSet::new());
    let mut conversation = Conversation { lines: RequestLines::new(input), output, service, open, judged };
    let end = conversation.converse(number).await;
    let Conversation { output, mut judged, .. } = conversation;
    drop(output);
    if let Some(reason) = end.describe() {
        tracing::warn!(name: "sasl_closed", reason, "a connection to the SASL service was closed");
    }
    // What was asked is counted, even if nobody waits for the answer.
    while judged.join_next().await.is_some() {}
}

impl Conversation {
    async fn converse(&mut self, number: u64) -> ConversationEnd {
        let greeting = handshake(self.service.get().identities.takes_tokens(), std::process::id(), number);
        let mut step = self.write(&greeting).await;
        while step.is_ok() {
            step = self.step().await;
        }
        match step {
            // It may have closed its own direction only.
            Err(ConversationEnd::Input(InputEnd::Closed)) => self.answer_rest().await,
            step => step.err().unwrap_or(ConversationEnd::Output),
        }
    }

    /// Waits for a line or a judgement, whichever comes first.
    async fn step(&mut self) -> Result<(), ConversationEnd> {
        let takes_lines = self.judged.len() < AT_ONCE;
        tokio::select! {
            Some(judged) = self.judged.join_next() => self.conclude(judged.ok()).await,
            line = self.lines.next(), if takes_lines => {
                let line = line.map_err(ConversationEnd::Input)?;
                let request = parse(&line).map_err(ConversationEnd::Misunderstood)?;
                self.take(request).await
            }
        }
    }

    async fn answer_rest(&mut self) -> ConversationEnd {
        while let Some(judged) = self.judged.join_next().await {
            if let Err(end) = self.conclude(judged.ok()).await {
                return end;
            }
        }
        ConversationEnd::Input(InputEnd::Closed)
    }

    async fn take(&mut self, request: SaslRequest) -> Result<(), ConversationEnd> {
        match request {
            SaslRequest::Begin(login) => self.begin(login).await,
            SaslRequest::Continue(id, response) => match self.open.take(id) {
                Some(OpenExchange { origin, dialogue, .. }) => {
                    self.progress(id, origin, dialogue.respond(&response)).await
                }
                None => self.reply(id, SaslAnswer::Malformed).await,
            },
            SaslRequest::Cancel(id) => {
                drop(self.open.take(id));
                Ok(())
            }
            SaslRequest::Other => Ok(()),
        }
    }

    async fn begin(&mut self, login: LoginRequest) -> Result<(), ConversationEnd> {
        let LoginRequest { id, mechanism, origin, initial } = login;
        let begun = SaslDialogue::begin(&mechanism, self.service.get().identities.takes_tokens());
        let step = match (begun, initial) {
            (None, _) => SaslStep::Malformed,
            (Some((dialogue, _)), Some(response)) => dialogue.initial(&response),
            (Some((dialogue, challenge)), None) => SaslStep::Challenge(dialogue, challenge),
        };
        self.progress(id, origin, step).await
    }

    async fn progress(&mut self, id: u32, origin: LoginOrigin, step: SaslStep) -> Result<(), ConversationEnd> {
        match step {
            SaslStep::Challenge(dialogue, challenge) => {
                self.open.insert(OpenExchange { id, origin, dialogue, since: Instant::now() });
                self.reply(id, SaslAnswer::Challenge(challenge)).await
            }
            SaslStep::Password(credentials) => {
                self.judge(id, origin, PresentedCredentials::Password(credentials));
                Ok(())
            }
            SaslStep::Token(credentials) => {
                self.judge(id, origin, PresentedCredentials::Token(credentials));
                Ok(())
            }
            SaslStep::Malformed => self.reply(id, SaslAnswer::Malformed).await,
        }
    }

    fn judge(&mut self, id: u32, origin: LoginOrigin, credentials: PresentedCredentials) {
        self.judged.spawn(judge(self.service.get(), id, origin, credentials));
    }

    /// A login was judged; none if its task has failed.
    async fn conclude(&mut self, judged: Option<SaslReply>) -> Result<(), ConversationEnd> {
        let Some(SaslReply { id, answer }) = judged else { return Err(ConversationEnd::Unavailable) };
        if answer == SaslAnswer::Temporary && self.judged.is_empty() {
            self.service.get().ledger.mta.note_sasl("temporary");
            return Err(ConversationEnd::Unavailable);
        }
        self.reply(id, answer).await
    }

    async fn reply(&mut self, id: u32, answer: SaslAnswer) -> Result<(), ConversationEnd> {
        if let Some(word) = answer.word() {
            self.service.get().ledger.mta.note_sasl(word);
        }
        self.write(&SaslReply { id, answer }.to_string()).await
    }

    async fn write(&mut self, text: &str) -> Result<(), ConversationEnd> {
        match timeout(SLOWEST, self.output.write_all(text.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(ConversationEnd::Output),
        }
    }
}

impl ConversationEnd {
    /// For the log; none if it is nothing that an administrator should know, or was logged with the login.
    fn describe(self) -> Option<&'static str> {
        match self {
            Self::Input(InputEnd::Closed) | Self::Output | Self::Unavailable => None,
            Self::Input(InputEnd::TooLong) => Some("a line was too long"),
            Self::Misunderstood(SaslRequestFault::Version) => Some("the client speaks another version of the protocol"),
            Self::Misunderstood(SaslRequestFault::Id) => Some("the client sent a request without a valid id"),
        }
    }
}
