//! The queries that one socket watches, by the client's numbers, and what its next transition says of changes of
//! them.
//!
//! Knows nothing of results that come from runs: those are between [`crate::live`] and the transition.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use weir_value::limits::{SOCKET_QUERIES_MAX, WATCHED_QUERY_BYTES};

use crate::budget::{Charge, Held};
use crate::live::{LiveKey, ResultChange, WatchChange};
use crate::protocol::{FailureBody, ProtocolError, QueryId, QuerySetModification, ResolvedCall};
use crate::result::QueryResult;

/// Results that no run made have this number: they are sent once, and are the base of nothing.
const REFUSED_SEQ: u64 = u64::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    /// In the registry of live queries.
    Live,
    /// Its path or arguments are invalid, or there was no room for them: it has failed, and stays so.
    Refused,
}

/// The queries of one socket.
#[derive(Debug, Default)]
pub struct QuerySet {
    queries: BTreeMap<QueryId, Watched>,
    live: usize,
    /// Removed since the last transition.
    removed: BTreeSet<QueryId>,
    /// Refused since the last transition.
    refused: BTreeMap<QueryId, Arc<QueryResult>>,
}

impl QuerySet {
    /// Applies the modifications of one message, in order. `held` is what the message is counted with: what is kept of it
    /// counts on.
    ///
    /// # Errors
    /// An id that is in use, or is not; too many queries. The set is then of no more use, nor is the connection.
    pub fn modify(
        &mut self,
        modifications: Vec<QuerySetModification>,
        held: &mut Charge,
    ) -> Result<Vec<WatchChange>, ProtocolError> {
        let mut changes = Vec::new();
        for modification in modifications {
            match modification {
                QuerySetModification::Add { query, call, journal } => {
                    self.check_new(query)?;
                    match live_key(call, journal, held) {
                        Ok(key) => {
                            self.queries.insert(query, Watched::Live);
                            self.live += 1;
                            changes.push(WatchChange::Add(query, key));
                        }
                        Err(failure) => {
                            self.queries.insert(query, Watched::Refused);
                            self.refused.insert(query, Arc::new(QueryResult::failed(REFUSED_SEQ, failure)));
                        }
                    }
                }
                QuerySetModification::Remove { query } => changes.extend(self.remove(query)?),
            }
        }
        Ok(changes)
    }

    /// Whether the registry of live queries knows nothing of this socket.
    pub fn is_without_live(&self) -> bool {
        self.live == 0
    }

    /// The ids that the next transition names as removed, ascending. Afterwards there are none.
    pub fn take_removed(&mut self) -> Vec<QueryId> {
        std::mem::take(&mut self.removed).into_iter().collect()
    }

    /// The failures that the next transition carries beside the results of runs. Afterwards there are none.
    pub fn take_refused(&mut self) -> Vec<ResultChange> {
        let refused = std::mem::take(&mut self.refused).into_iter();
        refused.map(|(query, result)| ResultChange { query, base: None, result }).collect()
    }

    fn check_new(&self, query: QueryId) -> Result<(), ProtocolError> {
        if self.queries.contains_key(&query) {
            return Err(ProtocolError::DuplicateQueryId(query));
        }
        // What was removed counts too, while a client changes its mind faster than transitions leave.
        if self.queries.len() == SOCKET_QUERIES_MAX || self.removed.len() > SOCKET_QUERIES_MAX {
            return Err(ProtocolError::TooManyQueries { max: SOCKET_QUERIES_MAX });
        }
        Ok(())
    }

    fn remove(&mut self, query: QueryId) -> Result<Option<WatchChange>, ProtocolError> {
        let watched = self.queries.remove(&query).ok_or(ProtocolError::UnknownQueryId(query))?;
        self.removed.insert(query);
        match watched {
            Watched::Live => {
                self.live -= 1;
                Ok(Some(WatchChange::Remove(query)))
            }
            Watched::Refused => {
                self.refused.remove(&query);
                Ok(None)
            }
        }
    }
}

