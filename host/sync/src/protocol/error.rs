//! What a client can do wrong on a connection. Each ends it.
use thiserror::Error;

use super::QueryId;

/// The client broke the protocol. The text goes out in a `FatalError`, which the npm client never recovers
/// from: only for what no correct client sends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProtocolError {
    /// The frame is not a message.
    #[error("WSMessageInvalidJson: {0}")]
    InvalidMessage(String),
    /// The frame is not text.
    #[error("WSMessageInvalidJson: messages are text frames, this one is binary")]
    BinaryFrame,
    /// Something came before `Connect`.
    #[error("ConnectExpected: the first message of a connection is Connect, this one is {0}")]
    NotConnected(&'static str),
    /// A second `Connect`.
    #[error("AlreadyConnected: Connect comes once, as the first message of a connection")]
    AlreadyConnected,
    /// A change that starts from a version that is not the current one.
    #[error(
        "BaseVersionMismatch: {message} has baseVersion {sent}, but version {current} is the last one received"
    )]
    BaseVersionMismatch {
        /// Which message.
        message: &'static str,
        /// Its base version.
        sent: u32,
        /// What it should have been.
        current: u32,
    },
    /// A change that leads nowhere.
    #[error(
        "InvalidNewVersion: ModifyQuerySet leads from version {base} to {new}; newVersion must be larger than baseVersion"
    )]
    InvalidNewVersion {
        /// The base version.
        base: u32,
        /// Not larger than it.
        new: u32,
    },
    /// A query id that is in use already.
    #[error("DuplicateQueryId: query {0} is in the query set already; each Add needs a new queryId")]
    DuplicateQueryId(QueryId),
    /// A query id that is not in use.
    #[error("UnknownQueryId: query {0} is not in the query set, so it cannot be removed")]
    UnknownQueryId(QueryId),
    /// More changes in one message than are taken.
    #[error("TooManyModifications: one ModifyQuerySet holds {count} modifications, at most {max} are taken")]
    TooManyModifications {
        /// How many there are.
        count: usize,
        /// How many may be.
        max: usize,
    },
    /// More queries than one connection may watch.
    #[error("TooManyQueries: a connection watches at most {max} queries")]
    TooManyQueries {
        /// How many may be.
        max: usize,
    },
}
