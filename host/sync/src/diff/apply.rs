//! Applying a patch: the other half of [`diff`](super::diff()), as a client has it.
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// Why a patch cannot be applied. The value is then in between, and of no more use.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// It is not a list of operations that are known here.
    #[error("the patch is not a list of add, remove, replace and move: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Operation number `at`, counted from 0, names a place that is not there.
    #[error("operation {at} of the patch: nothing can be done at `{path}` of this value")]
    NoSuchPlace {
        /// Which operation.
        at: usize,
        /// The pointer.
        path: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Operation {
    Add { path: String, value: Value },
    Remove { path: String },
    Replace { path: String, value: Value },
    Move { from: String, path: String },
}

/// Applies a patch to a value, in place.
///
/// # Errors
/// The patch is malformed, or made for another value.
pub fn apply(document: &mut Value, patch: &str) -> Result<(), ApplyError> {
    let operations: Vec<Operation> = serde_json::from_str(patch)?;
    for (at, operation) in operations.into_iter().enumerate() {
        operation.perform(document).map_err(|path| ApplyError::NoSuchPlace { at, path })?;
    }
    Ok(())
}

impl Operation {
    /// The error is the path at which it failed.
    fn perform(self, document: &mut Value) -> Result<(), String> {
        match self {
            Operation::Add { path, value } => add(document, &path, value).ok_or(path),
            Operation::Remove { path } => remove(document, &path).map(drop).ok_or(path),
            Operation::Replace { path, value } => {
                document.pointer_mut(&path).map(|place| *place = value).ok_or(path)
            }
            Operation::Move { from, path } => {
                let value = remove(document, &from).ok_or(from)?;
                add(document, &path, value).ok_or(path)
            }
        }
    }
}

fn add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    let Some((parent, token)) = split(path) else {
        return path.is_empty().then(|| *document = value);
    };
    match document.pointer_mut(parent)? {
        Value::Object(fields) => drop(fields.insert(token, value)),
        Value::Array(items) => {
            let at = if token == "-" { items.len() } else { index(&token)? };
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(document: &mut Value, path: &str) -> Option<Value> {
    let (parent, token) = split(path)?;
    match document.pointer_mut(parent)? {
        Value::Object(fields) => fields.remove(&token),
        Value::Array(items) => {
            let at = index(&token)?;
            (at < items.len()).then(|| items.remove(at))
        }
        _ => None,
    }
}

/// A pointer's parent, and its last token as it is meant.
fn split(path: &str) -> Option<(&str, String)> {
    let (parent, token) = path.rsplit_once('/')?;
    Some((parent, token.replace("~1", "/").replace("~0", "~")))
}

/// RFC 6901: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || token.starts_with(|first: char| ('1'..='9').contains(&first));
    if canonical { token.parse().ok() } else { None }
}
