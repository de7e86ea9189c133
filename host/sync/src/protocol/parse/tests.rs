//! Messages as the official clients send them, and as they must not be.
use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> ClientMessage {
    parse_client_message(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn connect_of_the_official_clients() {
    let npm = parse(
        r#"{"connectionCount":0,"lastCloseReason":"InitialConnect","clientTs":1795365899830,"type":"Connect",
            "sessionId":"88820804-0000-4000-8000-000000000001"}"#,
    );
    let ClientMessage::Connect(connect) = npm else { panic!("{npm:?}") };
    assert_eq!(connect.session_id[..4], [0x88, 0x82, 0x08, 0x04]);
    assert_eq!(connect.last_close_reason, "InitialConnect");
    assert_eq!((connect.max_observed_ts, connect.wants_patches), (None, false));

    let again = parse(
        r#"{"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":1,
            "lastCloseReason":null,"maxObservedTimestamp":"QEJBtJHUsxg=","queryPatches":"rfc6902"}"#,
    );
    let ClientMessage::Connect(connect) = again else { panic!("{again:?}") };
    assert_eq!(connect.last_close_reason, "unknown");
    assert_eq!(connect.max_observed_ts.map(Timestamp::to_base64), Some("QEJBtJHUsxg=".to_owned()));
    assert!(connect.wants_patches);
}

#[test]
fn a_patch_format_that_nobody_knows_is_none() {
    for value in [r#""rfc9999""#, "true", "null", r#"{"a":1}"#] {
        let text = format!(
            r#"{{"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0,"queryPatches":{value}}}"#
        );
        assert!(
            matches!(parse(&text), ClientMessage::Connect(Connect { wants_patches: false, .. })),
            "{value}"
        );
    }
}

