//! The errors of the database, and the one place where a failed call becomes what its client reads.
//!
//! Three audiences: the function gets a [`DbError`], the database gets a [`FunctionError`] from the function,
//! the client gets a [`CallError`]. Nothing of a store's own error text reaches a client.
use bytes::Bytes;
use thiserror::Error;
use weir_store::SequenceError;
use weir_value::limits::{ERROR_MESSAGE_BYTES_MAX, FUNCTION_RESULT_BYTES_MAX};
use weir_value::{ErrorCode, FunctionPath};

use crate::{FunctionKind, MissingFunction, Scope};

/// Why the database did not do what a function asked: a WIT `error`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct DbError {
    /// A stable, short name in CamelCase: `InvalidId`, `TooManyReads`.
    pub code: ErrorCode,
    /// One or two sentences: what was wrong and what to do.
    pub message: String,
}

impl DbError {
    /// An error of this code and text.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        DbError { code, message: message.into() }
    }
}

/// Why a function gave no result. The runtime says it; [`CallError`] is made of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FunctionError {
    /// The function's own error, meant for its caller.
    #[error("{message}")]
    Application {
        /// For people.
        message: String,
        /// JSON that reaches the client as `errorData` (Convex's `ConvexError`).
        data: Option<Bytes>,
    },
    /// A bug: a trap, a panic, an overflowed stack.
    #[error("{message}")]
    Trap {
        /// What trapped, and where if that is known.
        message: String,
    },
    /// A limit that is not the transaction's own: memory, tables, host calls.
    #[error("{code}: {message}")]
    Limit {
        /// Stable, CamelCase: `OutOfMemory`.
        code: ErrorCode,
        /// Which limit, its figure, what to do.
        message: String,
    },
    /// The function ran out of its time.
    #[error("{message}")]
    Timeout {
        /// Which time, and how much of it there was.
        message: String,
    },
    /// What it gave back is no JSON value.
    #[error("{message}")]
    InvalidResult {
        /// What is wrong with it.
        message: String,
    },
    /// The host failed, not the function. `message` is for the operator and reaches no client.
    #[error("{code}: {message}")]
    System {
        /// Stable, CamelCase: `InternalServerError`, `Overloaded`.
        code: ErrorCode,
        /// For the operator.
        message: String,
    },
}

impl From<DbError> for FunctionError {
    /// As a guest does that passes on what the database told it.
    fn from(error: DbError) -> Self {
        FunctionError::Application { message: error.to_string(), data: None }
    }
}

/// What the client of a failed call gets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct CallError {
    /// A stable, short name in CamelCase: `ApplicationError`, `FunctionNotFound`, `TooManyReads`.
    pub code: ErrorCode,
    /// As it is sent: `[Request ID: x] Server Error\nUncaught Error: ...`.
    pub message: String,
    /// The JSON of an application error that carries data; reaches the client as `errorData`.
    pub data: Option<Bytes>,
    /// The store took no writes just then, and nothing of the call was kept: the same call may succeed later.
    pub retryable: bool,
    /// Whether everybody may read the message: it tells of the request and of the host, and nothing of what goes on
    /// inside of functions.
    pub is_public: bool,
}

impl CallError {
    /// An error of this code and text, without data, that will be the same next time.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        CallError { code, message: message.into(), data: None, retryable: false, is_public: false }
    }

    /// The same, of a message that everybody may read.
    #[must_use]
    pub fn public(self) -> CallError {
        CallError { is_public: true, ..self }
    }

    /// As those get it whom nothing is told of what goes on inside of functions, as Convex has it in production: the
    /// request's id, under which the operator finds the rest in the log, and the data of an application error, which is
    /// meant for clients.
    #[must_use]
    pub fn redacted(mut self, request_id: &str) -> CallError {
        if !self.is_public {
            self.message = format!("{REQUEST_ID}{request_id}{}", SERVER_ERROR.trim_end());
        }
        self
    }

    /// As another function gets it that called this one: an application error's message is the function's own.
    #[must_use]
    pub fn into_nested(mut self) -> CallError {
        let own = self.own_message();
        let own = match self.code {
            ErrorCode::ApplicationError => own
                .strip_prefix("Uncaught Error: ")
                .or(own.strip_prefix("Uncaught ConvexError: "))
                .unwrap_or(own),
            _ => own,
        };
        self.message = own.to_owned();
        self
    }

    /// The message without what stands before it for clients: the request's id.
    pub fn own_message(&self) -> &str {
        let rest = self.message.strip_prefix(REQUEST_ID).and_then(|rest| rest.split_once(SERVER_ERROR));
        rest.map_or(&self.message, |(_, own)| own)
    }
}

