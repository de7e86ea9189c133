//! All that most modules need: `use weir::prelude::*;`.

pub use crate::db::Order::{self, Asc, Desc};
pub use crate::db::{PaginationOptions, PaginationResult};
pub use crate::http::{Body, Headers, Redirect, Request, Response};
pub use crate::{
    ActionCtx, Bytes, Context, Doc, Error, Fields, Id, Identity, MutationCtx, QueryCtx, Result,
    ScheduledFunction, ScheduledState, Shape, Table, Value, action, bail, bail_with, debug, document, ensure,
    error, fields, http_action, info, log, mutation, query, value, warn,
};
