//! The host's own tables. Their names begin with `_`, their numbers are reserved, and they exist in every database.
//!
//! Functions read them as `ctx.db.system`, but for the private ones, which hold secrets; the host alone writes them, in
//! transactions like any other.
use weir_value::{ErrorCode, TableNumber};

use crate::DbError;

/// Indexes: `{table, tableNumber, number, name, fields, staged, state}`.
pub(crate) const INDEXES: TableNumber = TableNumber(1);
/// The deployment in force: one document, `{record, schema}`.
pub(crate) const DEPLOYMENTS: TableNumber = TableNumber(2);
/// Stored files, as Convex has them: `{sha256, size, contentType}`.
pub(crate) const STORAGE: TableNumber = TableNumber(3);
/// Scheduled functions, as Convex has them: `{name, args, scheduledTime, completedTime, state}`.
pub(crate) const SCHEDULED_FUNCTIONS: TableNumber = TableNumber(4);
/// Variables: `{name, value}`.
pub(crate) const VARIABLES: TableNumber = TableNumber(5);
/// Admin keys, as hashes: `{name, hash, scope, createdAt, expiresAt}`.
pub(crate) const ADMIN_KEYS: TableNumber = TableNumber(6);

/// Cron jobs: `{name, schedule, function, args, nextRun, state, lastRuns}`.
pub(crate) const CRON_JOBS: TableNumber = TableNumber(7);

/// Those that no function reads as a table, whoever calls it: they hold secrets.
const PRIVATE: [TableNumber; 2] = [VARIABLES, ADMIN_KEYS];

/// No table: what is counted under this number are the bytes of all stored files.
pub(crate) const STORAGE_BYTES: TableNumber = TableNumber(0);

/// The first number of an app's table.
pub(crate) const APP_TABLE_FIRST: u32 = 10_001;

/// Numbers and names. A number is never given to another table.
const TABLES: [(TableNumber, &str); 7] = [
    (INDEXES, "_indexes"),
    (DEPLOYMENTS, "_deployments"),
    (STORAGE, "_storage"),
    (SCHEDULED_FUNCTIONS, "_scheduled_functions"),
    (VARIABLES, "_variables"),
    (ADMIN_KEYS, "_admin_keys"),
    (CRON_JOBS, "_cron_jobs"),
];

/// The number of a system table.
pub(crate) fn number(name: &str) -> Option<TableNumber> {
    TABLES.iter().find(|(_, other)| *other == name).map(|(number, _)| *number)
}

/// The name of a system table.
pub(crate) fn name(number: TableNumber) -> Option<&'static str> {
    TABLES.iter().find(|(other, _)| *other == number).map(|(_, name)| *name)
}

/// Whether a table is one that functions cannot read. To them its documents' ids are none of this deployment.
pub(crate) fn is_private(number: TableNumber) -> bool {
    PRIVATE.contains(&number)
}

/// The error of a function that reads a private table.
pub(crate) fn private(name: &str) -> DbError {
    let hint = match number(name) == Some(VARIABLES) {
        true => {
            "; read a variable by its name: `process.env.NAME` in TypeScript, `ctx.env(\"NAME\")` in other languages"
        }
        false => "",
    };
    let message = format!("the system table `{name}` holds secrets and cannot be read by functions{hint}");
    DbError::new(ErrorCode::InvalidQuery, message)
}
