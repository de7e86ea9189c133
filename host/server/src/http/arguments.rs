//! The JSON of a function call over HTTP, in and out: `{path, args, format?}`
//! and `{status, value | errorMessage, errorData?, logLines?}`.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use weir_db::CallError;
use weir_sync::protocol::named_arguments;
use weir_value::{ComponentPath, ErrorCode, FunctionPath, Value};

use crate::answer::ApiError;

/// How values are written in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Plain JSON: 64-bit integers as decimal strings, bytes as base64.
    Clean,
    /// Convex's value encoding, which loses nothing.
    Encoded,
}

impl Format {
    /// The format of this name.
    ///
    /// # Errors
    /// 400 for an unknown name.
    pub fn parse(name: Option<&str>) -> Result<Format, ApiError> {
        match name {
            None | Some("json" | "convex_clean_json") => Ok(Format::Clean),
            Some("convex_encoded_json" | "convex_json") => Ok(Format::Encoded),
            Some(other) => Err(ApiError::bad_request(
                ErrorCode::InvalidFormat,
                format!("`{other}` is not a known format: use `json` or `convex_encoded_json`."),
            )),
        }
    }
}

/// One function call, as it was sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionRequest<'a> {
    /// The function's path; absent where the route names it.
    pub path: Option<String>,
    /// An object, or a list that holds one. Absence is `{}`.
    #[serde(borrow)]
    pub args: Option<&'a RawValue>,
    /// The answer's format.
    pub format: Option<String>,
    /// Where the component is mounted that the function is of; empty for the app. For holders of admin keys.
    pub component_path: Option<String>,
    /// The timestamp to read at (`query_at_ts`), in base64.
    pub ts: Option<String>,
}

/// The path and the arguments of a call, ready for the database.
#[derive(Debug, PartialEq)]
pub struct FunctionCall {
    /// Which function.
    pub path: FunctionPath,
    /// A JSON object.
    pub args: Bytes,
    /// The answer's format.
    pub format: Format,
}

