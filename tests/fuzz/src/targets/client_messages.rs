//! What a client says on a socket, as one text each line: parsed whole or refused with a short word, and the call in it
//! in one form.

use weir_sync::protocol::{
    ClientMessage, QuerySetModification, ResolvedCall, named_arguments, parse_client_message, resolve_call,
};
use weir_value::{FunctionPath, Value};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "client_messages",
    run,
    dictionary: &[
        "{\"type\":\"",
        "Connect",
        "ModifyQuerySet",
        "Mutation",
        "Action",
        "Authenticate",
        "Event",
        "Add",
        "Remove",
        "\"sessionId\":",
        "\"connectionCount\":",
        "\"lastCloseReason\":",
        "\"maxObservedTimestamp\":",
        "\"queryPatches\":\"rfc6902\"",
        "\"baseVersion\":",
        "\"newVersion\":",
        "\"modifications\":[",
        "\"queryId\":",
        "\"udfPath\":",
        "\"args\":[",
        "\"componentPath\":",
        "\"journal\":",
        "\"requestId\":",
        "\"tokenType\":\"",
        "None",
        "User",
        "Admin",
        "\"impersonating\":",
        "\"acting_as\":",
        "\"value\":",
        "\"eventType\":",
        "{}",
        "[",
        "\"",
        "\\u0000",
        "4294967296",
        "-1",
        "1.0",
        "null",
    ],
    bytes_max: 16 * 1024,
    rounds: 20_000,
    is_in_process: true,
};

/// What an error may add to the longest words of its own.
const ERROR_BYTES_MAX: usize = 2048;

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for line in text.lines().take(16) {
        match parse_client_message(line) {
            Ok(message) => check(&message, line),
            Err(error) => {
                let said = error.to_string();
                assert!(said.len() <= ERROR_BYTES_MAX, "{} bytes of error: {said:.200}", said.len());
            }
        }
    }
}

fn check(message: &ClientMessage, line: &str) {
    let tree: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    assert!(tree.is_null() || tree["type"] == message.name(), "{line}");
    match message {
        ClientMessage::Mutation(call) | ClientMessage::Action(call) => {
            check_call(&call.call);
        }
        ClientMessage::ModifyQuerySet(modify) => {
            for modification in &modify.modifications {
                if let QuerySetModification::Add { call, .. } = modification {
                    check_call(call);
                }
            }
        }
        ClientMessage::Connect(_) | ClientMessage::Authenticate { .. } | ClientMessage::Event { .. } => {}
    }
}

/// The canonical form of a call is the canonical form of itself.
fn check_call(call: &ResolvedCall) {
    let (path, canonical) = match call {
        Ok(call) => call,
        Err(failure) => {
            assert!(failure.message.len() <= ERROR_BYTES_MAX, "{} bytes", failure.message.len());
            return;
        }
    };
    assert!(matches!(Value::from_json(canonical), Ok(Value::Object(_))), "arguments are an object");
    assert_eq!(named_arguments(canonical), Ok(&canonical[..]));
    let again = resolve_call(&path.local(), canonical, Some(path.component().as_str()));
    assert_eq!(again, Ok((path.clone(), canonical.clone())));
    assert_eq!(FunctionPath::parse_qualified(&path.to_string()).as_ref(), Ok(path));
}
