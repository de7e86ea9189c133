//! One result of one query: shared by every socket that is sent it, compared, diffed and encoded once.
//!
//! Knows nothing of sockets and timestamps.
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use weir_db::QueryOutcome;
use weir_value::limits::DIFF_BASES_MAX;

use crate::budget::{Charge, Held, Overdrawn};
use crate::diff::{Tree, diff};
use crate::fanout::TextKey;
use crate::protocol::{FailureBody, push_log_lines};

/// A result: a value or a failure, with what was logged.
#[derive(Debug)]
pub struct QueryResult {
    seq: u64,
    outcome: Result<Arc<str>, FailureBody>,
    log_lines: Vec<String>,
    journal: Option<String>,
    /// `log_lines` as JSON.
    log_lines_json: OnceLock<String>,
    tree: OnceLock<Option<(Tree, Option<Charge>)>>,
    /// What it is counted with, for as long as somebody has it.
    charge: Option<Charge>,
    patches: Mutex<Vec<(u64, PatchCell)>>,
    /// The last text that brings somebody nothing but this.
    text: Mutex<Option<(TextKey, Weak<String>)>>,
}

/// The patch from one base, made by the first socket that needs it while the others wait. `None`: there is none
/// worth sending.
type PatchCell = Arc<OnceLock<Option<Arc<str>>>>;

impl QueryResult {
    /// The result of a run. `seq` is unlike that of every other result.
    pub fn new(seq: u64, outcome: QueryOutcome) -> QueryResult {
        let result = match outcome.result {
            Ok(value) => match std::str::from_utf8(&value) {
                Ok(text) => Ok(Arc::from(text)),
                Err(_) => {
                    Err(FailureBody { message: "The result is not valid UTF-8.".to_owned(), data: None })
                }
            },
            Err(error) => Err(FailureBody { message: error.message, data: error.data }),
        };
        QueryResult::with(seq, result, outcome.log_lines, outcome.journal)
    }

    /// The result of a query that cannot be run at all.
    pub fn failed(seq: u64, failure: FailureBody) -> QueryResult {
        QueryResult::with(seq, Err(failure), Vec::new(), None)
    }

    /// The result of a query whose own has no room.
    pub fn without_room(seq: u64, error: Overdrawn) -> QueryResult {
        QueryResult::failed(seq, error.into())
    }

    /// It counts with this from now on.
    #[must_use]
    pub fn charged(self, charge: Charge) -> QueryResult {
        QueryResult { charge: Some(charge), ..self }
    }

    /// How much it is counted with.
    pub fn charged_bytes(&self) -> usize {
        self.charge.as_ref().map_or(0, Charge::bytes)
    }

    /// How much memory the result of this outcome takes, and of what it has read, roughly.
    pub fn size_bytes(outcome: &QueryOutcome) -> usize {
        let value = match &outcome.result {
            Ok(value) => value.len(),
            Err(error) => error.message.len() + error.data.as_ref().map_or(0, |data| data.len()),
        };
        let log_lines = outcome.log_lines.iter().map(|line| size_of::<String>() + line.len());
        let journal = outcome.journal.as_ref().map_or(0, |journal| journal.len());
        value + log_lines.sum::<usize>() + journal + outcome.read_set.size_bytes()
    }

    fn with(
        seq: u64,
        outcome: Result<Arc<str>, FailureBody>,
        log_lines: Vec<String>,
        journal: Option<String>,
    ) -> QueryResult {
        QueryResult {
            seq,
            outcome,
            log_lines,
            journal,
            log_lines_json: OnceLock::new(),
            tree: OnceLock::new(),
            charge: None,
            patches: Mutex::default(),
            text: Mutex::default(),
        }
    }

    /// The number that tells it from all others.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The value as canonical JSON, or why there is none.
    pub fn outcome(&self) -> Result<&str, &FailureBody> {
        self.outcome.as_deref()
    }

    /// What the client brings along when it asks again over another connection.
    pub fn journal(&self) -> Option<&str> {
        self.journal.as_deref()
    }

    /// What was logged, as a JSON list of strings.
    pub fn log_lines_json(&self) -> &str {
        self.log_lines_json.get_or_init(|| {
            let mut json = String::new();
            push_log_lines(&mut json, &self.log_lines);
            json
        })
    }

    /// Whether a client that has the one need not be sent the other. The request id in an error's text is of the
    /// run, not of the result.
    pub fn is_same(&self, other: &QueryResult) -> bool {
        let outcomes_equal = match (&self.outcome, &other.outcome) {
            (Ok(value), Ok(other)) => value == other,
            (Err(error), Err(other)) => {
                without_request_id(&error.message) == without_request_id(&other.message)
                    && error.data == other.data
            }
            _ => false,
        };
        outcomes_equal && self.log_lines == other.log_lines
    }

