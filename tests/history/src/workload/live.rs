//! The live queries of one session: what it watches, and what the transitions of a connection make of it.
//!
//! Does what the official clients do: versions must chain, a reconnect asks for everything anew, and after a transition
//! every query that it covers has a value.
//!
//! Not here: the socket (`session`).

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::step::{Seen, Step, seen};

/// What a client stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Version {
    query_set: u64,
    identity: u64,
    /// The timestamp.
    pub ts: u64,
}

#[derive(Debug)]
struct Watch {
    steps: Vec<Step>,
    /// The version of the query set, on this connection, from which on it has a value.
    since: u64,
    value: Value,
    seen: Option<Arc<Vec<Seen>>>,
}

/// What a transition led to.
#[derive(Debug)]
pub struct Applied {
    /// Where the client stood, and from where to where the transition leads; wrong if they do not chain.
    pub stood: Version,
    /// Where the transition begins.
    pub start: Version,
    /// Where it ends.
    pub end: Version,
    /// The values of all queries at its end.
    pub values: Vec<Arc<Vec<Seen>>>,
    /// What this transition itself brought.
    pub news: Vec<Arc<Vec<Seen>>>,
    /// How many values came as patches.
    pub patches: u64,
}

/// All live queries of a session.
#[derive(Debug, Default)]
pub struct LiveQueries {
    watches: BTreeMap<u64, Watch>,
    next_query: u64,
    stood: Version,
    asked_query_set: u64,
}

impl LiveQueries {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.watches.len()
    }

    /// The connection is new: the message that asks for everything that is watched.
    pub fn reconnect(&mut self) -> Value {
        self.stood = Version::default();
        self.asked_query_set = 1;
        for watch in self.watches.values_mut() {
            (watch.since, watch.value, watch.seen) = (1, Value::Null, None);
        }
        let additions = self.watches.iter().map(|(query, watch)| addition(*query, &watch.steps));
        modify(0, additions.collect())
    }

    /// Watches something more, and no longer the oldest if there are more than `most`: the message that says so.
    pub fn change(&mut self, steps: Vec<Step>, most: usize) -> Value {
        let (query, base) = (self.next_query, self.asked_query_set);
        self.next_query += 1;
        self.asked_query_set += 1;
        let mut modifications = vec![addition(query, &steps)];
        if self.watches.len() >= most
            && let Some((oldest, _)) = self.watches.pop_first()
        {
            modifications.push(json!({"type": "Remove", "queryId": oldest}));
        }
        let watch = Watch { steps, since: self.asked_query_set, value: Value::Null, seen: None };
        self.watches.insert(query, watch);
        modify(base, modifications)
    }

    /// Applies a transition.
    ///
    /// # Errors
    /// When it is not one that a server may send, whatever has happened before.
    pub fn apply(&mut self, mut transition: Value) -> Result<Applied> {
        let (start, end) = (version(&transition["startVersion"])?, version(&transition["endVersion"])?);
        let stood = std::mem::replace(&mut self.stood, end);
        let modifications = transition["modifications"].as_array_mut().context("no modifications")?;
        let (mut news, mut patches) = (Vec::new(), 0);
        for modification in modifications {
            patches += u64::from(modification["type"] == "QueryPatched");
            news.extend(self.modify(modification)?);
        }
        let mut values = Vec::new();
        for (query, watch) in &self.watches {
            match &watch.seen {
                Some(seen) => values.push(Arc::clone(seen)),
                None => {
                    ensure!(watch.since > end.query_set, "a transition without a value for query {query}")
                }
            }
        }
        Ok(Applied { stood, start, end, values, news, patches })
    }

    fn modify(&mut self, modification: &mut Value) -> Result<Option<Arc<Vec<Seen>>>> {
        let query = modification["queryId"].as_u64().context("no queryId")?;
        // What is no longer watched may still be on its way.
        let Some(watch) = self.watches.get_mut(&query) else { return Ok(None) };
        match modification["type"].as_str() {
            Some("QueryUpdated") => watch.value = modification["value"].take(),
            Some("QueryPatched") => {
                let patch: json_patch::Patch = serde_json::from_value(modification["patch"].take())?;
                json_patch::patch(&mut watch.value, &patch)
                    .with_context(|| format!("a patch that does not apply: {patch}"))?;
            }
            _ => bail!("a query that is watched has no value: {modification}"),
        }
        let seen = Arc::new(seen(&watch.steps, &watch.value)?);
        watch.seen = Some(Arc::clone(&seen));
        Ok(Some(seen))
    }
}

