//! Live queries of a case: sockets that watch, as a host has them, on the database of the case.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use weir_db::{Call, Database, Principal, Teardown};
use weir_store::{CommitGroup, GroupObserver, Snapshot};
use weir_sync::live::{LiveKey, LiveQueries, SocketId, Step, WatchChange};
use weir_value::{FunctionPath, Identity, Timestamp};

use crate::transcript::shortened;

/// The sockets of one case.
pub(crate) struct Sockets {
    db: Arc<Database>,
    queries: LiveQueries<Arc<Snapshot>>,
    groups: Arc<Groups>,
    /// By their names.
    sockets: BTreeMap<String, Socket>,
}

struct Socket {
    id: SocketId,
    principal: Principal,
    at: Timestamp,
    /// What it watches, by the numbers of its queries.
    paths: Vec<String>,
}

/// The commit groups that are durable.
#[derive(Default)]
struct Groups {
    arrived: Mutex<Vec<CommitGroup>>,
    filled: Condvar,
}

impl GroupObserver for Groups {
    fn group_durable(&self, group: &CommitGroup) {
        self.arrived.lock().push(group.clone());
        self.filled.notify_all();
    }
}

impl Sockets {
    /// None yet, over the database as it is now.
    ///
    /// # Errors
    /// The store has closed.
    pub(crate) fn new(db: &Arc<Database>) -> Result<Sockets> {
        let store = db.store();
        store.wait_durable(store.sequenced())?;
        let groups = Arc::new(Groups::default());
        store.observe(Arc::clone(&groups) as Arc<dyn GroupObserver>);
        let snapshot = Arc::new(store.snapshot_durable());
        let queries = LiveQueries::new(snapshot.ts(), snapshot);
        Ok(Sockets { db: Arc::clone(db), queries, groups, sockets: BTreeMap::new() })
    }

    /// Lets a socket watch a query. Gives what came of it, as lines.
    pub(crate) fn watch(&mut self, name: &str, path: &str, args: Bytes) -> Result<String> {
        let key = LiveKey::new(FunctionPath::parse(path)?, args, None);
        let socket = self.socket(name);
        socket.paths.push(path.to_owned());
        let query = u32::try_from(socket.paths.len() - 1)?;
        self.change(name, &[WatchChange::Add(query, key)])
    }

    /// Says whose a socket is; nobody's in particular before. Gives what came of it, as lines.
    pub(crate) fn authenticate(&mut self, name: &str, identity: Option<Identity>) -> Result<String> {
        self.socket(name).principal = identity.map_or(Principal::Anonymous, Principal::User);
        self.change(name, &[])
    }

    /// Hears of what was committed. Gives what came of it, as lines; none when there are no sockets.
    pub(crate) fn committed(&mut self) -> Result<String> {
        if self.sockets.is_empty() {
            return Ok(String::new());
        }
        let newest = self.db.store().sequenced();
        let mut arrived = self.groups.arrived.lock();
        while newest > self.queries.now() && arrived.last().is_none_or(|group| group.last_ts() < newest) {
            self.groups.filled.wait(&mut arrived);
        }
        let groups = std::mem::take(&mut *arrived);
        drop(arrived);
        let commits = groups.iter().flat_map(|group| &group.commits);
        let keys: Vec<Bytes> = commits.flat_map(|commit| commit.keys()).cloned().collect();
        let snapshot = Arc::new(self.db.store().snapshot_durable());
        let step = if keys.is_empty() {
            Step::default()
        } else {
            self.queries.group_durable(snapshot.ts(), keys, snapshot)
        };
        self.settle(step)
    }

    fn socket(&mut self, name: &str) -> &mut Socket {
        let id = SocketId(self.sockets.len() as u64);
        let new = || Socket { id, principal: Principal::Anonymous, at: Timestamp::ZERO, paths: Vec::new() };
        self.sockets.entry(name.to_owned()).or_insert_with(new)
    }

    fn change(&mut self, name: &str, changes: &[WatchChange]) -> Result<String> {
        let socket = self.sockets.get(name).context("a socket that is known")?;
        let step = self.queries.watch(socket.id, socket.at, &socket.principal, changes);
        self.settle(step)
    }

    /// Runs what is to run, and whatever that leads to. Gives how many runs these were, and what the sockets see.
    fn settle(&mut self, step: Step<Arc<Snapshot>>) -> Result<String> {
        let mut waiting = VecDeque::from(step.runs);
        let mut runs = 0;
        while let Some(run) = waiting.pop_front() {
            runs += 1;
            let call = Call {
                args: run.key.args().clone(),
                path: run.key.path,
                principal: run.principal,
                request_id: "live".to_owned(),
            };
            let outcome =
                self.db.query_again(&call, run.snapshot, run.journal.as_deref(), &mut Teardown::default());
            waiting.extend(self.queries.run_finished(run.id, outcome).runs);
        }
        let mut lines = format!("  {runs} runs\n");
        for (name, socket) in &mut self.sockets {
            let Some(advance) = self.queries.advance(socket.id, socket.at) else { continue };
            socket.at = advance.ts;
            for change in advance.changes {
                let path = &socket.paths[change.query as usize];
                let shown = match change.result.outcome() {
                    Ok(value) => format!("= {}", shortened(value)),
                    Err(failure) => format!("! {}", shortened(&failure.message)),
                };
                writeln!(lines, "  {name}: {path} {shown}")?;
            }
        }
        Ok(lines)
    }
}
