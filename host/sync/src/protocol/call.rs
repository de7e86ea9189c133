//! What a client wants to call, in the one form that the rest of the host knows.
use std::fmt;

use bytes::Bytes;
use serde_json::value::RawValue;
use weir_value::json::is_canonical;
use weir_value::{ComponentPath, FunctionPath, Value};

use super::{AtMost, FailureBody};

/// The canonical path and arguments of a call, or why it fails.
pub type ResolvedCall = Result<(FunctionPath, Bytes), FailureBody>;

/// The canonical path and arguments of a call, of the app or of a component: whether the caller may name one is not looked
/// at here. `m:f`, `m.js:f`, and `m` for `m:default` are one function; `{"b":1}`
/// and `[{"b":1.0}]` are the same arguments, whose canonical JSON comes back.
///
/// # Errors
/// What the client gets as the failure of this one call.
pub fn resolve_call(udf_path: &str, args: &[u8], component_path: Option<&str>) -> ResolvedCall {
    let component = ComponentPath::parse(component_path.unwrap_or_default())
        .map_err(|error| failure(format!("componentPath: {error}")))?;
    let path = FunctionPath::parse(udf_path).map_err(|error| {
        let excerpt: String = udf_path.chars().take(160).collect();
        failure(format!("Could not find public function for '{excerpt}': {error}"))
    })?;
    let path = path.of(component);
    let args =
        canonical_arguments(args).map_err(|error| failure(format!("ArgumentValidationError: {error}")))?;
    Ok((path, args))
}

/// Why a text cannot be the arguments of a function. Its text says what they are instead: "a list of 2".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentsError {
    found: String,
}

impl fmt::Display for ArgumentsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a function takes one object of named arguments, not {}", self.found)
    }
}

impl std::error::Error for ArgumentsError {}

/// The JSON text of the object with the named arguments: `args` itself, or the one member of a list, which is how
/// official clients send it, by WebSocket and by HTTP. An empty list is an object without fields. Whether what looks
/// like an object can be read is not checked.
///
/// # Errors
/// Anything else.
pub fn named_arguments(args: &[u8]) -> Result<&[u8], ArgumentsError> {
    let args = args.trim_ascii();
    let object = match args.first() {
        Some(b'[') => match serde_json::from_slice::<AtMost<&RawValue, 1>>(args) {
            Ok(list) => match (list.items.as_slice(), list.count) {
                ([], _) => b"{}",
                ([only], 1) => only.get().as_bytes(),
                (_, more) => return Err(ArgumentsError { found: format!("a list of {more}") }),
            },
            Err(error) => return Err(ArgumentsError { found: format!("invalid JSON ({error})") }),
        },
        _ => args,
    };
    match object.first() {
        Some(b'{') => Ok(object),
        other => Err(ArgumentsError { found: type_name(other.copied()).to_owned() }),
    }
}

/// The type of a JSON value that begins so.
fn type_name(first: Option<u8>) -> &'static str {
    match first {
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        Some(_) => "invalid JSON",
        None => "an empty text",
    }
}

/// The arguments in their canonical form, by which live queries are told apart.
fn canonical_arguments(args: &[u8]) -> Result<Bytes, String> {
    let object = named_arguments(args).map_err(|error| error.to_string())?;
    if is_canonical(object) {
        return Ok(Bytes::copy_from_slice(object));
    }
    match Value::from_json(object).map_err(|error| error.to_string())? {
        value @ Value::Object(_) => Ok(Bytes::from(value.to_json())),
        // In the value encoding some objects are something else: `{"$integer": ..}`.
        other => Err(ArgumentsError { found: format!("a value of type {}", other.type_name()) }.to_string()),
    }
}

fn failure(message: String) -> FailureBody {
    FailureBody { message, data: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_call_are_one_call() {
        for (path, args) in [
            ("chat:list", r#"[{"a":1,"b":"x"}]"#),
            ("chat.js:list", r#"{"b":"x","a":1.0}"#),
            ("chat:list", r#" [ { "b" : "\u0078", "a" : 1e0 } ] "#),
        ] {
            let (path, args) = resolve_call(path, args.as_bytes(), None).expect(path);
            assert_eq!((path.to_string().as_str(), &args[..]), ("chat:list", &br#"{"a":1,"b":"x"}"#[..]));
        }
        let (path, _) = resolve_call("lib:f", b"{}", Some("waitlist/mail")).expect("a call");
        assert_eq!(path.to_string(), "waitlist/mail;lib:f");
        for path in ["chat", "chat.js", "chat:default"] {
            let (path, args) = resolve_call(path, b"[]", Some("")).expect(path);
            assert_eq!((path.to_string().as_str(), &args[..]), ("chat:default", &b"{}"[..]));
        }
    }

    #[test]
    fn arguments_are_an_object_or_a_list_of_one() {
        for (sent, expected) in [
            ("{}", Ok("{}")),
            (r#" {"a": 1} "#, Ok(r#"{"a": 1}"#)),
            (r#"[{"a":1}]"#, Ok(r#"{"a":1}"#)),
            ("[]", Ok("{}")),
            ("[1]", Err("a number")),
            ("[[{}]]", Err("a list")),
            ("[{},{}]", Err("a list of 2")),
            ("[{}", Err("invalid JSON (EOF while parsing a list at line 1 column 3)")),
            ("null", Err("null")),
            ("true", Err("a boolean")),
            ("\"{}\"", Err("a string")),
            ("3", Err("a number")),
            ("x", Err("invalid JSON")),
            ("", Err("an empty text")),
        ] {
            let got = named_arguments(sent.as_bytes()).map_err(|error| error.found);
            assert_eq!(got, expected.map(str::as_bytes).map_err(str::to_owned), "{sent}");
        }
    }

    #[test]
    fn failures_say_what_is_wrong() {
        let deep = format!("[{}1{}]", "{\"a\":".repeat(70), "}".repeat(70));
        for (path, args, component, named) in [
            ("", "{}", None, "Could not find public function for ''"),
            ("a b:c", "{}", None, "Could not find public function for 'a b:c'"),
            ("a:b", "{}", Some("c d"), "componentPath: \"c d\" is not the path of a component"),
            ("a:b", "[{},{}]", None, "list of 2"),
            ("a:b", "[7]", None, "ArgumentValidationError: a function takes one object"),
            ("a:b", "null", None, "ArgumentValidationError"),
            ("a:b", "{", None, "ArgumentValidationError"),
            ("a:b", r#"{"$integer":"AQAAAAAAAAA="}"#, None, "ArgumentValidationError"),
            ("a:b", r#"[{"$x":1}]"#, None, "ArgumentValidationError"),
            ("a:b", deep.as_str(), None, "ArgumentValidationError"),
        ] {
            let failure = resolve_call(path, args.as_bytes(), component).expect_err(args);
            assert!(failure.message.contains(named), "{}", failure.message);
        }
    }
}