impl<'a> FunctionRequest<'a> {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// 400 when it is not the JSON of a call.
    pub fn parse(body: &'a [u8]) -> Result<FunctionRequest<'a>, ApiError> {
        serde_json::from_slice(body).map_err(|error| invalid_json(&error))
    }

    /// Checks the parts. The arguments are those in `body`, which this was read from: no copy is made.
    ///
    /// # Errors
    /// 400 that names the part at fault.
    pub fn into_call(self, body: &Bytes) -> Result<FunctionCall, ApiError> {
        let Some(path) = self.path.as_deref() else {
            return Err(ApiError::bad_request(ErrorCode::InvalidRequest, "`path` is missing."));
        };
        let component = ComponentPath::parse(self.component_path.as_deref().unwrap_or_default());
        let component = component.map_err(|error| {
            let message = format!("`componentPath`: {error}.");
            ApiError::bad_request(ErrorCode::InvalidRequest, message)
        })?;
        Ok(FunctionCall {
            path: parse_path(path)?.of(component),
            args: part_of(body, named(self.args.map_or("{}", RawValue::get))?),
            format: Format::parse(self.format.as_deref())?,
        })
    }
}

/// The 400 for a body that is not JSON, or not of the form expected.
pub fn invalid_json(error: &serde_json::Error) -> ApiError {
    ApiError::bad_request(ErrorCode::InvalidRequest, format!("The body is not as expected: {error}."))
}

/// A function's path.
///
/// # Errors
/// 400 when it cannot be one.
pub fn parse_path(text: &str) -> Result<FunctionPath, ApiError> {
    text.parse().map_err(|error| {
        ApiError::bad_request(ErrorCode::InvalidFunctionPath, format!("`{}`: {error}", shorten(text)))
    })
}

/// The object with the named arguments, read as it is on sockets.
///
/// # Errors
/// 400 when there is no such object.
pub fn parse_args(args: &str) -> Result<Bytes, ApiError> {
    named(args).map(Bytes::copy_from_slice)
}

fn named(args: &str) -> Result<&[u8], ApiError> {
    named_arguments(args.as_bytes())
        .map_err(|error| ApiError::bad_request(ErrorCode::InvalidArguments, format!("`args`: {error}.")))
}

/// A part of these bytes, or a copy of what is none.
fn part_of(bytes: &Bytes, part: &[u8]) -> Bytes {
    match bytes.as_ptr_range().contains(&part.as_ptr()) {
        true => bytes.slice_ref(part),
        false => Bytes::copy_from_slice(part),
    }
}

/// The start of a text that came from outside, for an error message.
fn shorten(text: &str) -> &str {
    let end = (0..=100.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}

/// Writes the answer of one call (`UdfResponse`) as JSON.
///
/// # Errors
/// 500 when the function's result is not a value: the database checks it, so this
/// is a fault of the server.
pub fn write_outcome(
    out: &mut Vec<u8>,
    result: &Result<Bytes, CallError>,
    log_lines: &[String],
    format: Format,
) -> Result<(), ApiError> {
    match result {
        Ok(value) => {
            out.extend_from_slice(b"{\"status\":\"success\",\"value\":");
            write_value(out, value, format)?;
        }
        Err(error) => {
            out.extend_from_slice(b"{\"status\":\"error\",\"errorMessage\":");
            write_json(out, &error.message)?;
            if let Some(data) = &error.data {
                out.extend_from_slice(b",\"errorData\":");
                write_value(out, data, format)?;
            }
        }
    }
    if !log_lines.is_empty() {
        out.extend_from_slice(b",\"logLines\":");
        write_json(out, log_lines)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_value(out: &mut Vec<u8>, value: &[u8], format: Format) -> Result<(), ApiError> {
    match format {
        Format::Encoded => out.extend_from_slice(value),
        Format::Clean => {
            let value = Value::from_json(value).map_err(|error| {
                tracing::error!(%error, "a result is not in the value encoding");
                ApiError::internal()
            })?;
            write_json(out, &value.to_clean_json())?;
        }
    }
    Ok(())
}

fn write_json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) -> Result<(), ApiError> {
    serde_json::to_writer(out, value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        ApiError::internal()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_name_the_part_at_fault() {
        for (body, expected) in [
            (r#"{"path":"a:b"}"#, Ok(Format::Clean)),
            (r#"{"path":"a:b","args":[{}],"format":"convex_encoded_json"}"#, Ok(Format::Encoded)),
            (r#"{"path":"a:b","format":"json","componentPath":""}"#, Ok(Format::Clean)),
            (r#"{"args":{}}"#, Err("InvalidRequest")),
            (r#"{"path":"a:b","args":[1]}"#, Err("InvalidArguments")),
            (r#"{"path":"a:b","format":"xml"}"#, Err("InvalidFormat")),
            (r#"{"path":"a:b","componentPath":"waitlist/mail"}"#, Ok(Format::Clean)),
            (r#"{"path":"a:b","componentPath":"wait list"}"#, Err("InvalidRequest")),
            (r#"{"path":7}"#, Err("InvalidRequest")),
            ("[]", Err("InvalidRequest")),
            ("", Err("InvalidRequest")),
            ("{\"path\":\"a:b\"", Err("InvalidRequest")),
        ] {
            let bytes = Bytes::from_static(body.as_bytes());
            let got = FunctionRequest::parse(&bytes).and_then(|request| request.into_call(&bytes));
            assert_eq!(got.map(|call| call.format).map_err(|error| error.code.as_str()), expected, "{body}");
        }
    }

    #[test]
    fn answers_have_the_official_form() {
        let failed = |data: Option<&'static [u8]>| {
            let data = data.map(Bytes::from_static);
            Err(CallError { data, ..CallError::new(ErrorCode::InvalidRequest, "no \"way\"") })
        };
        let lines = ["[LOG] 'hi'".to_owned()];
        let one = Bytes::from_static(br#"{"n":{"$integer":"AQAAAAAAAAA="}}"#);
        for (result, lines, format, expected) in [
            (
                Ok(one.clone()),
                &lines[..],
                Format::Clean,
                r#"{"status":"success","value":{"n":"1"},"logLines":["[LOG] 'hi'"]}"#,
            ),
            (
                Ok(one),
                &[],
                Format::Encoded,
                r#"{"status":"success","value":{"n":{"$integer":"AQAAAAAAAAA="}}}"#,
            ),
            (failed(None), &[], Format::Clean, r#"{"status":"error","errorMessage":"no \"way\""}"#),
            (
                failed(Some(b"null")),
                &[],
                Format::Clean,
                r#"{"status":"error","errorMessage":"no \"way\"","errorData":null}"#,
            ),
        ] {
            let mut out = Vec::new();
            write_outcome(&mut out, &result, lines, format).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
