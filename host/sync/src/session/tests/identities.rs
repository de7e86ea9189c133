//! Whose a socket is.
use std::time::Duration;

use super::host::check;
use crate::budget::Account;

const CONNECT: &str =
    r#"A> {"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0}"#;

/// A connection whose client presents a token at once.
fn presents(token: &str) -> String {
    format!(
        r#"A opens npm-1.48.0
        {CONNECT}
        A> {{"type":"Authenticate","baseVersion":0,"tokenType":"User","value":"{token}"}}
        A verifies {token}"#
    )
}

/// A transition from one version to another, as it is sent.
fn transition(start: (u32, u32, u32), end: (u32, u32, u32), modifications: &str) -> String {
    let version = |(set, identity, ts): (u32, u32, u32)| {
        format!(r#"{{"querySet":{set},"identity":{identity},"ts":"T{ts}"}}"#)
    };
    format!(
        r#"{{"type":"Transition","startVersion":{},"endVersion":{},"modifications":[{modifications}]}}"#,
        version(start),
        version(end)
    )
}

fn updated(query: u32, value: &str) -> String {
    format!(r#"{{"type":"QueryUpdated","queryId":{query},"value":{value},"logLines":[],"journal":null}}"#)
}

#[test]
fn a_token_that_is_verified_is_an_identity_and_is_confirmed_by_a_transition() {
    let confirmed = transition((0, 0, 0), (0, 1, 1), "");
    let begins = presents("T.O.K");
    check(&format!(
        r#"
        {begins}
        A< nothing
        A is verified as ada
        A< {confirmed}
        A> {{"type":"Mutation","requestId":0,"udfPath":"m:send","args":[{{}}]}}
        A mutates as ada
        A mutates 0 m:send {{}}
        "#
    ));
}

#[test]
fn a_token_that_is_not_verified_ends_the_session_with_the_version_before_it() {
    let confirmed = transition((0, 0, 0), (0, 1, 1), "");
    let begins = presents("good");
    check(&format!(
        r#"
        {begins}
        A is verified as ada
        A< {confirmed}
        A> {{"type":"Authenticate","baseVersion":1,"tokenType":"Admin","value":"k","impersonating":{{"subject":"a"}}}}
        A verifies key:k:{{"subject":"a"}}
        A is not verified: The admin key is wrong.
        A< {{"type":"AuthError","error":"The admin key is wrong.","baseVersion":1,"authUpdateAttempted":true}}
        A< close
        "#
    ));
}

#[test]
fn a_token_that_nobody_can_verify_just_now_is_brought_again() {
    let begins = presents("good");
    check(&format!(
        r#"
        {begins}
        A cannot be verified
        A< close 1013 AuthProviderUnavailable
        "#
    ));
}

#[test]
fn a_token_that_expires_ends_the_session() {
    let confirmed = transition((0, 0, 0), (0, 1, 1), "");
    let begins = presents("short");
    check(&format!(
        r#"
        {begins}
        A is verified as ada until 5
        A< {confirmed}
        A is at 4
        A is-due at 5
        A< {{"type":"AuthError","error":"TokenExpired: the token has expired; send a new one.","baseVersion":1,"authUpdateAttempted":false}}
        A< close
        "#
    ));
}

#[test]
fn a_newer_token_takes_the_place_of_one_that_expires() {
    let (first, second) = (transition((0, 0, 0), (0, 1, 1), ""), transition((0, 1, 1), (0, 2, 1), ""));
    let begins = presents("short");
    check(&format!(
        r#"
        {begins}
        A is verified as ada until 5
        A< {first}
        A> {{"type":"Authenticate","baseVersion":1,"tokenType":"User","value":"long"}}
        A verifies long
        A is verified as ada until 500
        A< {second}
        A is-due at 15
        A< {{"type":"Ping"}}
        A< ping
        "#
    ));
}

#[test]
fn another_identity_runs_again_what_asked_for_it_and_nothing_else() {
    let both = format!("{},{}", updated(0, r#""for all""#), updated(1, r#""nobody""#));
    let shown = transition((0, 0, 0), (1, 0, 1), &both);
    let changed = transition((1, 0, 1), (1, 1, 1), &updated(1, r#""ada""#));
    let left = transition((1, 1, 1), (1, 2, 1), &updated(1, r#""nobody""#));
    check(&format!(
        r#"
        A opens npm-1.48.0
        {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:open","args":[{{}}]}},{{"type":"Add","queryId":1,"udfPath":"m:mine","args":[{{}}]}}]}}
        runs m:open m:mine
        ran m:open "for all"
        ran m:mine(nobody) "nobody"
        A< {shown}
        A> {{"type":"Authenticate","baseVersion":0,"tokenType":"User","value":"T"}}
        A verifies T
        runs
        A is verified as ada
        runs m:mine
        A< nothing
        ran m:mine(ada) "ada"
        A< {changed}
        A> {{"type":"Authenticate","baseVersion":1,"tokenType":"None"}}
        runs m:mine
        ran m:mine(nobody) "nobody"
        A< {left}
        "#
    ));
}

#[test]
fn an_equal_identity_runs_nothing_again() {
    let first = transition((0, 0, 0), (1, 1, 1), &updated(0, r#""ada""#));
    let second = transition((1, 1, 1), (1, 2, 1), "");
    let begins = presents("cached");
    check(&format!(
        r#"
        {begins}
        A reads slowly
        A is verified as ada
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:mine","args":[{{}}]}}]}}
        A reads on
        ran m:mine(ada) "ada"
        A< {first}
        A> {{"type":"Authenticate","baseVersion":1,"tokenType":"User","value":"fresh"}}
        A verifies fresh
        A is verified as ada
        runs
        A< {second}
        "#
    ));
}

#[test]
fn a_revoked_key_ends_its_sessions() {
    let mut session = super::super::Session::new(
        crate::protocol::ClientInfo::from_header("npm-1.48.0").expect("a client"),
        Duration::ZERO,
        Account::unlimited(),
    );
    session.end_identity("The admin key was revoked.");
    assert!(session.is_closed());
    session.end_identity("The admin key was revoked.");
    let frames: Vec<_> = std::iter::from_fn(|| session.next_frame(Duration::ZERO)).collect();
    assert_eq!(frames.len(), 2, "{frames:?}");
}