/// What is to be watched; it counts with its arguments for as long as anything knows them.
fn live_key(call: ResolvedCall, journal: Option<String>, held: &mut Charge) -> Result<LiveKey, FailureBody> {
    let (path, args) = call?;
    let beside = WATCHED_QUERY_BYTES + journal.as_ref().map_or(0, String::len);
    Ok(LiveKey::new(path, held.cover(Held::Arguments, args, beside)?, journal.map(Arc::from)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Account;
    use crate::protocol::resolve_call;

    fn add(query: QueryId, udf_path: &str) -> QuerySetModification {
        QuerySetModification::Add { query, call: resolve_call(udf_path, b"[{}]", None), journal: None }
    }

    fn nothing() -> Charge {
        Account::unlimited().hold(Held::Messages, 0)
    }

    #[test]
    fn changes_go_to_the_registry_and_refusals_do_not() {
        let mut set = QuerySet::default();
        let changes =
            set.modify(vec![add(0, "a:b"), add(1, "no such : path")], &mut nothing()).expect("valid");
        assert!(matches!(&changes[..], [WatchChange::Add(0, key)] if key.path.to_string() == "a:b"));
        assert_eq!(set.take_refused().len(), 1);
        assert!(set.take_refused().is_empty());
        let changes =
            set.modify(vec![QuerySetModification::Remove { query: 1 }], &mut nothing()).expect("valid");
        assert!(changes.is_empty() && !set.is_without_live());
        let changes = set
            .modify(vec![QuerySetModification::Remove { query: 0 }, add(0, "a:c")], &mut nothing())
            .expect("valid");
        assert!(matches!(&changes[..], [WatchChange::Remove(0), WatchChange::Add(0, _)]));
        assert_eq!(set.take_removed(), [0, 1]);
        assert!(set.take_removed().is_empty());
    }

    #[test]
    fn a_refused_query_that_is_removed_at_once_is_only_removed() {
        let mut set = QuerySet::default();
        set.modify(vec![add(3, ""), QuerySetModification::Remove { query: 3 }], &mut nothing())
            .expect("valid");
        assert!(set.take_refused().is_empty() && set.is_without_live());
        assert_eq!(set.take_removed(), [3]);
    }

    #[test]
    fn ids_are_checked() {
        let mut set = QuerySet::default();
        assert_eq!(
            set.modify(vec![add(0, "a:b"), add(0, "a:b")], &mut nothing()),
            Err(ProtocolError::DuplicateQueryId(0))
        );
        let unknown = set.modify(vec![QuerySetModification::Remove { query: 9 }], &mut nothing());
        assert_eq!(unknown, Err(ProtocolError::UnknownQueryId(9)));
        let many = (1..=SOCKET_QUERIES_MAX as QueryId).map(|query| add(query, "a:b")).collect();
        assert_eq!(
            set.modify(many, &mut nothing()),
            Err(ProtocolError::TooManyQueries { max: SOCKET_QUERIES_MAX })
        );
    }

    #[test]
    fn a_query_counts_until_nobody_knows_its_arguments() {
        let account = Account::process(1 << 20);
        let args = format!(r#"{{"a":"{}"}}"#, "x".repeat(200_000));
        let large = |query| {
            let call = resolve_call("a:b", args.as_bytes(), None);
            QuerySetModification::Add { query, call, journal: None }
        };
        let mut set = QuerySet::default();
        let mut message = account.charge(Held::Messages, 3 * args.len()).expect("room");
        let mut changes = set.modify((0..6).map(large).collect(), &mut message).expect("valid");
        drop(message);
        let (watched, refused) = (changes.len(), set.take_refused());
        assert_eq!((watched, refused.len()), (5, 1), "of 6");
        let failure = refused[0].result.outcome().expect_err("no room");
        assert!(failure.message.starts_with("Overloaded: The server holds"), "{}", failure.message);
        assert_eq!(account.held(Held::Arguments), 5 * (args.len() + WATCHED_QUERY_BYTES));
        changes.truncate(1);
        assert_eq!(
            (account.held(Held::Arguments), account.held(Held::Messages)),
            (args.len() + WATCHED_QUERY_BYTES, 0)
        );
    }
}
