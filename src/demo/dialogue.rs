//! One connection of the embedded directory: a request in, its answer or an injected fault out.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapBindResponse, LdapExtendedRequest, LdapExtendedResponse, LdapMsg, LdapOp,
    LdapResult, LdapSearchRequest, OID_WHOAMI,
};
use ldap3_proto::{DisconnectionNotice, LdapCodec, LdapResultCode, LdapSearchResultEntry};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::codec::Framed;

use super::fault_injection::InjectedFault;
use super::root_dse;
use super::state::{DirectoryState, lock};
use super::tree::SearchResult;
use crate::names::Dn;

/// Answers a client until it closes the connection, or the injected fault does.
pub(super) async fn converse(stream: TcpStream, state: Arc<Mutex<DirectoryState>>) {
    if let Err(fault) = stream.set_nodelay(true) {
        tracing::debug!(
            name: "replies_may_wait_for_acknowledgements",
            reason = fault.to_string(),
            "replies may wait for acknowledgements"
        );
    }
    let wire = Framed::new(stream, LdapCodec::default());
    let mut dialogue = Dialogue { wire, state, bound: None, injected: InjectedFault::None };
    while let Some(message) = dialogue.wire.next().await {
        let answered = match message {
            Ok(message) => dialogue.answer(message).await,
            Err(_) => dialogue.give_notice(LdapResultCode::ProtocolError, "no LDAP message").await,
        };
        if answered.is_err() {
            return;
        }
    }
}

struct Dialogue {
    wire: Framed<TcpStream, LdapCodec>,
    state: Arc<Mutex<DirectoryState>>,
    /// Who the connection is; nobody is anonymous.
    bound: Option<Dn>,
    /// The fault that was in force when the request arrived.
    injected: InjectedFault,
}

/// The connection is over.
struct Over;

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// How an operation ended, before it becomes a message.
struct OperationResult {
    code: LdapResultCode,
    matched: String,
    text: String,
}

impl OperationResult {
    fn new(code: LdapResultCode, text: &str) -> Self {
        Self { code, matched: String::new(), text: text.to_owned() }
    }
}

impl From<OperationResult> for LdapResult {
    fn from(verdict: OperationResult) -> Self {
        Self { code: verdict.code, matcheddn: verdict.matched, message: verdict.text, referral: Vec::new() }
    }
}

impl Dialogue {
    async fn answer(&mut self, message: LdapMsg) -> Result<(), Over> {
        match message.op {
            LdapOp::UnbindRequest => return Err(Over),
            LdapOp::AbandonRequest(_) => return Ok(()),
            _ => self.injected = self.note(&message.op),
        }
        match &self.injected {
            InjectedFault::Silent => Ok(()),
            InjectedFault::Refuse => Err(Over),
            InjectedFault::Nonsense(octets) => Ok(self.wire.get_mut().write_all(octets).await?),
            InjectedFault::NoticeOfDisconnection => {
                self.give_notice(LdapResultCode::Unavailable, "shutting down").await
            }
            _ => self.serve(message).await,
        }
    }

    /// Counts a request, and returns the fault in force.
    fn note(&self, op: &LdapOp) -> InjectedFault {
        let mut state = lock(&self.state);
        match op {
            LdapOp::BindRequest(request) if state.is_service(&request.dn) => state.asked.service_binds += 1,
            LdapOp::BindRequest(_) => state.asked.binds += 1,
            LdapOp::SearchRequest(_) => state.asked.searches += 1,
            _ => {}
        }
        state.injected.clone()
    }

    async fn serve(&mut self, LdapMsg { msgid, op, ctrl }: LdapMsg) -> Result<(), Over> {
        let answer = match op {
            LdapOp::SearchRequest(request) => return self.search(msgid, &request, &ctrl).await,
            LdapOp::BindRequest(request) => {
                let res = self.bind(&request).into();
                LdapOp::BindResponse(LdapBindResponse { res, saslcreds: None })
            }
            LdapOp::ExtendedRequest(request) => LdapOp::ExtendedResponse(self.extended(&request)),
            other => refuse(&other).ok_or(Over)?,
        };
        self.send(LdapMsg::new(msgid, answer)).await?;
        Ok(self.wire.flush().await?)
    }

    /// RFC 4511 §4.2.1: a bind begins by making the connection anonymous, and a failed one leaves it so.
    fn bind(&mut self, request: &LdapBindRequest) -> OperationResult {
        self.bound = None;
        let state = lock(&self.state);
        if let (InjectedFault::BindResult { code, text }, false) = (&self.injected, state.is_service(&request.dn)) {
            return OperationResult::new(LdapResultCode::try_from(*code).unwrap_or(LdapResultCode::Other), text);
        }
        if request.version != 3 {
            return OperationResult::new(LdapResultCode::ProtocolError, "only version 3 of LDAP is spoken");
        }
        let LdapBindCred::Simple(password) = &request.cred else {
            return OperationResult::new(LdapResultCode::AuthMethodNotSupported, "only simple binds are known");
        };
        match state.tree.bind(&request.dn, password) {
            Ok(bound) => {
                self.bound = bound;
                OperationResult::new(LdapResultCode::Success, "")
            }
            Err(code) => OperationResult::new(code, ""),
        }
    }

