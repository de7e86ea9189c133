//! Beginnings, ends, identities, pings.
use super::check;
use crate::budget::Account;
use crate::protocol::CloseFrame;
use crate::session::{ClientInfo, Frame, Session};

const CONNECT: &str = r#"A> {"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0,"lastCloseReason":"InitialConnect","clientTs":0}"#;

#[test]
fn an_empty_query_set_has_a_transition() {
    check(&format!(
        r#"
        A opens npm-1.48.0
        {CONNECT}
        A< nothing
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[]}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[]}}
        "#
    ));
}

#[test]
fn nobody_is_an_identity() {
    check(&format!(
        r#"
        A opens rust-0.10.4
        {CONNECT}
        A> {{"type":"Authenticate","baseVersion":0,"tokenType":"None"}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":0,"identity":1,"ts":"T1"}},"modifications":[]}}
        A> {{"type":"Authenticate","baseVersion":0,"tokenType":"None"}}
        A< {{"type":"FatalError","error":"BaseVersionMismatch: Authenticate has baseVersion 0, but version 1 is the last one received"}}
        A< close
        "#
    ));
}

#[test]
fn events_and_unknown_fields_are_left_alone() {
    check(
        r#"
        A opens npm-1.48.0
        A> {"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0,"new":{"field":1}}
        A> {"type":"Event","eventType":"NetworkRecoveryReconnect","event":{"timeSavedMs":5}}
        A> {"type":"Event","eventType":"SomethingNew","event":null}
        A< nothing
        "#,
    );
}

#[test]
fn who_has_seen_the_future_is_sent_away() {
    check(
        r#"
        A opens npm-1.48.0
        durable 5
        A> {"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":1,"maxObservedTimestamp":"T6"}
        A< close 1011 InternalServerError
        B opens npm-1.48.0
        B> {"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":1,"maxObservedTimestamp":"T5"}
        B> {"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[]}
        B< {"type":"Transition","startVersion":{"querySet":0,"identity":0,"ts":"T0"},"endVersion":{"querySet":1,"identity":0,"ts":"T5"},"modifications":[]}
        "#,
    );
}

#[test]
fn what_was_seen_is_not_undone_by_a_registry_that_lags() {
    check(
        r#"
        durable 5
        A opens npm-1.48.0
        A> {"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":1,"maxObservedTimestamp":"T5"}
        A> {"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{"type":"Add","queryId":0,"udfPath":"m:a","args":[{}]}]}
        ran m:a 1
        A< nothing
        group 5 z
        A< {"type":"Transition","startVersion":{"querySet":0,"identity":0,"ts":"T0"},"endVersion":{"querySet":1,"identity":0,"ts":"T5"},"modifications":[{"type":"QueryUpdated","queryId":0,"value":1,"logLines":[],"journal":null}]}
        "#,
    );
}

#[test]
fn pings_are_sent_and_silence_ends() {
    check(&format!(
        r#"
        A opens npm-1.48.0
        {CONNECT}
        A is at 14
        A is-due at 15
        A< {{"type":"Ping"}}
        A< ping
        A heard at 16
        A is at 29
        A is-due at 30
        A< {{"type":"Ping"}}
        A is-due at 31
        A< ping
        A heard at 35
        A is-due at 155
        A< close 1001 ClientSilent
        "#
    ));
}

#[test]
fn pongs_do_not_stand_in_for_connect() {
    let now = std::time::Duration::from_secs;
    let mut session = Session::new(ClientInfo::unknown(), now(0), Account::unlimited());
    (0..120).for_each(|second| session.heard(now(second)));
    session.tick(now(120));
    assert_eq!(session.next_frame(now(120)), Some(Frame::Close(CloseFrame::client_silent())));
    assert!(session.is_closed());
}

#[test]
fn the_host_can_end_a_session() {
    let now = std::time::Duration::from_secs(1);
    let mut session = Session::new(ClientInfo::unknown(), now, Account::unlimited());
    session.close(CloseFrame::shutting_down());
    session.close(CloseFrame::internal_error());
    session.receive_text("nonsense", now, super::host::ts(1));
    session.receive_binary(now);
    let frames: Vec<Frame> = std::iter::from_fn(|| session.next_frame(now)).collect();
    assert_eq!(frames, [Frame::Close(CloseFrame::shutting_down())]);
    assert_eq!((session.awaited_durable(), session.wanted_timestamp()), (None, None));
}

#[test]
fn close_reasons_fit_into_their_frame() {
    let close = CloseFrame::overloaded(&"é".repeat(200));
    assert_eq!((close.code, close.reason.len()), (Some(1013), 122));
}