    /// The text that brings somebody nothing but this, if somebody who needs the same one still has it; else a new one.
    pub(crate) fn shared_text(&self, key: TextKey, make: impl FnOnce() -> String) -> Arc<String> {
        let mut last = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let same = last.as_ref().filter(|(last, _)| *last == key).and_then(|(_, text)| text.upgrade());
        same.unwrap_or_else(|| {
            let text = Arc::new(make());
            *last = Some((key, Arc::downgrade(&text)));
            text
        })
    }

    /// The RFC 6902 patch that leads here from `base`, as JSON: `None` if the whole value is the better message, or
    /// one of the two is a failure. Computed once for each base.
    pub fn patch_from(&self, base: &QueryResult) -> Option<Arc<str>> {
        let cell = self.patch_cell(base.seq);
        cell.get_or_init(|| diff(base.tree()?, self.tree()?).map(Arc::from)).clone()
    }

    /// The newest bases are kept: sockets that are up to date all stand at the same one.
    fn patch_cell(&self, base: u64) -> PatchCell {
        let mut patches = self.patches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = patches.iter().find(|(seq, _)| *seq == base) {
            return cell.clone();
        }
        if patches.len() == DIFF_BASES_MAX {
            patches.remove(0);
        }
        let cell = PatchCell::default();
        patches.push((base, cell.clone()));
        cell
    }

    fn tree(&self) -> Option<&Tree> {
        let value = self.outcome.as_ref().ok()?;
        let tree = self.tree.get_or_init(|| {
            let tree = Tree::parse(value)?;
            let charge =
                self.charge.as_ref().map(|charge| charge.account().hold(Held::Results, tree.size_bytes()));
            Some((tree, charge))
        });
        tree.as_ref().map(|(tree, _)| tree)
    }
}

fn without_request_id(message: &str) -> &str {
    match message.strip_prefix("[Request ID: ").and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use weir_db::{CallError, ReadSet};
    use weir_value::{ErrorCode, Timestamp};

    use super::*;

    fn result(seq: u64, result: Result<&'static str, &str>, log_lines: &[&str]) -> QueryResult {
        let result = match result {
            Ok(value) => Ok(Bytes::from_static(value.as_bytes())),
            Err(message) => Err(CallError::new(ErrorCode::ApplicationError, message)),
        };
        let log_lines = log_lines.iter().map(|line| (*line).to_owned()).collect();
        QueryResult::new(
            seq,
            QueryOutcome {
                result,
                log_lines,
                read_set: ReadSet::default(),
                ts: Timestamp::ZERO,
                journal: None,
                asked_identity: false,
            },
        )
    }

    #[test]
    fn sameness_is_of_bytes_and_log_lines() {
        let one = result(1, Ok("[1]"), &["[LOG] 'a'"]);
        assert!(one.is_same(&result(2, Ok("[1]"), &["[LOG] 'a'"])));
        assert!(!one.is_same(&result(2, Ok("[2]"), &["[LOG] 'a'"])));
        assert!(!one.is_same(&result(2, Ok("[1]"), &[])));
        assert!(!one.is_same(&result(2, Err("[1]"), &["[LOG] 'a'"])));
    }

    #[test]
    fn the_request_id_of_a_failure_makes_no_difference() {
        let one = result(1, Err("[Request ID: a] Server Error\nx"), &[]);
        assert!(one.is_same(&result(2, Err("[Request ID: b] Server Error\nx"), &[])));
        assert!(!one.is_same(&result(2, Err("[Request ID: a] Server Error\ny"), &[])));
    }

    #[test]
    fn patches_are_made_once_and_failures_have_none() {
        let list = |last: &str| -> &'static str {
            let text = format!("[{}\"{last}\"]", "\"the same in both of them\",".repeat(20));
            Box::leak(text.into_boxed_str())
        };
        let (base, new) = (result(1, Ok(list("a")), &[]), result(2, Ok(list("b")), &[]));
        let patch = new.patch_from(&base).expect("a patch");
        assert_eq!(&*patch, r#"[{"op":"replace","path":"/20","value":"b"}]"#);
        assert!(Arc::ptr_eq(&patch, &new.patch_from(&base).expect("the same patch")));
        assert_eq!(new.patch_from(&result(3, Err("x"), &[])), None);
        assert_eq!(result(3, Err("x"), &[]).patch_from(&base), None);
        for seq in 10..20 {
            assert!(new.patch_from(&result(seq, Ok(list("c")), &[])).is_some());
        }
        assert_eq!(new.patches.lock().expect("not poisoned").len(), DIFF_BASES_MAX);
    }

    #[test]
    fn bytes_that_are_no_text_are_a_failure() {
        let outcome = QueryOutcome {
            result: Ok(Bytes::from_static(b"\"\xff\"")),
            log_lines: vec![],
            read_set: ReadSet::default(),
            ts: Timestamp::ZERO,
            journal: None,
            asked_identity: false,
        };
        assert!(QueryResult::new(1, outcome).outcome().is_err());
    }
}