impl FunctionError {
    /// The stable, short name of the kind of error.
    pub fn code(&self) -> ErrorCode {
        match self {
            FunctionError::Application { .. } => ErrorCode::ApplicationError,
            FunctionError::Trap { .. } => ErrorCode::FunctionTrapped,
            FunctionError::Limit { code, .. } | FunctionError::System { code, .. } => *code,
            FunctionError::Timeout { .. } => ErrorCode::FunctionTimedOut,
            FunctionError::InvalidResult { .. } => ErrorCode::InvalidResult,
        }
    }

    /// What a client may read of it; names the function where the function's own text does not speak for itself.
    pub fn client_message(&self, path: &FunctionPath) -> String {
        match self {
            FunctionError::Application { message, data: None } => format!("Uncaught Error: {message}"),
            FunctionError::Application { message, data: Some(_) } => {
                format!("Uncaught ConvexError: {message}")
            }
            FunctionError::Trap { message } => format!("Uncaught Error: `{path}` trapped: {message}"),
            FunctionError::Limit { code, message } => format!("Uncaught Error: `{path}`: {code}: {message}"),
            FunctionError::Timeout { message } => {
                format!("Uncaught Error: `{path}` ran out of time: {message}")
            }
            FunctionError::InvalidResult { message } => {
                format!("InvalidResult: `{path}` did not return one JSON value: {message}")
            }
            FunctionError::System { .. } => SYSTEM_MESSAGE.to_owned(),
        }
    }

    fn into_data(self) -> Option<Bytes> {
        match self {
            FunctionError::Application { data, .. } => data,
            _ => None,
        }
    }
}

/// What stands before every message for a client, around the request's id.
const REQUEST_ID: &str = "[Request ID: ";
const SERVER_ERROR: &str = "] Server Error\n";
/// What a client reads when the host failed: nothing that it could do something about.
const SYSTEM_MESSAGE: &str = "The host could not complete the request. Try again later.";

/// Everything that a call can fail with.
#[derive(Debug)]
pub(crate) enum Failure {
    NotFound {
        to_admin: bool,
    },
    /// The admin key is good for less.
    KeyScope,
    /// The admin key, of this scope, is good for other things than this function of the host.
    SystemScope(Scope),
    Missing(MissingFunction),
    WrongKind {
        is: FunctionKind,
        called_as: FunctionKind,
    },
    Arguments(String),
    Returns(String),
    ResultTooLarge,
    /// A limit of the transaction, or a store that cannot be read.
    Poisoned(DbError),
    Function(FunctionError),
    /// The store did not take the writes.
    Commit(SequenceError),
}