#[test]
fn query_sets_calls_tokens_and_events() {
    let text = r#"{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[
        {"type":"Add","queryId":0,"udfPath":"messages:list","args":[{"channel":"x"}],"journal":"j"},
        {"type":"Remove","queryId":7}]}"#;
    let expected = ModifyQuerySet {
        base_version: 0,
        new_version: 1,
        modifications: vec![
            QuerySetModification::Add {
                query: 0,
                call: resolve_call("messages:list", br#"{"channel":"x"}"#, None),
                journal: Some("j".to_owned()),
            },
            QuerySetModification::Remove { query: 7 },
        ],
    };
    assert_eq!(parse(text), ClientMessage::ModifyQuerySet(expected));

    let call = FunctionCall { request: 4, call: resolve_call("m.js:f", b"{}", Some("c")) };
    assert!(call.call.is_ok());
    let text = r#""requestId":4,"udfPath":"m.js:f","args":{},"componentPath":"c"}"#;
    assert_eq!(parse(&format!(r#"{{"type":"Mutation",{text}"#)), ClientMessage::Mutation(call.clone()));
    assert_eq!(parse(&format!(r#"{{"type":"Action",{text}"#)), ClientMessage::Action(call));

    for (fields, token) in [
        (r#""tokenType":"None""#, AuthToken::None),
        (r#""tokenType":"User","value":"eyJ""#, AuthToken::User("eyJ".to_owned())),
        (
            r#""tokenType":"Admin","value":"k","impersonating":{"issuer":"i"}"#,
            AuthToken::Admin {
                key: "k".to_owned(),
                acting_as: Some(Bytes::from_static(br#"{"issuer":"i"}"#)),
            },
        ),
        (
            r#""tokenType":"Admin","value":"k","acting_as":{"issuer":"i"}"#,
            AuthToken::Admin {
                key: "k".to_owned(),
                acting_as: Some(Bytes::from_static(br#"{"issuer":"i"}"#)),
            },
        ),
        (
            r#""tokenType":"Admin","value":"k","impersonating":null"#,
            AuthToken::Admin { key: "k".to_owned(), acting_as: None },
        ),
    ] {
        let message = parse(&format!(r#"{{"type":"Authenticate","baseVersion":3,{fields}}}"#));
        assert_eq!(message, ClientMessage::Authenticate { base_version: 3, token });
    }
    let event = parse(r#"{"type":"Event","eventType":"ClientConnect","event":[{"name":"x"}]}"#);
    assert_eq!(event, ClientMessage::Event { event_type: "ClientConnect".to_owned() });
}

#[test]
fn what_is_wrong_is_named() {
    for (text, named) in [
        ("", "the message: EOF while parsing"),
        ("nonsense", "the message: expected"),
        ("[]", "the message: invalid length 0"),
        ("{}", "missing field `type`"),
        (r#"{"type":7}"#, "invalid type: integer `7`"),
        (r#"{"type":"Query"}"#, r#"unknown type "Query"; expected Connect"#),
        (r#"{"type":"Connect"}"#, "Connect: missing field `sessionId`"),
        (r#"{"type":"Connect","sessionId":"x","connectionCount":0}"#, "Connect: sessionId: not a UUID"),
        (
            r#"{"type":"Connect","sessionId":"88820804000040008000000000000001","connectionCount":0}"#,
            "not a UUID with hyphens",
        ),
        (
            r#"{"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":-1}"#,
            "invalid value: integer `-1`",
        ),
        (
            r#"{"type":"Connect","sessionId":"88820804-0000-4000-8000-000000000001","connectionCount":0,"maxObservedTimestamp":"x"}"#,
            "Connect: maxObservedTimestamp: a timestamp is the base64",
        ),
        (r#"{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1}"#, "missing field `modifications`"),
        (
            r#"{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":{}}"#,
            "expected a sequence",
        ),
        (
            r#"{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{"type":"Ad"}]}"#,
            "expected Add or Remove",
        ),
        (
            r#"{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{"type":"Remove"}]}"#,
            "Remove: missing field `queryId`",
        ),
        (
            r#"{"type":"Mutation","requestId":4294967296,"udfPath":"f","args":[]}"#,
            "invalid value: integer `4294967296`",
        ),
        (r#"{"type":"Mutation","requestId":1.5,"udfPath":"f","args":[]}"#, "floating point `1.5`"),
        (r#"{"type":"Mutation","requestId":1,"udfPath":"f"}"#, "Mutation: missing field `args`"),
        (
            r#"{"type":"Mutation","requestId":1,"requestId":2,"udfPath":"f","args":[]}"#,
            "duplicate field `requestId`",
        ),
        (
            r#"{"type":"Authenticate","baseVersion":0,"tokenType":"User"}"#,
            "Authenticate: missing field `value`",
        ),
        (r#"{"type":"Authenticate","baseVersion":0,"tokenType":"Magic"}"#, r#"unknown tokenType "Magic""#),
        (r#"{"type":"Event"}"#, "Event: missing field `eventType`"),
        (r#"{"type":"Event","eventType":"x"} {}"#, "trailing characters"),
    ] {
        let error = parse_client_message(text).expect_err(text).to_string();
        assert!(error.starts_with("WSMessageInvalidJson: "), "{error}");
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn deep_arguments_are_the_matter_of_the_call() {
    let args = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!(r#"{{"type":"Mutation","requestId":0,"udfPath":"f","args":{args}}}"#);
    let ClientMessage::Mutation(call) = parse(&text) else { panic!("a mutation") };
    let failure = call.call.expect_err("too deep");
    assert!(failure.message.starts_with("ArgumentValidationError"), "{}", failure.message);
}

#[test]
fn the_number_of_modifications_has_an_end() {
    let many = vec![r#"{"type":"Remove","queryId":1}"#; QUERY_SET_MODIFICATIONS_MAX + 1].join(",");
    let text =
        format!(r#"{{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{many}]}}"#);
    assert!(matches!(parse_client_message(&text), Err(ProtocolError::TooManyModifications { .. })));
}

proptest! {
    #[test]
    fn arbitrary_texts_never_panic(text in "\\PC{0,200}") {
        let _ = parse_client_message(&text);
    }

    #[test]
    fn arbitrary_fields_never_panic(
        kind in prop::sample::select(vec!["Connect", "ModifyQuerySet", "Mutation", "Action", "Authenticate", "Event"]),
        fields in "(,\"(sessionId|baseVersion|newVersion|modifications|queryId|args|requestId|udfPath|tokenType|value)\":(0|1|-1|1e9|\"\"|\\[\\]|\\{\\}|null|true)){0,6}",
    ) {
        let _ = parse_client_message(&format!(r#"{{"type":"{kind}"{fields}}}"#));
    }
}