impl Applied {
    /// Whether the transition begins where the client stood, and leads no part of the version back.
    #[must_use]
    pub fn chains(&self) -> bool {
        let Applied { stood, start, end, .. } = self;
        stood == start
            && start.ts <= end.ts
            && start.query_set <= end.query_set
            && start.identity <= end.identity
    }
}

fn addition(query: u64, steps: &[Step]) -> Value {
    json!({"type": "Add", "queryId": query, "udfPath": "lists:look", "args": [{"steps": steps}]})
}

fn modify(base: u64, modifications: Vec<Value>) -> Value {
    json!({"type": "ModifyQuerySet", "baseVersion": base, "newVersion": base + 1, "modifications": modifications})
}

fn version(version: &Value) -> Result<Version> {
    let number = |name: &str| version[name].as_u64().with_context(|| format!("no {name} in {version}"));
    Ok(Version {
        query_set: number("querySet")?,
        identity: number("identity")?,
        ts: parse_ts(&version["ts"]).with_context(|| format!("no ts in {version}"))?,
    })
}

/// A timestamp as it travels: eight bytes, the lowest first, in base64.
#[must_use]
pub fn parse_ts(ts: &Value) -> Option<u64> {
    let bytes = STANDARD.decode(ts.as_str()?).ok()?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// The same, to be sent.
#[must_use]
pub fn write_ts(ts: u64) -> String {
    STANDARD.encode(ts.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transition(from: (u64, u64), to: (u64, u64), modifications: Value) -> Value {
        let version =
            |(query_set, ts): (u64, u64)| json!({"querySet": query_set, "identity": 0, "ts": write_ts(ts)});
        json!({"type": "Transition", "startVersion": version(from), "endVersion": version(to),
            "modifications": modifications})
    }

    fn updated(query: u64, elements: &[u32]) -> Value {
        let value = json!([[{"key": 1, "elements": elements}]]);
        json!({"type": "QueryUpdated", "queryId": query, "value": value})
    }

    fn watching() -> LiveQueries {
        let mut live = LiveQueries::default();
        live.reconnect();
        live.change(vec![Step::ReadRange { low: 0, high: 8 }], 2);
        live
    }

    fn lists(applied: &Applied) -> Vec<Vec<u32>> {
        applied.values.iter().map(|seen| seen[0].rows[0].list.to_vec()).collect()
    }

    #[test]
    fn values_stay_until_they_change() {
        let mut live = watching();
        let first = live.apply(transition((0, 0), (2, 5), json!([updated(0, &[7])]))).expect("a transition");
        assert!(first.chains() && lists(&first) == [[7]]);
        live.change(vec![Step::ReadRange { low: 0, high: 8 }], 2);
        let second = live.apply(transition((2, 5), (2, 6), json!([]))).expect("a transition");
        assert!(second.chains() && lists(&second) == [[7]] && second.news.is_empty());
        let patch = json!([{"op": "add", "path": "/0/0/elements/1", "value": 8}]);
        let patched = json!({"type": "QueryPatched", "queryId": 0, "patch": patch});
        let third =
            live.apply(transition((2, 6), (3, 7), json!([patched, updated(1, &[9])]))).expect("a transition");
        assert!(third.chains() && lists(&third) == [vec![7, 8], vec![9]] && third.patches == 1);
    }

    #[test]
    fn what_does_not_chain_is_seen() {
        for (from, to, chains) in [((2, 5), (2, 6), true), ((2, 6), (2, 7), false), ((2, 5), (2, 4), false)] {
            let mut live = watching();
            live.apply(transition((0, 0), (2, 5), json!([updated(0, &[])]))).expect("a transition");
            let applied = live.apply(transition(from, to, json!([]))).expect("a transition");
            assert_eq!(applied.chains(), chains, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn a_value_that_is_missing_is_an_error() {
        assert!(watching().apply(transition((0, 0), (2, 5), json!([]))).is_err());
        let failed = json!({"type": "QueryFailed", "queryId": 0, "errorMessage": "no"});
        assert!(watching().apply(transition((0, 0), (2, 5), json!([failed]))).is_err());
    }

    #[test]
    fn a_reconnect_asks_for_everything_and_change_drops_the_oldest() {
        let mut live = watching();
        for _ in 0..3 {
            live.change(vec![], 2);
        }
        let message = live.reconnect();
        let queries: Vec<_> = message["modifications"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["queryId"].clone())
            .collect();
        assert_eq!((queries, live.count()), (vec![json!(2), json!(3)], 2));
    }
}
