//! Calls and their answers.
use weir_value::FunctionPath;
use weir_value::limits::SOCKET_MUTATIONS_IN_FLIGHT_MAX;

use super::check;
use super::host::ts;
use crate::budget::Account;
use crate::protocol::{ClientInfo, CloseFrame};
use crate::session::{Effect, Frame, Session};

const CONNECT: &str =
    r#"A> {"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0}"#;

fn mutation(request: usize) -> String {
    format!(r#"{{"type":"Mutation","requestId":{request},"udfPath":"m:send","args":[{{"n":{request}}}]}}"#)
}

#[test]
fn answers_come_in_order_durable_and_with_one_transition() {
    let (zero, one, two) = (mutation(0), mutation(1), mutation(2));
    check(&format!(
        r#"
        A opens npm-1.48.0
        {CONNECT}
        A> {zero}
        A> {one}
        A> {two}
        A mutates 0 m:send {{"n":0}}
        A mutates 1 m:send {{"n":1}}
        A mutates 2 m:send {{"n":2}}
        A mutated 0 null at 5
        A mutated 1 [1] at 6
        A< nothing
        durable 4
        A< nothing
        durable 7
        A< {{"type":"MutationResponse","requestId":0,"success":true,"result":null,"ts":"T5","logLines":["[LOG] 'done'"]}}
        A< {{"type":"MutationResponse","requestId":1,"success":true,"result":[1],"ts":"T6","logLines":["[LOG] 'done'"]}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":0,"identity":0,"ts":"T7"}},"modifications":[]}}
        A mutated 2 2 at 7
        A< {{"type":"MutationResponse","requestId":2,"success":true,"result":2,"ts":"T7","logLines":["[LOG] 'done'"]}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T7"}},"endVersion":{{"querySet":0,"identity":0,"ts":"T7"}},"modifications":[]}}
        "#
    ));
}

#[test]
fn a_refusal_waits_for_its_turn_and_for_no_commit() {
    let (zero, one, two) = (mutation(0), mutation(1), mutation(2));
    check(&format!(
        r#"
        A opens npm-1.48.0
        {CONNECT}
        durable 4
        A> {zero}
        A mutates 0 m:send {{"n":0}}
        A failed 0 full at 0
        A< {{"type":"MutationResponse","requestId":0,"success":false,"result":"full","ts":null,"logLines":[]}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":0,"identity":0,"ts":"T4"}},"modifications":[]}}
        A> {one}
        A> {two}
        A mutates 1 m:send {{"n":1}}
        A mutates 2 m:send {{"n":2}}
        A mutated 1 [1] at 6
        A failed 2 full at 0
        A< nothing
        durable 6
        A< {{"type":"MutationResponse","requestId":1,"success":true,"result":[1],"ts":"T6","logLines":["[LOG] 'done'"]}}
        A< {{"type":"MutationResponse","requestId":2,"success":false,"result":"full","ts":null,"logLines":[]}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T4"}},"endVersion":{{"querySet":0,"identity":0,"ts":"T6"}},"modifications":[]}}
        "#
    ));
}

#[test]
fn failures_are_answers_too() {
    let no_path = FunctionPath::parse("no good:path").expect_err("a space").to_string().replace('"', "\\\"");
    let (zero, one) = (mutation(0), mutation(1));
    check(&format!(
        r#"
        A opens rust-0.10.4
        {CONNECT}
        A> {zero}
        A> {one}
        A> {{"type":"Mutation","requestId":2,"udfPath":"no good:path","args":[{{}}]}}
        A mutates 0 m:send {{"n":0}}
        A mutates 1 m:send {{"n":1}}
        A failed 0 plain at 3
        A failed 1 custom with null at 4
        durable 3
        A< {{"type":"MutationResponse","requestId":0,"success":false,"result":"plain","ts":null,"logLines":[]}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":0,"identity":0,"ts":"T3"}},"modifications":[]}}
        durable 4
        A< {{"type":"MutationResponse","requestId":1,"success":false,"result":"custom","ts":null,"logLines":[],"errorData":null}}
        A< {{"type":"MutationResponse","requestId":2,"success":false,"result":"Could not find public function for 'no good:path': {no_path}","ts":null,"logLines":[]}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T3"}},"endVersion":{{"querySet":0,"identity":0,"ts":"T4"}},"modifications":[]}}
        "#
    ));
}

#[test]
fn the_transition_after_an_answer_shows_the_write() {
    let zero = mutation(0);
    check(&format!(
        r#"
        A opens npm-1.48.0
        {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[{{}}]}}]}}
        ran m:a ["old"]
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":["old"],"logLines":[],"journal":null}}]}}
        A> {zero}
        A mutates 0 m:send {{"n":0}}
        A mutated 0 null at 5
        durable 5
        A< {{"type":"MutationResponse","requestId":0,"success":true,"result":null,"ts":"T5","logLines":["[LOG] 'done'"]}}
        A< nothing
        group 5 a
        A< nothing
        runs m:a
        ran m:a ["new"]
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T5"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":["new"],"logLines":[],"journal":null}}]}}
        "#
    ));
}

