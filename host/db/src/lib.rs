//! The database: tables, documents, transactions, read sets, the committer, and calls of functions.
//!
//! A [`Database`] stands on a [`weir_store::Store`] and runs functions through the [`Functions`] trait. A
//! query reads at a snapshot it is given; a mutation reads at the newest sequenced commit, and commits if
//! nothing that it read has changed since. What a call returns is *sequenced*, not yet durable: whoever
//! answers a client waits until `store.durable()` has reached the outcome's timestamp.
//!
//! **Invariant:** nothing here names a storage engine, a WebAssembly engine, a socket or an async runtime;
//! no call waits for a disk; no clock is read and no random number drawn except through [`weir_store::Env`].
mod action;
mod address;
mod admin_keys;
mod call;
mod call_options;
mod catalog;
mod check;
mod commit_timestamp;
mod committer;
mod components;
mod crons;
mod database;
mod deployed;
mod deployment;
mod entropy;
mod error;
mod execution;
mod files;
mod functions;
mod index;
mod jobs;
mod keyspace;
mod log_lines;
mod long_turns;
mod missing;
mod mutation;
pub mod native;
mod nested;
mod passwords;
mod principal;
mod query;
mod read_set;
mod record_age;
mod run_observer;
mod scan_all;
mod schemas;
mod session_highs;
mod session_requests;
mod signing;
mod stats;
mod sweep;
mod system_functions;
mod system_tables;
mod teardown;
#[cfg(test)]
mod testing;
mod trace;
mod transaction;
mod variables;
mod write_buffer;

pub use action::{
    ActionCall, ActionHost, ActionOutcome, Body, BodyError, BodyStream, Completion, Ended, Ends, FileToStore,
    GivesUp, HostFuture, HttpExchange, HttpRequest, HttpResponse, NodeBundle, NodeRunner, Redirect,
    Responder, Route, RoutePath, RunningAction, TaskOutcome, WaitTime, not_in_action, not_of_this_deployment,
};
pub use admin_keys::{ADMIN_KEY_HASH_BYTES, AdminKeyError, AdminKeyRecord, NewAdminKey};
pub use call::{Call, MutationOutcome, QueryOutcome};
pub use call_options::CallOptions;
pub use check::{DbCheck, check};
pub use committer::CommitError;
pub use components::ComponentSummary;
pub use crons::{Cron, CronSchedule};
pub use database::{Database, DbOpenError, DeploymentVersion, NoFunctions};
pub use deployment::{DeploymentError, IndexWork, PreparedDeployment, Progress};
pub use error::{CallError, DbError, FunctionError};
pub use files::{
    FileError, FileLimits, FileRemovals, NewFile, RemovedFile, StoredFile, UploadToken, parse_sha256,
};
pub use functions::{Deployment, FunctionInfo, FunctionKind, Functions, Visibility};
pub use jobs::{DueJobs, JobStep, ScheduledJob, earliest_due_job};
pub use keyspace::Namespace;
pub use log_lines::LogLevel;
pub use missing::{MissingFunction, MissingFunctions};
pub use mutation::MutationStep;
pub use nested::NestedCall;
pub use passwords::{PasswordResult, PasswordResults, PasswordWork};
pub use principal::{Access, Principal, Scope};
pub use query::Batch;
pub use read_set::{KeyRange, ReadSet};
pub use run_observer::RunObserver;
pub use schemas::Schemas;
pub use session_requests::SessionRequest;
pub use signing::{SigningError, TokenSigner};
pub use stats::DbStats;
pub use sweep::SweepPass;
pub use system_functions::SystemFunctions;
pub use teardown::Teardown;
pub use trace::{Read, Trace, Written};
pub use transaction::{CallContext, SubTransaction, Transaction, Usage, digest};
pub use variables::{BUILT_IN_VARIABLES, VariableChanges, VariableReads, Variables, VariablesError};
