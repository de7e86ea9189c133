//! Why a deployment was not put in force.
use thiserror::Error;
use weir_store::{ReadError, SequenceError};

use crate::{CommitError, DbError};

/// Why a deployment was not put in force. The one before stays.
#[derive(Debug, Clone, Error)]
pub enum DeploymentError {
    /// A document does not fit the schema.
    #[error(
        "Document with ID \"{id}\" in table \"{table}\" does not match the schema: {reason}\nThe deployment before \
         stays in force. Change the document or the schema, and deploy again."
    )]
    DocumentMismatch {
        /// Its table.
        table: String,
        /// Its id.
        id: String,
        /// Where in it, what was expected and what was found.
        reason: String,
    },
    /// The schema wants more than the database allows.
    #[error("the schema cannot be deployed: {}", .0.message)]
    Refused(DbError),
    /// Another deployment has begun since.
    #[error("another deployment has begun meanwhile: deploy again")]
    Superseded,
    /// The store takes no writes, or cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<DbError> for DeploymentError {
    fn from(error: DbError) -> Self {
        DeploymentError::Refused(error)
    }
}

impl From<ReadError> for DeploymentError {
    fn from(error: ReadError) -> Self {
        DeploymentError::Commit(error.into())
    }
}

impl From<SequenceError> for DeploymentError {
    fn from(error: SequenceError) -> Self {
        DeploymentError::Commit(error.into())
    }
}
