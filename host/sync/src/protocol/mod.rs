//! The messages of the sync protocol: what clients send, parsed strictly; what the server sends, written.
//!
//! Knows nothing of sessions: which message may come when, and what it does, is [`crate::session`]'s.
mod at_most;
mod call;
mod chunk;
mod client_info;
mod client_message;
mod close;
mod error;
mod parse;
mod server_message;

pub use at_most::AtMost;
pub use call::{ArgumentsError, ResolvedCall, named_arguments, resolve_call};
pub use chunk::split_transition;
pub use client_info::{ClientInfo, ClientInfoError};
pub use client_message::{
    AuthToken, ClientMessage, Connect, FunctionCall, ModifyQuerySet, QueryId, QuerySetModification,
    RequestId, StateVersion,
};
pub use close::CloseFrame;
pub use error::ProtocolError;
pub use parse::parse_client_message;
pub use server_message::{FailureBody, ServerMessage};
pub(crate) use server_message::{push_error_data, push_json_string, push_log_lines};
