//! Requests in tasks of their own.

use crate::directory::fault::Fault;
use crate::session_id::with_session;

/// Runs a request in a task of its own, which starts with the call: the LDAP library panics on some malformed answers,
/// and a request that was begun is finished even if the client closes the connection.
pub(crate) fn apart<T: Send + 'static, Request: Future<Output = Result<T, Fault>> + Send + 'static>(
    request: Request,
) -> impl Future<Output = Result<T, Fault>> + use<T, Request> {
    let task = tokio::spawn(with_session(request));
    async move {
        match task.await {
            Ok(answer) => answer,
            Err(_) => Err(Fault::silent("the directory's answer could not be understood")),
        }
    }
}
