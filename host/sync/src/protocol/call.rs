//! What a client wants to call, in the one form that the rest of the host knows.
use bytes::Bytes;
use serde_json::value::RawValue;
use weir_value::{FunctionPath, Value};

use super::FailureBody;

/// The canonical path and arguments of a call: `m:f`, `m.js:f`, and `m` for `m:default` are one function; `{"b":1}`
/// and `[{"b":1.0}]` are the same arguments, whose canonical JSON comes back.
///
/// # Errors
/// What the client gets as the failure of this one call.
pub fn resolve_call(
    udf_path: &str,
    args: &[u8],
    component_path: Option<&str>,
) -> Result<(FunctionPath, Bytes), FailureBody> {
    if component_path.is_some_and(|path| !path.is_empty()) {
        return Err(failure(
            "Weir has no components yet: call functions without a componentPath.".to_owned(),
        ));
    }
    let path = FunctionPath::parse(udf_path).map_err(|error| {
        let excerpt: String = udf_path.chars().take(160).collect();
        failure(format!("Could not find public function for '{excerpt}': {error}"))
    })?;
    let args = named_arguments(args).map_err(|error| failure(format!("ArgumentValidationError: {error}")))?;
    Ok((path, args))
}

/// Official clients send a list of one object, by WebSocket and by HTTP; some send the object itself.
fn named_arguments(args: &[u8]) -> Result<Bytes, String> {
    let object = match serde_json::from_slice::<Vec<&RawValue>>(args) {
        Ok(list) => match list.as_slice() {
            [] => "{}".as_bytes(),
            [object] => object.get().as_bytes(),
            more => {
                return Err(format!(
                    "a function takes one object of named arguments, this is a list of {}",
                    more.len()
                ));
            }
        },
        Err(_) => args,
    };
    let value = Value::from_json(object).map_err(|error| error.to_string())?;
    match value {
        Value::Object(_) => Ok(Bytes::from(value.to_json())),
        other => Err(format!(
            "a function takes one object of named arguments, this is of type {}",
            other.type_name()
        )),
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
        for path in ["chat", "chat.js", "chat:default"] {
            let (path, args) = resolve_call(path, b"[]", Some("")).expect(path);
            assert_eq!((path.to_string().as_str(), &args[..]), ("chat:default", &b"{}"[..]));
        }
    }

    #[test]
    fn failures_say_what_is_wrong() {
        let deep = format!("[{}1{}]", "{\"a\":".repeat(70), "}".repeat(70));
        for (path, args, component, named) in [
            ("", "{}", None, "Could not find public function for ''"),
            ("a b:c", "{}", None, "Could not find public function for 'a b:c'"),
            ("a:b", "{}", Some("c"), "components"),
            ("a:b", "[{},{}]", None, "list of 2"),
            ("a:b", "[7]", None, "ArgumentValidationError: a function takes one object"),
            ("a:b", "null", None, "ArgumentValidationError"),
            ("a:b", "{", None, "ArgumentValidationError"),
            ("a:b", r#"[{"$x":1}]"#, None, "ArgumentValidationError"),
            ("a:b", deep.as_str(), None, "ArgumentValidationError"),
        ] {
            let failure = resolve_call(path, args.as_bytes(), component).expect_err(args);
            assert!(failure.message.contains(named), "{}", failure.message);
        }
    }
}
