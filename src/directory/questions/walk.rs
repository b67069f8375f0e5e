//! All people of a directory, one after the other, read page by page (RFC 2696): memory does not grow with their number.

use std::sync::Arc;

use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{DerefAliases, LdapResult, Scope, SearchOptions};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::directory::entries::{Entry, constructed};
use crate::directory::fault::{Fault, describe, no_base};
use crate::directory::ldap::{Searcher, apart, attributes};

/// Entries in one page, and the most that are buffered here.
const PAGE: i32 = 500;

/// A walk in progress. It ends when it is dropped.
pub struct Walk {
    entries: mpsc::Receiver<Result<Entry, Fault>>,
    end: tokio::task::JoinHandle<Result<WalkEnd, Fault>>,
}

/// How a walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkEnd {
    /// Everybody was seen.
    Complete,
    /// The server sent no more because of one of its limits; the result it sent.
    CutShort(String),
}

/// Walks over everybody below the search base, in the server's order.
pub(crate) fn walk(searcher: Arc<Searcher>) -> Walk {
    let (sender, entries) = mpsc::channel(usize::try_from(PAGE).unwrap_or(1));
    Walk { entries, end: tokio::spawn(apart(async move { send_all(&searcher, sender).await })) }
}

async fn send_all(searcher: &Searcher, sender: mpsc::Sender<Result<Entry, Fault>>) -> Result<WalkEnd, Fault> {
    let settings = searcher.settings();
    let mut ldap = searcher.connection().await?.handle();
    let options = SearchOptions::new().deref(DerefAliases::Never);
    ldap.with_timeout(settings.limits.operation).with_search_options(options);
    let pages: Vec<Box<dyn Adapter<'_, &str, Vec<&str>>>> =
        vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(PAGE))];
    let (base, filter) = (settings.base.as_str(), settings.filter.as_str());
    let begun = ldap.streaming_search_with(pages, base, Scope::Subtree, filter, attributes(settings));
    let failed = |fault: &dyn std::fmt::Display| Fault::silent(format!("walk below {base}: {fault}"));
    // The beginning has a deadline of its own: the limit of an operation does not apply before the first message.
    let mut stream = match timeout(settings.limits.search, begun).await {
        Ok(begun) => begun.map_err(|fault| failed(&fault))?,
        Err(_) => return Err(failed(&"no answer in time")),
    };
    while let Some(found) = stream.next().await.map_err(|fault| failed(&fault))? {
        let entry = settings.fitted(Entry::read(constructed(found), &settings.name));
        if settings.is_service(&entry) {
            continue;
        }
        if sender.send(readable(entry)).await.is_err() {
            return Ok(WalkEnd::CutShort("nobody listens".to_owned()));
        }
    }
    judge(base, &stream.finish().await)
}

fn readable(entry: Entry) -> Result<Entry, Fault> {
    if entry.dn.is_readable() {
        return Ok(entry);
    }
    Err(Fault::Misconfigured(format!("an entry's DN cannot be read: {:?}", entry.dn.as_str())))
}

/// A limit of the server is not an outage: what was seen until then is valid, but not complete.
fn judge(base: &str, result: &LdapResult) -> Result<WalkEnd, Fault> {
    match result.rc {
        0 => Ok(WalkEnd::Complete),
        // Size limit, administrative limit, time limit (RFC 4511 Appendix A.2).
        3 | 4 | 11 => Ok(WalkEnd::CutShort(describe(result))),
        32 => Err(no_base(base, result)),
        10 | 12 | 34 | 49 | 50 | 53 => Err(Fault::Misconfigured(format!("walk below {base}: {}", describe(result)))),
        _ => Err(Fault::of_result("walk", result)),
    }
}

impl Walk {
    /// The next person; a fault for an entry that cannot be read as one. None at the end.
    pub async fn next(&mut self) -> Option<Result<Entry, Fault>> {
        self.entries.recv().await
    }

    /// How it ended, once [`Self::next`] has returned everybody.
    ///
    /// # Errors
    /// The directory stopped answering, or refuses; see [`Fault`].
    pub async fn end(self) -> Result<WalkEnd, Fault> {
        drop(self.entries);
        self.end.await.unwrap_or_else(|_| Err(Fault::silent("the directory's answer could not be understood")))
    }
}