impl Failure {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Failure::NotFound { .. } => ErrorCode::FunctionNotFound,
            Failure::KeyScope | Failure::SystemScope(_) => ErrorCode::AdminKeyScope,
            Failure::Missing(_) => ErrorCode::FunctionMissing,
            Failure::WrongKind { .. } => ErrorCode::WrongFunctionKind,
            Failure::Arguments(_) => ErrorCode::ArgumentValidationError,
            Failure::Returns(_) => ErrorCode::ReturnsValidationError,
            Failure::ResultTooLarge => ErrorCode::ResultTooLarge,
            Failure::Poisoned(error) => error.code,
            Failure::Function(error) => error.code(),
            Failure::Commit(SequenceError::DiskFull) => ErrorCode::DiskFull,
            Failure::Commit(SequenceError::Overloaded) => ErrorCode::Overloaded,
            Failure::Commit(SequenceError::TooLarge { .. }) => ErrorCode::CommitTooLarge,
            Failure::Commit(SequenceError::Closed) => ErrorCode::ShuttingDown,
        }
    }

    fn client_message(&self, path: &FunctionPath) -> String {
        match self {
            Failure::NotFound { to_admin } => format!(
                "Could not find {}function for '{path}'. Did you forget to run `host dev` or `host deploy`?",
                if *to_admin { "" } else { "public " }
            ),
            Failure::KeyScope => {
                format!("This admin key is read-only: it cannot run '{path}', which writes. Use another key.")
            }
            Failure::SystemScope(scope) => {
                format!("This admin key may not call '{path}': its scope is `{scope}`. Use another key.")
            }
            Failure::Missing(MissingFunction { visibility: Some(_), reason }) => format!(
                "The function '{path}' is deployed but cannot run: {reason}. Deploy again, with `host deploy`."
            ),
            Failure::Missing(MissingFunction { visibility: None, reason }) => format!(
                "Could not find public function for '{path}'; a part of what was deployed cannot run, and it may be \
                 in that: {reason}. Deploy again, with `host deploy`."
            ),
            Failure::WrongKind { is, called_as } => format!(
                "Trying to execute '{path}' as {}, but it is defined as {}.",
                called_as.with_article(),
                is.with_article()
            ),
            Failure::Arguments(message) => format!("ArgumentValidationError: {message}"),
            Failure::Returns(message) => format!("ReturnsValidationError: the result of `{path}`: {message}"),
            Failure::ResultTooLarge => format!(
                "ResultTooLarge: the result of `{path}` is larger than the {FUNCTION_RESULT_BYTES_MAX} bytes that are \
                 allowed. Return less at a time."
            ),
            Failure::Poisoned(error) => {
                format!("Uncaught Error: `{path}`: {}: {}", error.code, error.message)
            }
            Failure::Function(error) => error.client_message(path),
            Failure::Commit(error) => unsaved_message(error, path),
        }
    }

    /// Whether the store refused the call for a reason that passes: nothing of it was kept.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Failure::Commit(error) => match error {
                SequenceError::DiskFull | SequenceError::Overloaded | SequenceError::Closed => true,
                SequenceError::TooLarge { .. } => false,
            },
            _ => false,
        }
    }

    /// Whether it would be the same whatever stands in the database. If not, it tells of what was read, and must not
    /// be told before that is durable.
    pub(crate) fn is_independent_of_data(&self) -> bool {
        let is_of_the_call = matches!(
            self,
            Failure::NotFound { .. }
                | Failure::KeyScope
                | Failure::SystemScope(_)
                | Failure::WrongKind { .. }
        );
        is_of_the_call || self.is_refusal()
    }

    /// What the operator reads in the log when it is the host that failed. A full disk and the end of the store are
    /// logged once, by the store, and not once more for each call.
    pub(crate) fn operator_message(&self) -> Option<String> {
        match self {
            Failure::Function(error @ FunctionError::System { .. }) => Some(error.to_string()),
            Failure::Commit(error @ SequenceError::Overloaded) => Some(error.to_string()),
            _ => None,
        }
    }

    /// Whether the store takes no writes for now, because there are too many.
    pub(crate) fn is_overload(&self) -> bool {
        matches!(self, Failure::Commit(SequenceError::Overloaded))
    }

    /// The data with which the official clients tell errors that they recover from by themselves.
    fn system_data(&self) -> Option<Bytes> {
        match self {
            Failure::Poisoned(error) if error.code == ErrorCode::InvalidCursor => {
                Some(Bytes::from_static(br#"{"isConvexSystemError":true,"paginationError":"InvalidCursor"}"#))
            }
            _ => None,
        }
    }

    /// What a function gets that called the failed one.
    pub(crate) fn into_nested_error(self, path: &FunctionPath) -> CallError {
        let (code, retryable) = (self.code(), self.is_refusal());
        match self {
            Failure::Function(FunctionError::Application { message, data }) => {
                CallError { data, ..CallError::new(code, message) }
            }
            failure => {
                let data = failure.system_data();
                let message = failure.client_message(path);
                let message = message.strip_prefix("Uncaught Error: ").map(str::to_owned).unwrap_or(message);
                CallError { data, retryable, ..CallError::new(code, message) }
            }
        }
    }

    /// What the client gets.
    pub(crate) fn into_call_error(self, path: &FunctionPath, request_id: &str) -> CallError {
        let (code, retryable) = (self.code(), self.is_refusal());
        let is_public = self.is_independent_of_data();
        let mut message = format!("{REQUEST_ID}{request_id}{SERVER_ERROR}{}", self.client_message(path));
        if message.len() > ERROR_MESSAGE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(ERROR_MESSAGE_BYTES_MAX));
            message.push_str("...");
        }
        let data = match self {
            Failure::Function(error) => error.into_data(),
            failure => failure.system_data(),
        };
        CallError { code, message, data, retryable, is_public }
    }
}

