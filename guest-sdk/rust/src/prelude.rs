//! All that most modules need: `use weir::prelude::*;`.

pub use crate::db::Order::{self, Asc, Desc};
pub use crate::db::{PaginationOptions, PaginationResult};
pub use crate::http::{Body, Headers, Redirect, Request, Response};
pub use crate::{
    ActionCtx, Bytes, CommitTimestamp, Component, Context, Crons, Daily, Doc, Error, Fields, FileContent,
    FileMetadata, Hourly, Id, Identity, Monthly, MutationCtx, NewFile, NoArgs, QueryCtx, Result,
    ScheduledFunction, ScheduledState, Shape, StoredFile, Table, Value, Weekday, Weekly, action, bail,
    bail_with, component, crons, debug, document, ensure, error, fields, http_action, info, log, mutation,
    query, value, warn,
};
