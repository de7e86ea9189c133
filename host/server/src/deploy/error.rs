//! Why a deployment did not take place.
//!
//! Not here: what a client is told with which status (see `http`).

use std::io;

use weir_db::{CommitError, DbError, DeploymentError, VariableReads, Variables};
use weir_outbound::RulesError;
use weir_store::SequenceError;

use crate::folders;

/// Why modules cannot be deployed; for the developer who sent them.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LoadFailure(pub String);

/// Why a deployment did not take place. The one before stays in force.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The request itself makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A module could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadFailure),
    /// A document does not fit the schema, or the schema cannot be had.
    #[error("{0}")]
    Schema(String),
    /// Who may vouch for users is said in a way that makes no sense.
    #[error("{0}")]
    Providers(String),
    /// What is to be opened to actions is not a host or a range.
    #[error("outbound: {0}")]
    Outbound(#[from] RulesError),
    /// A variable cannot be set.
    #[error("{}", .0.message)]
    Variables(DbError),
    /// Another deployment is under way.
    #[error("another deployment is under way: try again when it has ended")]
    Busy,
    /// There was no room for the components or for the record.
    #[error(
        "the disk that holds the data folder is full, and the deployment before stays in force: free some space on \
         it and deploy again ({0})"
    )]
    DiskFull(String),
    /// The record was written before it showed that there is no room for it.
    #[error(
        "the disk that holds the data folder is full: the deployment takes place by itself as soon as there is \
         room, until then the one before stays in force; free some space on it"
    )]
    WaitsForRoom,
    /// The component files could not be written.
    #[error("the component files cannot be written: {0}")]
    Files(io::Error),
    /// The record could not be written or read.
    #[error("the record of the deployment: {0}")]
    Record(String),
    /// The server stopped meanwhile.
    #[error("the server stopped before the deployment was in force: deploy again when it runs")]
    Lost,
    /// The deployment panicked.
    #[error("the host failed while it deployed, which is a bug: its log says more")]
    Panicked,
}

impl DeployError {
    /// The component files could not be written.
    pub(super) fn of_files(error: io::Error) -> DeployError {
        match folders::is_full(&error) {
            true => DeployError::DiskFull(error.to_string()),
            false => DeployError::Files(error),
        }
    }

    /// The record could not be written.
    pub(super) fn of_record(error: &CommitError) -> DeployError {
        match error {
            CommitError::Sequence(SequenceError::DiskFull) => {
                DeployError::DiskFull("the deployment could not be recorded".to_owned())
            }
            CommitError::Sequence(SequenceError::Closed) => DeployError::Lost,
            error => DeployError::Record(error.to_string()),
        }
    }

    /// The same without the values of variables: what modules say of providers they may have read from some.
    pub(super) fn masked(self, variables: &Variables, reads: &VariableReads) -> DeployError {
        match self {
            DeployError::Providers(text) => DeployError::Providers(variables.mask(reads, &text)),
            error => error,
        }
    }

    /// Whether it is the host that failed, and not whoever deploys.
    pub(super) fn is_of_host(&self) -> bool {
        match self {
            DeployError::Invalid(_)
            | DeployError::Load(_)
            | DeployError::Schema(_)
            | DeployError::Providers(_)
            | DeployError::Outbound(_)
            | DeployError::Variables(_)
            | DeployError::Busy => false,
            DeployError::DiskFull(_)
            | DeployError::WaitsForRoom
            | DeployError::Files(_)
            | DeployError::Record(_)
            | DeployError::Lost
            | DeployError::Panicked => true,
        }
    }
}

impl From<DeploymentError> for DeployError {
    fn from(error: DeploymentError) -> Self {
        match error {
            DeploymentError::DocumentMismatch { .. } | DeploymentError::Refused(_) => {
                DeployError::Schema(error.to_string())
            }
            DeploymentError::Superseded => DeployError::Busy,
            DeploymentError::Commit(error) => DeployError::of_record(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let full = DeployError::of_files(io::Error::from(io::ErrorKind::StorageFull)).to_string();
        assert!(
            full.contains("full") && full.contains("stays in force") && full.contains("deploy again"),
            "{full}"
        );
        let denied = DeployError::of_files(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(matches!(denied, DeployError::Files(_)), "{denied}");
        let refused = |error| DeployError::of_record(&CommitError::Sequence(error));
        assert!(matches!(refused(SequenceError::DiskFull), DeployError::DiskFull(_)));
        assert!(matches!(refused(SequenceError::Closed), DeployError::Lost));
        assert!(matches!(refused(SequenceError::Overloaded), DeployError::Record(_)));
    }
}