/// What a client reads when the store did not take the writes of its call.
fn unsaved_message(error: &SequenceError, path: &FunctionPath) -> String {
    match error {
        SequenceError::DiskFull => format!(
            "DiskFull: nothing of `{path}` was saved, because the server's disk is full. Call it again when there is \
             room: the operator has to free some space."
        ),
        SequenceError::Overloaded => format!(
            "Overloaded: nothing of `{path}` was saved, because more writes are waiting than the server can take. \
             Call it again in a moment."
        ),
        SequenceError::Closed => format!(
            "ShuttingDown: nothing of `{path}` was saved, because the server is stopping. Call it again when it has \
             started."
        ),
        SequenceError::TooLarge { size_bytes, max_bytes } => format!(
            "CommitTooLarge: `{path}` writes {size_bytes} bytes, with what is stored about them, more than the \
             {max_bytes} that fit into one commit. Write less at a time."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Visibility;

    fn message_of(failure: Failure) -> (String, CallError) {
        let path = FunctionPath::parse("chat.js:send").expect("a path");
        let error = failure.into_call_error(&path, "r1");
        let body =
            error.message.strip_prefix("[Request ID: r1] Server Error\n").expect("the prefix").to_owned();
        (body, error)
    }

    #[test]
    fn a_key_reads_what_it_is_good_for() {
        let failure = Failure::SystemScope(Scope::Deploy);
        assert!(failure.is_independent_of_data());
        let (body, error) = message_of(failure);
        let text = "This admin key may not call 'chat:send': its scope is `deploy`. Use another key.";
        assert_eq!((body.as_str(), error.code.as_str()), (text, "AdminKeyScope"));
    }

    #[test]
    fn clients_read_what_they_should() {
        let application = |data: Option<&'static str>| FunctionError::Application {
            message: "no".to_owned(),
            data: data.map(Bytes::from),
        };
        let system =
            FunctionError::System { code: ErrorCode::InternalServerError, message: "secret".to_owned() };
        let text = || "why".to_owned();
        let cases = [
            (Failure::Function(application(None)), "ApplicationError", "Uncaught Error: no"),
            (Failure::Function(application(Some("7"))), "ApplicationError", "Uncaught ConvexError: no"),
            (
                Failure::Function(FunctionError::Trap { message: text() }),
                "FunctionTrapped",
                "Uncaught Error: `chat:send` trapped: why",
            ),
            (
                Failure::Function(FunctionError::Limit { code: ErrorCode::OutOfMemory, message: text() }),
                "OutOfMemory",
                "Uncaught Error: `chat:send`: OutOfMemory: why",
            ),
            (
                Failure::Function(FunctionError::Timeout { message: text() }),
                "FunctionTimedOut",
                "Uncaught Error: `chat:send` ran out of time: why",
            ),
            (
                Failure::Function(FunctionError::InvalidResult { message: text() }),
                "InvalidResult",
                "InvalidResult: `chat:send` did not return one JSON value: why",
            ),
            (Failure::Function(system), "InternalServerError", SYSTEM_MESSAGE),
            (
                Failure::KeyScope,
                "AdminKeyScope",
                "This admin key is read-only: it cannot run 'chat:send', which writes. Use another key.",
            ),
            (
                Failure::NotFound { to_admin: false },
                "FunctionNotFound",
                "Could not find public function for 'chat:send'. Did you forget to run `host dev` or `host deploy`?",
            ),
            (
                Failure::WrongKind { is: FunctionKind::Mutation, called_as: FunctionKind::Query },
                "WrongFunctionKind",
                "Trying to execute 'chat:send' as a query, but it is defined as a mutation.",
            ),
            (Failure::Arguments(text()), "ArgumentValidationError", "ArgumentValidationError: why"),
            (
                Failure::Returns(text()),
                "ReturnsValidationError",
                "ReturnsValidationError: the result of `chat:send`: why",
            ),
            (
                Failure::Poisoned(DbError::new(ErrorCode::TooManyReads, "why")),
                "TooManyReads",
                "Uncaught Error: `chat:send`: TooManyReads: why",
            ),
        ];
        for (failure, code, text) in cases {
            let is_known_without_data =
                ["FunctionNotFound", "AdminKeyScope", "WrongFunctionKind"].contains(&code);
            assert_eq!(failure.is_independent_of_data(), is_known_without_data, "{code}");
            let (body, error) = message_of(failure);
            assert_eq!((body.as_str(), error.code.as_str(), error.retryable), (text, code, false));
            assert_eq!(error.data.is_some(), text.contains("ConvexError"), "{text}");
        }
    }

    /// What a stranger is told in production: nothing that a function says, but for the data that it has for clients.
    #[test]
    fn what_goes_on_inside_of_functions_can_be_kept_from_clients() {
        let application = |data: Option<&'static str>| {
            Failure::Function(FunctionError::Application {
                message: "inside".into(),
                data: data.map(Bytes::from),
            })
        };
        let trap = Failure::Function(FunctionError::Trap { message: "inside".into() });
        let path = FunctionPath::parse("chat.js:send").expect("a path");
        let hidden = [
            application(None),
            application(Some("7")),
            trap,
            Failure::Arguments("inside".into()),
            Failure::Returns("inside".into()),
            Failure::Poisoned(DbError::new(ErrorCode::FunctionNotFound, "inside")),
            Failure::Missing(MissingFunction {
                visibility: Some(Visibility::Public),
                reason: "inside".into(),
            }),
        ];
        for failure in hidden {
            let full = failure.into_call_error(&path, "r1");
            assert!(full.message.contains("inside"), "{full}");
            let told = full.clone().redacted("r1");
            assert_eq!((told.message.as_str(), &told.data), ("[Request ID: r1] Server Error", &full.data));
        }
        let open = [
            Failure::NotFound { to_admin: false },
            Failure::WrongKind { is: FunctionKind::Query, called_as: FunctionKind::Action },
            Failure::Commit(SequenceError::DiskFull),
        ];
        for failure in open {
            let full = failure.into_call_error(&path, "r1");
            assert_eq!(full.clone().redacted("r1"), full);
        }
    }

    /// Clients begin a paginated query again when they read this.
    #[test]
    fn a_cursor_that_is_not_one_has_data_for_clients() {
        let invalid = || Failure::Poisoned(DbError::new(ErrorCode::InvalidCursor, "why"));
        let path = FunctionPath::parse("chat.js:send").expect("a path");
        for error in [message_of(invalid()).1, invalid().into_nested_error(&path)] {
            let data = error.data.expect("it has data");
            let data: serde_json::Value = serde_json::from_slice(&data).expect("it is JSON");
            let expected =
                serde_json::json!({"isConvexSystemError": true, "paginationError": "InvalidCursor"});
            assert_eq!(data, expected);
        }
    }

    #[test]
    fn what_the_store_refuses_is_told_with_what_to_do() {
        let too_large = SequenceError::TooLarge { size_bytes: 30, max_bytes: 20 };
        let cases = [
            (SequenceError::DiskFull, "DiskFull", "free some space", true),
            (SequenceError::Overloaded, "Overloaded", "again in a moment", true),
            (SequenceError::Closed, "ShuttingDown", "when it has started", true),
            (
                too_large,
                "CommitTooLarge",
                "writes 30 bytes, with what is stored about them, more than the 20",
                false,
            ),
        ];
        for (refusal, code, advice, retryable) in cases {
            let failure = Failure::Commit(refusal);
            assert_eq!(failure.is_independent_of_data(), retryable, "{code}");
            assert_eq!(failure.operator_message().is_some(), code == "Overloaded", "{code}");
            let (body, error) = message_of(failure);
            assert_eq!((error.code.as_str(), error.retryable, error.data), (code, retryable, None));
            assert!(body.starts_with(&format!("{code}: ")) && body.contains("`chat:send`"), "{body}");
            assert!(body.contains(advice), "{body}");
            assert!(!body.contains("folder") && !body.contains("store is"), "the store's own text: {body}");
        }
    }

    #[test]
    fn a_cursor_of_another_query_has_the_data_at_which_clients_begin_again() {
        let failure = Failure::Poisoned(DbError::new(ErrorCode::InvalidCursor, "why"));
        let data = message_of(failure).1.data.expect("it has data");
        let data: serde_json::Value = serde_json::from_slice(&data).expect("the data is JSON");
        let expected = serde_json::json!({ "isConvexSystemError": true, "paginationError": "InvalidCursor" });
        assert_eq!(data, expected);
    }

    #[test]
    fn what_is_missing_is_told_from_what_never_was() {
        let known =
            "The function 'chat:send' is deployed but cannot run: why. Deploy again, with `host deploy`.";
        let unknown = "Could not find public function for 'chat:send'; a part of what was deployed cannot run, and \
                       it may be in that: why. Deploy again, with `host deploy`.";
        for (visibility, text) in [(Some(Visibility::Public), known), (None, unknown)] {
            let missing = MissingFunction { visibility, reason: "why".into() };
            let (body, error) = message_of(Failure::Missing(missing));
            assert_eq!((body.as_str(), error.code.as_str()), (text, "FunctionMissing"));
        }
    }

    #[test]
    fn long_messages_are_cut() {
        let message = "é".repeat(ERROR_MESSAGE_BYTES_MAX);
        let (_, error) = message_of(Failure::Function(FunctionError::Trap { message }));
        assert!(error.message.len() <= ERROR_MESSAGE_BYTES_MAX + 3 && error.message.ends_with("..."));
    }
}
