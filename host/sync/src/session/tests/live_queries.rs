//! Query sets, transitions, patches, chunks.
use super::check;
use super::host::ts;
use crate::budget::Account;
use crate::live::{LiveKey, LiveQueries, SocketId};
use crate::protocol::ClientInfo;
use crate::session::{Effect, Frame, Session};
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;
use weir_db::{Principal, QueryOutcome, ReadSet};
use weir_value::limits::TRANSITION_CHUNK_BYTES_MAX;

const CONNECT: &str =
    r#"{"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0}"#;
const CONNECT_FOR_PATCHES: &str = r#"{"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0,"queryPatches":"rfc6902"}"#;

#[test]
fn query_sets_that_come_together_are_one_transition() {
    check(&format!(
        r#"
        A opens npm-1.48.0
        A> {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[{{}}]}}]}}
        A> {{"type":"ModifyQuerySet","baseVersion":1,"newVersion":2,"modifications":[{{"type":"Add","queryId":1,"udfPath":"m:b","args":[{{}}]}},{{"type":"Add","queryId":2,"udfPath":"m:c","args":[{{}}]}}]}}
        A> {{"type":"ModifyQuerySet","baseVersion":2,"newVersion":5,"modifications":[{{"type":"Remove","queryId":0}},{{"type":"Remove","queryId":2}}]}}
        A< nothing
        runs m:a m:b m:c
        ran m:b 1
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":5,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryRemoved","queryId":0}},{{"type":"QueryRemoved","queryId":2}},{{"type":"QueryUpdated","queryId":1,"value":1,"logLines":[],"journal":null}}]}}
        ran m:a 1
        ran m:c 1
        A> {{"type":"ModifyQuerySet","baseVersion":5,"newVersion":6,"modifications":[{{"type":"Remove","queryId":1}}]}}
        A< {{"type":"Transition","startVersion":{{"querySet":5,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":6,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryRemoved","queryId":1}}]}}
        "#
    ));
}

#[test]
fn spellings_of_a_query_are_one_query() {
    check(&format!(
        r#"
        A opens npm-1.48.0
        B opens rust-0.10.4
        A> {CONNECT}
        B> {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[{{"x":1,"y":"z"}}]}}]}}
        B> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":7,"udfPath":"m.js:a","args":{{"y":"z","x":1.0}}}}]}}
        runs m:a
        ran m:a []
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":[],"logLines":[],"journal":null}}]}}
        B< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryUpdated","queryId":7,"value":[],"logLines":[],"journal":null}}]}}
        "#
    ));
}

#[test]
fn failures_are_results_and_unchanged_results_are_not_sent() {
    check(&format!(
        r#"
        A opens npm-1.48.0
        A> {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[]}}]}}
        broke m:a [Request ID: x1] Server Error
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryFailed","queryId":0,"errorMessage":"[Request ID: x1] Server Error","logLines":[],"journal":null}}]}}
        group 2 a
        broke m:a [Request ID: x2] Server Error
        A< nothing
        group 3 a
        ran m:a 1
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T3"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":1,"logLines":[],"journal":null}}]}}
        group 4 a
        ran m:a 1
        A< nothing
        deploys
        runs m:a
        ran m:a 2
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T3"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T4"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":2,"logLines":[],"journal":null}}]}}
        "#
    ));
}

#[test]
fn a_slow_reader_gets_the_newest_state_alone() {
    check(&format!(
        r#"
        A opens npm-1.48.0
        A> {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[]}}]}}
        ran m:a 1
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":1,"logLines":[],"journal":null}}]}}
        A reads slowly
        group 2 a
        ran m:a 2
        group 3 a
        ran m:a 3
        group 4 a
        ran m:a 4
        A< nothing
        A reads on
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T4"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":4,"logLines":[],"journal":null}}]}}
        A reads slowly
        group 5 a
        ran m:a 5
        group 6 a
        ran m:a 4
        A reads on
        A< nothing
        "#
    ));
}

