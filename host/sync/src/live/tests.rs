//! The registry, case by case.
use bytes::Bytes;
use weir_db::{KeyRange, Principal, QueryOutcome, ReadSet};
use weir_value::{FunctionPath, Identity};

use super::*;

pub(super) fn ts(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn key(name: &str) -> LiveKey {
    LiveKey::new(FunctionPath::parse("t:q").expect("a path"), Bytes::copy_from_slice(name.as_bytes()), None)
}

fn with_journal(key: LiveKey, journal: &str) -> LiveKey {
    LiveKey::new(key.path.clone(), key.args().clone(), Some(journal.into()))
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// A run that gave `value` after it had read the stretch of keys that begins with the query's name.
fn outcome(run: &Run<()>, value: &str) -> QueryOutcome {
    let mut end = run.key.args().to_vec();
    end.push(0xff);
    let range = KeyRange { start: run.key.args().clone(), end: Bytes::from(end) };
    let read_set = ReadSet::new([], [range]);
    QueryOutcome {
        result: Ok(bytes(value)),
        log_lines: vec![],
        read_set,
        ts: run.at,
        journal: None,
        asked_identity: false,
    }
}

pub(super) struct Host {
    pub(super) live: LiveQueries<()>,
    in_flight: Vec<Run<()>>,
    woken: Vec<SocketId>,
}

impl Host {
    pub(super) fn new() -> Host {
        Host { live: LiveQueries::new(ts(1), ()), in_flight: vec![], woken: vec![] }
    }

    pub(super) fn take(&mut self, step: Step<()>) {
        self.in_flight.extend(step.runs);
        self.woken.extend(step.wake);
    }

    pub(super) fn watch(&mut self, socket: u64, names: &[&str]) {
        let changes: Vec<WatchChange> =
            names.iter().enumerate().map(|(at, name)| WatchChange::Add(at as QueryId, key(name))).collect();
        let step = self.live.watch(SocketId(socket), Timestamp::ZERO, &Principal::Anonymous, &changes);
        self.take(step);
    }

    fn group(&mut self, at: u64, keys: &[&str]) -> usize {
        let step = self.live.group_durable(ts(at), keys.iter().map(|key| bytes(key)).collect(), ());
        let runs = step.runs.len();
        self.take(step);
        runs
    }

    /// Ends the run of this query with this value; the timestamp that it read.
    pub(super) fn finish(&mut self, name: &str, value: &str) -> u64 {
        let at = self.in_flight.iter().position(|run| run.key == key(name)).expect("a run in flight");
        let run = self.in_flight.remove(at);
        let step = self.live.run_finished(run.id, outcome(&run, value));
        self.take(step);
        run.at.as_nanos()
    }

    /// The timestamp, and the values that are new.
    fn advance(&mut self, socket: u64) -> Option<(u64, Vec<String>)> {
        let advance = self.live.advance(SocketId(socket), Timestamp::ZERO)?;
        let values =
            advance.changes.iter().map(|change| change.result.outcome().expect("a value").to_owned());
        Some((advance.ts.as_nanos(), values.collect()))
    }

    fn take_woken(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.woken).into_iter().map(|socket| socket.0).collect()
    }
}

fn values(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn a_hundred_subscribers_are_one_run_a_group() {
    let mut host = Host::new();
    (0..100).for_each(|socket| host.watch(socket, &["a"]));
    assert_eq!(host.in_flight.len(), 1);
    host.finish("a", "1");
    assert_eq!(host.take_woken().len(), 100);
    let first: Vec<_> =
        (0..100).map(|socket| host.live.advance(SocketId(socket), ts(0)).expect("a result")).collect();
    assert!(first.iter().all(|advance| Arc::ptr_eq(&advance.changes[0].result, &first[0].changes[0].result)));
    assert_eq!(host.group(2, &["a1", "a2", "ab"]), 1);
    assert_eq!(host.group(3, &["b1", "", "b"]), 0);
    host.finish("a", "2");
    assert_eq!(host.live.stats().runs_started, 2);
    assert_eq!(host.take_woken().len(), 100);
    assert_eq!(host.advance(5), Some((3, values(&["2"]))));
}

#[test]
fn a_later_subscriber_gets_the_result_that_is_there() {
    let mut host = Host::new();
    host.watch(1, &["a"]);
    host.finish("a", "1");
    host.group(5, &["z"]);
    host.watch(2, &["a"]);
    assert!(host.in_flight.is_empty());
    assert_eq!(host.advance(2), Some((5, values(&["1"]))));
}

#[test]
fn an_unchanged_result_wakes_nobody() {
    let mut host = Host::new();
    host.watch(1, &["a"]);
    host.finish("a", "1");
    host.advance(1);
    host.take_woken();
    host.group(2, &["a"]);
    host.finish("a", "1");
    assert_eq!((host.take_woken(), host.live.stats().runs_unchanged), (vec![], 1));
    // But who asked while it ran, for a timestamp that it has reached, is told.
    host.group(3, &["a"]);
    assert!(host.live.advance(SocketId(1), ts(3)).is_none());
    host.finish("a", "1");
    assert_eq!((host.take_woken(), host.advance(1)), (vec![1], Some((3, vec![]))));
}

#[test]
fn a_write_during_a_run_means_one_more() {
    let mut host = Host::new();
    host.watch(1, &["a"]);
    for at in 2..6 {
        assert_eq!(host.group(at, &["a"]), 0, "it runs already");
    }
    assert_eq!(host.finish("a", "1"), 1);
    assert_eq!(host.advance(1), Some((1, values(&["1"]))));
    assert_eq!(host.finish("a", "2"), 5);
    assert_eq!((host.in_flight.len(), host.advance(1)), (0, Some((5, values(&["2"])))));
}

#[test]
fn a_slow_query_stalls_those_alone_who_watch_it() {
    let mut host = Host::new();
    host.watch(1, &["fast"]);
    host.watch(2, &["fast", "slow"]);
    for at in 2..10 {
        host.finish("fast", &at.to_string());
        assert_eq!(host.advance(1).map(|(_, values)| values), Some(values(&[&at.to_string()])));
        assert_eq!(host.advance(2), None);
        host.group(at, &["fast", "slow"]);
    }
    // At the timestamp that the slow one read, both are known, although both have changed since.
    assert_eq!(host.finish("slow", "s1"), 1);
    assert_eq!(host.advance(2), Some((1, values(&["2", "s1"]))));
}

#[test]
fn the_common_timestamp_waits_for_a_socket_that_is_slow_to_ask() {
    let mut host = Host::new();
    host.watch(1, &["a", "b"]);
    host.finish("a", "a1");
    host.group(2, &["a", "b"]);
    host.finish("b", "b1");
    assert_eq!(host.take_woken(), [1]);
    // It has not asked yet; both go on.
    for at in 3..8 {
        host.finish("a", &format!("a{at}"));
        host.group(at, &["a", "b"]);
    }
    assert_eq!(host.advance(1), Some((1, values(&["a1", "b1"]))));
    assert_eq!(host.take_woken(), [] as [u64; 0]);
}

#[test]
fn a_socket_is_woken_at_the_timestamp_that_it_waits_for() {
    let mut host = Host::new();
    host.watch(1, &["a"]);
    host.finish("a", "1");
    host.advance(1);
    host.take_woken();
    assert!(host.live.advance(SocketId(1), ts(5)).is_none());
    host.group(4, &["z"]);
    assert_eq!(host.take_woken(), [] as [u64; 0]);
    host.group(5, &["z"]);
    assert_eq!((host.take_woken(), host.advance(1)), (vec![1], Some((5, vec![]))));
}

#[test]
fn what_nobody_watches_is_forgotten_while_it_runs() {
    let mut host = Host::new();
    host.watch(1, &["a", "b"]);
    let step = host.live.watch(SocketId(1), ts(0), &Principal::Anonymous, &[WatchChange::Remove(0)]);
    host.take(step);
    assert!(!host.live.is_wanted(host.in_flight[0].id) && host.live.is_wanted(host.in_flight[1].id));
    assert_eq!((host.live.take_unwanted(), host.live.take_unwanted()), (vec![host.in_flight[0].id], vec![]));
    host.finish("a", "1");
    assert_eq!((host.take_woken(), host.group(2, &["a"])), (vec![], 0));
    host.finish("b", "1");
    assert_eq!(host.advance(1), Some((2, values(&["1"]))));
    let step = host.live.close_socket(SocketId(1));
    assert!(step.is_empty() && host.live.is_empty_of_everything());
    // An end that nobody waits for, and a socket that is not there.
    let step = host.live.run_finished(
        RunId(99),
        outcome(
            &Run {
                id: RunId(99),
                key: key("x"),
                on_behalf_of: SocketId(9),
                principal: Principal::Anonymous,
                journal: None,
                at: ts(1),
                snapshot: (),
            },
            "1",
        ),
    );
    assert!(step.is_empty() && host.live.advance(SocketId(9), ts(0)).is_none());
}

#[test]
fn a_deployment_runs_everything_again_at_the_same_timestamp() {
    let mut host = Host::new();
    host.watch(1, &["a", "b"]);
    host.finish("a", "a1");
    host.finish("b", "b1");
    assert_eq!(host.advance(1), Some((1, values(&["a1", "b1"]))));
    host.group(2, &["b"]);
    let step = host.live.redeploy();
    host.take(step);
    assert_eq!(host.in_flight.len(), 2, "the run of b that was in flight, and one of a");
    host.finish("b", "old functions");
    host.finish("a", "a2");
    assert_eq!(host.finish("b", "b2"), 2);
    assert_eq!(host.advance(1), Some((2, values(&["a2", "b2"]))));
}

fn note_starts(host: &Host, started: &mut HashMap<RunId, u64>, tick: u64) {
    for run in &host.in_flight {
        started.entry(run.id).or_insert(tick);
    }
}

/// Queries that take `durations` ticks each, all of them hit by every tick's group; all run to the end of the test.
/// How often the socket that watches `watched` (by place) was brought forward in `ticks`.
fn forward_moves(durations: &[u64], watched: &[&[usize]], ticks: u64) -> Vec<usize> {
    let names: Vec<String> = (0..durations.len()).map(|at| format!("q{at}-")).collect();
    let mut host = Host::new();
    for (socket, queries) in watched.iter().enumerate() {
        let names: Vec<&str> = queries.iter().map(|&query| names[query].as_str()).collect();
        host.watch(socket as u64, &names);
    }
    let mut moves = vec![0; watched.len()];
    let mut started: HashMap<RunId, u64> = HashMap::new();
    for tick in 2..ticks {
        let due = |run: &Run<()>, started: &HashMap<RunId, u64>| {
            let query = names.iter().position(|name| run.key == key(name)).expect("a query");
            started.get(&run.id).is_some_and(|since| since + durations[query] <= tick)
        };
        note_starts(&host, &mut started, tick);
        for name in &names {
            if host.in_flight.iter().any(|run| run.key == key(name) && due(run, &started)) {
                host.finish(name, &tick.to_string());
                note_starts(&host, &mut started, tick);
            }
        }
        let keys: Vec<&str> = names.iter().map(String::as_str).collect();
        host.group(tick, &keys);
        for socket in host.take_woken() {
            moves[socket as usize] +=
                usize::from(host.advance(socket).is_some_and(|(_, values)| !values.is_empty()));
        }
    }
    moves
}

#[test]
fn nobody_starves_under_writes_that_change_everything() {
    let ticks = 2000;
    for durations in [
        [1, 1, 1],
        [2, 2, 2],
        [3, 3, 3],
        [1, 3, 10],
        [10, 3, 1],
        [2, 3, 5],
        [7, 7, 8],
        [1, 1, 30],
        [4, 6, 9],
        [13, 11, 12],
    ] {
        let watched: [&[usize]; 6] = [&[0, 1, 2], &[0, 1], &[1, 2], &[0], &[1], &[2]];
        let moves = forward_moves(&durations, &watched, ticks);
        for (queries, moves) in watched.iter().zip(&moves) {
            let slowest = queries.iter().map(|&query| durations[query]).max().expect("a query");
            let at_least = ticks / slowest / 6;
            assert!(
                *moves as u64 >= at_least,
                "{durations:?}: {queries:?} moved {moves} times, {at_least} expected"
            );
        }
    }
}

#[test]
fn a_popular_query_keeps_up_beside_private_ones() {
    // Ten sockets watch the popular query, each with two slow ones of its own.
    let durations: Vec<u64> = std::iter::once(1).chain((0..20).map(|at| 5 + at % 7)).collect();
    let pairs: Vec<Vec<usize>> = (0..10).map(|at| vec![0, 1 + 2 * at, 2 + 2 * at]).collect();
    let mut watched: Vec<&[usize]> = pairs.iter().map(Vec::as_slice).collect();
    watched.push(&[0]);
    let moves = forward_moves(&durations, &watched, 1000);
    assert!(moves[10] >= 400, "{moves:?}");
    assert!(moves[..10].iter().all(|moves| *moves >= 10), "{moves:?}");
}

#[test]
fn a_run_gets_the_journal_of_the_one_before() {
    let mut host = Host::new();
    let brought = || with_journal(key("a"), "j0");
    for (socket, key) in [(1, key("a")), (2, brought()), (3, brought())] {
        let step = host.live.watch(
            SocketId(socket),
            Timestamp::ZERO,
            &Principal::Anonymous,
            &[WatchChange::Add(0, key)],
        );
        host.take(step);
    }
    let journals = |host: &Host| -> Vec<Option<String>> {
        host.in_flight.iter().map(|run| run.journal.as_deref().map(str::to_owned)).collect()
    };
    let some = |journal: &str| Some(journal.to_owned());
    assert_eq!(journals(&host), [None, some("j0")], "who brings none shares no page with who does");
    for (journal, run) in ["j1", "j2"].into_iter().zip(std::mem::take(&mut host.in_flight)) {
        let ended = QueryOutcome { journal: some(journal), ..outcome(&run, "1") };
        let step = host.live.run_finished(run.id, ended);
        host.take(step);
    }
    host.group(2, &["a"]);
    assert_eq!(journals(&host), [some("j1"), some("j2")]);
    let without_a_page = host.in_flight.remove(0);
    let step = host.live.run_finished(without_a_page.id, outcome(&without_a_page, "2"));
    host.take(step);
    host.in_flight.clear();
    host.group(3, &["a"]);
    assert_eq!(journals(&host), [some("j1")], "a run that read no page leaves it as it was");
}

#[test]
fn a_page_that_is_held_is_shared_with_those_alone_who_bring_its_journal() {
    let mut host = Host::new();
    let held = with_journal(key("a"), "j1");
    let watch = |host: &mut Host, socket: u64, key: LiveKey| {
        let step = host.live.watch(
            SocketId(socket),
            Timestamp::ZERO,
            &Principal::Anonymous,
            &[WatchChange::Add(0, key)],
        );
        let runs = step.runs.len();
        host.take(step);
        runs
    };
    let finish = |host: &mut Host| {
        for run in std::mem::take(&mut host.in_flight) {
            let ended = QueryOutcome { journal: Some("j1".to_owned()), ..outcome(&run, "1") };
            let step = host.live.run_finished(run.id, ended);
            host.take(step);
        }
    };
    assert_eq!(watch(&mut host, 1, key("a")), 1);
    finish(&mut host);
    assert_eq!(watch(&mut host, 2, key("a")), 0, "a page that was read once is as long as it was asked for");
    host.group(2, &["a"]);
    finish(&mut host);
    assert_eq!(watch(&mut host, 3, held), 0);
    assert_eq!(watch(&mut host, 4, key("a")), 1);
    assert_eq!(host.in_flight[0].journal, None, "a newcomer gets a page of its own");
    finish(&mut host);
    assert_eq!(host.live.stats().live_queries, 2);
    // By now both are held at one end; each is run for its own subscribers, and forgotten with them.
    host.group(3, &["a"]);
    assert_eq!(host.in_flight.len(), 2);
    finish(&mut host);
    for socket in 1..=4 {
        let step = host.live.close_socket(SocketId(socket));
        host.take(step);
    }
    assert!(host.live.is_empty_of_everything());
}

fn user(number: u64) -> Principal {
    let claims = format!(r#"{{"issuer":"i","subject":"u{number}"}}"#);
    Principal::User(Identity::from_json(claims.as_bytes()).expect("claims"))
}

impl Host {
    fn watch_as(&mut self, socket: u64, principal: &Principal, name: &str) {
        let changes = [WatchChange::Add(0, key(name))];
        let step = self.live.watch(SocketId(socket), Timestamp::ZERO, principal, &changes);
        self.take(step);
    }

    /// Ends all runs, also those that follow; gives how many they were.
    fn run_all(&mut self, asks: bool) -> usize {
        let mut runs = 0;
        while let Some(run) = self.in_flight.pop() {
            let who =
                run.principal.identity().filter(|_| asks).map_or("nobody", |who| who.token_identifier());
            let outcome = QueryOutcome { asked_identity: asks, ..outcome(&run, &format!("{who:?}")) };
            let step = self.live.run_finished(run.id, outcome);
            self.take(step);
            runs += 1;
        }
        runs
    }

    fn shown(&mut self, socket: u64) -> String {
        let advance = self.live.advance(SocketId(socket), Timestamp::ZERO).expect("a timestamp");
        advance.changes[0].result.outcome().expect("a value").to_owned()
    }
}

#[test]
fn a_query_that_does_not_ask_is_one_for_all_users() {
    let mut host = Host::new();
    (0..1_000).for_each(|number| host.watch_as(number, &user(number), "q"));
    assert_eq!(host.run_all(false), 1);
    let step = host.live.group_durable(ts(2), vec![bytes("q1")], ());
    host.take(step);
    assert_eq!(host.run_all(false), 1);
    assert_eq!(host.live.stats().live_queries, 1);
}

#[test]
fn a_query_that_asks_is_one_for_each_user() {
    let mut host = Host::new();
    (0..1_000).for_each(|number| host.watch_as(number, &user(number), "q"));
    // Two sockets of one user share.
    host.watch_as(1_000, &user(7), "q");
    assert_eq!(host.run_all(true), 1_000);
    for socket in [0, 7, 999] {
        assert_eq!(host.shown(socket), format!("\"i|u{socket}\""));
    }
    assert_eq!(host.shown(1_000), "\"i|u7\"");
    let step = host.live.group_durable(ts(2), vec![bytes("q1")], ());
    host.take(step);
    assert_eq!(host.run_all(true), 1_000);
    assert_eq!(host.live.stats().live_queries, 1_000);
}

#[test]
fn a_query_that_another_deployment_lets_ask_no_more_is_one_again() {
    let mut host = Host::new();
    (0..10).for_each(|number| host.watch_as(number, &user(number), "q"));
    assert_eq!(host.run_all(true), 10);
    (0..10).for_each(|socket| drop(host.shown(socket)));
    let step = host.live.group_durable(ts(2), vec![bytes("q1")], ());
    host.take(step);
    assert_eq!(host.run_all(false), 10, "one that asks now and then stays as it is");
    let step = host.live.redeploy();
    host.take(step);
    assert_eq!(host.run_all(false), 10);
    assert_eq!(host.live.stats().live_queries, 1);
    for socket in 0..10 {
        assert_eq!(host.shown(socket), "\"nobody\"");
    }
}

#[test]
fn who_may_call_more_does_not_share_with_who_may_not() {
    let mut host = Host::new();
    host.watch_as(0, &Principal::Anonymous, "q");
    host.watch_as(1, &user(1), "q");
    host.watch_as(2, &Principal::ADMIN, "q");
    assert_eq!(host.run_all(false), 2);
    // The admin is nobody's, and then one of the users: no run is for that user.
    let step = host.live.watch(SocketId(2), Timestamp::ZERO, &user(1), &[]);
    host.take(step);
    assert_eq!((host.run_all(false), host.live.stats().live_queries), (0, 1));
}

/// The runs of a wave end one after another; a socket that watches them all can be brought forward after the last.
#[test]
fn a_socket_is_woken_when_it_can_move_and_not_at_the_end_of_each_run() {
    let mut host = Host::new();
    let names: Vec<String> = (0..500).map(|at| format!("q{at:03}-")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    host.watch(1, &names);
    for at in [1, 2, 3] {
        for name in &names {
            assert_eq!(host.take_woken(), [] as [u64; 0]);
            host.finish(name, &at.to_string());
        }
        assert_eq!(host.take_woken(), [1]);
        let (ts, values) = host.advance(1).expect("all have a result");
        assert_eq!((ts, values.len()), (at, names.len()));
        host.group(at + 1, &names);
    }
}

/// A run is charged to a socket that watches the query.
#[test]
fn a_run_is_on_behalf_of_a_socket_that_watches() {
    let mut host = Host::new();
    host.watch(3, &["a"]);
    host.watch(5, &["a", "b"]);
    let behalf = |host: &Host, name: &str| {
        let run = host.in_flight.iter().find(|run| run.key == key(name)).expect("a run");
        run.on_behalf_of.0
    };
    assert_eq!((behalf(&host, "a"), behalf(&host, "b")), (3, 5));
    host.finish("a", "1");
    let step = host.live.close_socket(SocketId(3));
    host.take(step);
    host.group(2, &["a"]);
    assert_eq!(behalf(&host, "a"), 5);
}

#[test]
fn a_socket_leaves_its_queries_by_and_by() {
    let mut host = Host::new();
    host.watch(1, &["a", "b", "c", "d", "e"]);
    assert!(host.live.leave_some(SocketId(1), 2));
    assert_eq!((host.live.stats().live_queries, host.live.stats().sockets), (3, 1));
    assert!(host.live.leave_some(SocketId(1), 2));
    assert!(!host.live.leave_some(SocketId(1), 2) && !host.live.leave_some(SocketId(1), 2));
    for name in ["a", "b", "c", "d", "e"] {
        host.finish(name, "1");
    }
    assert!(host.live.is_empty_of_everything());
}