#[test]
fn a_write_that_nobody_reads_has_its_transition_all_the_same() {
    let zero = mutation(0);
    check(&format!(
        r#"
        A opens npm-1.48.0
        {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[{{}}]}}]}}
        ran m:a 1
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":1,"logLines":[],"journal":null}}]}}
        A> {zero}
        A mutates 0 m:send {{"n":0}}
        A mutated 0 null at 5
        group 5 z
        A< {{"type":"MutationResponse","requestId":0,"success":true,"result":null,"ts":"T5","logLines":["[LOG] 'done'"]}}
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T5"}},"modifications":[]}}
        "#
    ));
}

#[test]
fn a_second_connection_repeats_what_was_not_answered() {
    let (zero, one) = (mutation(0), mutation(1));
    check(&format!(
        r#"
        A opens npm-1.48.0
        {CONNECT}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[{{}}]}}]}}
        ran m:a 1
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":1,"identity":0,"ts":"T1"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":1,"logLines":[],"journal":null}}]}}
        A> {zero}
        A> {one}
        A mutates 0 m:send {{"n":0}}
        A mutates 1 m:send {{"n":1}}
        A mutated 0 null at 5
        A is gone
        group 5 a
        A opens npm-1.48.0
        A> {{"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":1,"lastCloseReason":"InternalServerError","maxObservedTimestamp":"T1"}}
        A> {{"type":"Authenticate","baseVersion":0,"tokenType":"None"}}
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":0,"ts":"T0"}},"endVersion":{{"querySet":0,"identity":1,"ts":"T5"}},"modifications":[]}}
        A> {{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"m:a","args":[{{}}],"journal":null}}]}}
        A> {zero}
        A> {one}
        A mutates 0 m:send {{"n":0}}
        A mutates 1 m:send {{"n":1}}
        ran m:a 2
        A< {{"type":"Transition","startVersion":{{"querySet":0,"identity":1,"ts":"T5"}},"endVersion":{{"querySet":1,"identity":1,"ts":"T5"}},"modifications":[{{"type":"QueryUpdated","queryId":0,"value":2,"logLines":[],"journal":null}}]}}
        A mutated 0 null at 5
        A< {{"type":"MutationResponse","requestId":0,"success":true,"result":null,"ts":"T5","logLines":["[LOG] 'done'"]}}
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":1,"ts":"T5"}},"endVersion":{{"querySet":1,"identity":1,"ts":"T5"}},"modifications":[]}}
        A mutated 1 null at 6
        group 6 z
        A< {{"type":"MutationResponse","requestId":1,"success":true,"result":null,"ts":"T6","logLines":["[LOG] 'done'"]}}
        A< {{"type":"Transition","startVersion":{{"querySet":1,"identity":1,"ts":"T5"}},"endVersion":{{"querySet":1,"identity":1,"ts":"T6"}},"modifications":[]}}
        "#
    ));
}

#[test]
fn mutations_in_flight_have_an_end() {
    let now = std::time::Duration::ZERO;
    let mut session = Session::new(ClientInfo::unknown(), now, Account::unlimited());
    session.receive_text(CONNECT.trim_start_matches("A> "), now, ts(1));
    for request in 0..SOCKET_MUTATIONS_IN_FLIGHT_MAX {
        session.receive_text(&mutation(request), now, ts(1));
    }
    let due = std::iter::from_fn(|| session.next_effect());
    assert_eq!(
        due.filter(|effect| matches!(effect, Effect::Mutate(_))).count(),
        SOCKET_MUTATIONS_IN_FLIGHT_MAX
    );
    assert!(!session.is_closed());
    session.receive_text(&mutation(0), now, ts(1));
    let expected = CloseFrame::overloaded("TooManyConcurrentMutations");
    assert_eq!((session.next_frame(now), session.next_effect()), (Some(Frame::Close(expected)), None));
}
