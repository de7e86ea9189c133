//! Clients that break the protocol: each is told how, and let go.
use proptest::prelude::*;

use super::check;
use super::host::ts;
use crate::budget::Account;
use crate::protocol::ClientInfo;
use crate::session::Session;

fn fatal(messages: &[&str], error: &str) {
    let sent: String = messages.iter().map(|message| format!("A> {message}\n")).collect();
    check(&format!(
        "A opens npm-1.48.0\n{sent}A< {{\"type\":\"FatalError\",\"error\":\"{error}\"}}\nA< close\nA> {{}}\nA< nothing"
    ));
}

const CONNECT: &str =
    r#"{"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0}"#;

#[test]
fn the_first_message_is_connect_and_it_comes_once() {
    for name in ["Authenticate", "Mutation", "Event", "ModifyQuerySet", "Action"] {
        let fields = r#""baseVersion":0,"newVersion":1,"modifications":[],"tokenType":"None","requestId":0,"udfPath":"a","args":[],"eventType":"x""#;
        let message = format!(r#"{{"type":"{name}",{fields}}}"#);
        let error =
            format!("ConnectExpected: the first message of a connection is Connect, this one is {name}");
        fatal(&[&message], &error);
    }
    fatal(&[CONNECT, CONNECT], "AlreadyConnected: Connect comes once, as the first message of a connection");
}

#[test]
fn frames_that_are_no_messages() {
    fatal(&["binary"], "WSMessageInvalidJson: messages are text frames, this one is binary");
    fatal(
        &[CONNECT, "{"],
        "WSMessageInvalidJson: the message: EOF while parsing an object at line 1 column 1",
    );
    fatal(
        &[CONNECT, r#"{"type":"Mutate"}"#],
        r#"WSMessageInvalidJson: unknown type \"Mutate\"; expected Connect, ModifyQuerySet, Mutation, Action, Authenticate or Event"#,
    );
}

#[test]
fn query_sets_that_do_not_follow_each_other() {
    let modify = |base: u32, new: u32, modifications: &str| {
        format!(
            r#"{{"type":"ModifyQuerySet","baseVersion":{base},"newVersion":{new},"modifications":[{modifications}]}}"#
        )
    };
    let mismatch =
        "BaseVersionMismatch: ModifyQuerySet has baseVersion 1, but version 0 is the last one received";
    fatal(&[CONNECT, &modify(1, 2, "")], mismatch);
    let standstill = "InvalidNewVersion: ModifyQuerySet leads from version 0 to 0; newVersion must be larger than baseVersion";
    fatal(&[CONNECT, &modify(0, 0, "")], standstill);
    let remove = r#"{"type":"Remove","queryId":4}"#;
    fatal(
        &[CONNECT, &modify(0, 1, remove)],
        "UnknownQueryId: query 4 is not in the query set, so it cannot be removed",
    );
    let twice = r#"{"type":"Add","queryId":4,"udfPath":"m:a","args":[{}]},{"type":"Add","queryId":4,"udfPath":"m:b","args":[{}]}"#;
    fatal(
        &[CONNECT, &modify(0, 1, twice)],
        "DuplicateQueryId: query 4 is in the query set already; each Add needs a new queryId",
    );
}

#[test]
fn what_cannot_be_called_fails_alone() {
    check(&format!(
        r#"
        A opens npm-1.48.0
        A> {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[7]}}]}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryFailed","queryId":0,"errorMessage":"ArgumentValidationError: a function takes one object of named arguments, not a number","logLines":[],"journal":null}}]}}
        A> {{"type":"ModifyQuerySet","baseVersion":1,"newVersion":2,"modifications":[{{"type":"Remove","queryId":0}}]}}
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":2,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryRemoved","queryId":0}}]}}
        A> {{"type":"Action","requestId":3,"udfPath":"m:act","args":[7]}}
        A< {{"type":"ActionResponse","requestId":3,"success":false,"result":"ArgumentValidationError: a function takes one object of named arguments, not a number","logLines":[]}}
        A< {{"type":"Transition","startVersion":{{"querySet":2,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":2,"identity":0,"ts":"T1"}},"modifications":[]}}
        A> {{"type":"Action","requestId":4,"udfPath":"m:act","args":[{{"a":"b"}}]}}
        A< {{"type":"ActionResponse","requestId":4,"success":true,"result":{{"a":"b"}},"logLines":["[LOG] 'm:act'"]}}
        A< {{"type":"Transition","startVersion":{{"querySet":2,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":2,"identity":0,"ts":"T1"}},"modifications":[]}}
        "#
    ));
}

proptest! {
    #[test]
    fn arbitrary_frames_never_panic(frames in prop::collection::vec("\\PC{0,60}", 0..5), connects in any::<bool>()) {
        let now = std::time::Duration::ZERO;
        let mut session = Session::new(ClientInfo::unknown(), now, Account::unlimited());
        if connects {
            session.receive_text(CONNECT, now, ts(1));
        }
        for frame in frames {
            session.receive_text(&frame, now, ts(1));
            prop_assert!(session.is_closed());
        }
    }
}