    /// RFC 4532: who the connection is. Other extended operations are unknown, which is a protocol error by RFC 4511
    /// §4.12.
    fn extended(&self, request: &LdapExtendedRequest) -> LdapExtendedResponse {
        if request.name != OID_WHOAMI {
            let res = OperationResult::new(LdapResultCode::ProtocolError, "unsupported extended operation").into();
            return LdapExtendedResponse { res, name: None, value: None };
        }
        let who = self.bound.as_ref().map(|dn| format!("dn:{dn}")).unwrap_or_default();
        let res = OperationResult::new(LdapResultCode::Success, "").into();
        LdapExtendedResponse { res, name: None, value: Some(who.into_bytes()) }
    }

    async fn search(&mut self, id: i32, request: &LdapSearchRequest, ctrl: &[LdapControl]) -> Result<(), Over> {
        let mut found = self.found(request);
        let page = turn_page(&mut found, ctrl);
        if let InjectedFault::TrickleEntries(every) = self.injected {
            self.trickle(id, &request.base, &found.entries, every).await?;
        }
        for entry in found.entries {
            self.send(LdapMsg::new(id, LdapOp::SearchResultEntry(entry))).await?;
            if self.injected == InjectedFault::DropOnSearch {
                break;
            }
        }
        if self.injected == InjectedFault::DropOnSearch {
            self.wire.flush().await?;
            return Err(Over);
        }
        let verdict = OperationResult { code: found.code, matched: found.matched, text: String::new() };
        let done = LdapOp::SearchResultDone(verdict.into());
        self.send(LdapMsg::new_with_ctrls(id, done, page.into_iter().collect())).await?;
        Ok(self.wire.flush().await?)
    }

    /// To clients that may not search nothing exists but the root DSE, as with a real server that does not grant `disclose`.
    fn found(&self, request: &LdapSearchRequest) -> SearchResult {
        let state = lock(&self.state);
        if let Some(found) = root_dse::requested(&state.tree, request) {
            return found;
        }
        let may = state.service.as_ref().is_none_or(|only| self.bound.as_ref().is_some_and(|who| who.matches(only)));
        if may { state.tree.search(request) } else { SearchResult::nothing(LdapResultCode::NoSuchObject) }
    }

    /// Repeats the entries until the fault ends; the base if there are none.
    async fn trickle(
        &mut self,
        id: i32,
        base: &str,
        entries: &[LdapSearchResultEntry],
        every: Duration,
    ) -> Result<(), Over> {
        let invented = [LdapSearchResultEntry { dn: base.to_owned(), attributes: Vec::new() }];
        let entries = if entries.is_empty() { &invented } else { entries };
        for entry in entries.iter().cycle() {
            tokio::time::sleep(every).await;
            if lock(&self.state).injected != self.injected {
                break;
            }
            self.wire.send(LdapMsg::new(id, LdapOp::SearchResultEntry(entry.clone()))).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: LdapMsg) -> Result<(), Over> {
        if let InjectedFault::Slow(pause) = self.injected {
            self.wire.flush().await?;
            tokio::time::sleep(pause).await;
        }
        Ok(self.wire.feed(message).await?)
    }

    async fn give_notice(&mut self, code: LdapResultCode, text: &str) -> Result<(), Over> {
        self.wire.send(DisconnectionNotice::gen_response(code, text)).await?;
        Err(Over)
    }
}

/// The refusal of a request that is not supported, in the form that belongs to it; none if it is not a request.
fn refuse(op: &LdapOp) -> Option<LdapOp> {
    let no: LdapResult = OperationResult::new(LdapResultCode::UnwillingToPerform, "this directory is read only").into();
    Some(match op {
        LdapOp::ModifyRequest(_) => LdapOp::ModifyResponse(no),
        LdapOp::AddRequest(_) => LdapOp::AddResponse(no),
        LdapOp::DelRequest(_) => LdapOp::DelResponse(no),
        LdapOp::ModifyDNRequest(_) => LdapOp::ModifyDNResponse(no),
        LdapOp::CompareRequest(_) => LdapOp::CompareResult(no),
        _ => return None,
    })
}

/// Cuts the entries down to the page that was requested (RFC 2696), and returns the control that says where the next one
/// begins. The cookie is the number of entries sent so far.
fn turn_page(found: &mut SearchResult, ctrl: &[LdapControl]) -> Option<LdapControl> {
    let (size, cookie) = ctrl.iter().find_map(|control| match control {
        LdapControl::SimplePagedResults { size, cookie } => Some((usize::try_from(*size).ok()?, cookie)),
        _ => None,
    })?;
    let sent: usize = std::str::from_utf8(cookie).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    let next = sent.saturating_add(size);
    let cookie = if next < found.entries.len() { next.to_string().into_bytes() } else { Vec::new() };
    found.entries.truncate(next);
    found.entries.drain(..sent.min(found.entries.len()));
    Some(LdapControl::SimplePagedResults { size: 0, cookie })
}