#[test]
fn patches_go_to_those_who_asked_for_them() {
    let long =
        "and a text that is long enough to be worth a patch, whatever the patch itself comes to in the end";
    check(&format!(
        r#"
        A opens npm-1.48.0
        B opens npm-1.48.0
        A> {CONNECT_FOR_PATCHES}
        B> {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[]}}]}}
        B> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":3,"udfPath":"m:a","args":[]}}]}}
        ran m:a {{"n":1,"text":"{long}"}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":{{"n":1,"text":"{long}"}},"logLines":[],"journal":null}}]}}
        B< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryUpdated","queryId":3,"value":{{"n":1,"text":"{long}"}},"logLines":[],"journal":null}}]}}
        group 2 a
        ran m:a {{"n":2,"text":"{long}"}}
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T2"}},"modifications":[{{"type":"QueryPatched","queryId":0,"patch":[{{"op":"replace","path":"/n","value":2}}],"logLines":[],"journal":null}}]}}
        B< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T2"}},"modifications":[{{"type":"QueryUpdated","queryId":3,"value":{{"n":2,"text":"{long}"}},"logLines":[],"journal":null}}]}}
        B is gone
        group 3 a
        broke m:a bad
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T2"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T3"}},"modifications":[{{"type":"QueryFailed","queryId":0,"errorMessage":"bad","logLines":[],"journal":null}}]}}
        group 4 a
        ran m:a {{"n":2,"text":"{long}"}}
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T3"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T4"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":{{"n":2,"text":"{long}"}},"logLines":[],"journal":null}}]}}
        A> {{"type":"ModifyQuerySet","baseVersion":1,"newVersion":2,"modifications":[{{"type":"Remove","queryId":0}},{{"type":"Add","queryId":1,"udfPath":"m:a","args":[]}}]}}
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T4"}},"endVersion":{{"querySet":2,"identity":0,"ts":"T4"}},"modifications":[{{"type":"QueryRemoved","queryId":0}},{{"type":"QueryUpdated","queryId":1,"value":{{"n":2,"text":"{long}"}},"logLines":[],"journal":null}}]}}
        "#
    ));
}

/// The text frames of a client's first transition, whose one query has this value.
fn first_transition(client: &str, value: String) -> Vec<String> {
    let now = Duration::ZERO;
    let mut live = LiveQueries::new(ts(1), ());
    let mut session =
        Session::new(ClientInfo::from_header(client).expect("a client"), now, Account::unlimited());
    session.receive_text(CONNECT, now, ts(1));
    let add = r#"{"type":"Add","queryId":0,"udfPath":"m:a","args":[]}"#;
    let modify =
        format!(r#"{{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{add}]}}"#);
    session.receive_text(&modify, now, ts(1));
    let Some(Effect::Watch(changes)) = session.next_effect() else { panic!("a query to watch") };
    let run = live.watch(SocketId(1), ts(0), &Principal::Anonymous, &changes).runs.remove(0);
    assert_eq!(run.key, LiveKey::new(run.key.path.clone(), Bytes::from_static(b"{}"), None));
    let outcome = QueryOutcome {
        result: Ok(value.into()),
        log_lines: vec![],
        read_set: ReadSet::default(),
        ts: run.at,
        journal: None,
        asked_identity: false,
    };
    assert_eq!(live.run_finished(run.id, outcome).wake, [SocketId(1)]);
    session.wake();
    let at_least = session.wanted_timestamp().expect("a transition is wanted");
    session.transition(live.advance(SocketId(1), at_least));
    let frames = std::iter::from_fn(|| session.next_frame(now));
    frames
        .map(|frame| if let Frame::Text(text) = frame { text.to_string() } else { panic!("{frame:?}") })
        .collect()
}

#[test]
fn large_transitions_are_in_chunks_for_those_who_know_them() {
    let value = serde_json::to_string(&"é\"".repeat(TRANSITION_CHUNK_BYTES_MAX / 3)).expect("JSON");
    let whole = first_transition("rust-0.10.4", value.clone());
    assert_eq!(whole.len(), 1);
    assert_eq!(first_transition("npm-1.27.0", value.clone()), whole);
    let chunks = first_transition("npm-1.48.0", value);
    assert_eq!(chunks.len(), whole[0].len().div_ceil(TRANSITION_CHUNK_BYTES_MAX));
    let parts = chunks.iter().map(|chunk| serde_json::from_str::<Value>(chunk).expect("JSON"));
    let together: String = parts.map(|part| part["chunk"].as_str().expect("a string").to_owned()).collect();
    assert_eq!(together, whole[0]);
    assert_eq!(first_transition("npm-1.48.0", "1".to_owned()).len(), 1);
}
