//! All that most modules need: `use weir::prelude::*;`.

pub use crate::db::Order::{self, Asc, Desc};
pub use crate::db::{PaginationOptions, PaginationResult};
pub use crate::{
    Bytes, Context, Crons, Daily, Doc, Error, Fields, Hourly, Id, Identity, Monthly, MutationCtx, QueryCtx,
    Result, ScheduledFunction, ScheduledState, Shape, Table, Value, Weekday, Weekly, bail, bail_with, crons,
    debug, document, ensure, error, fields, info, log, mutation, query, value, warn,
};
