//! The host's own tables. Their names begin with `_`, their numbers are reserved, and they exist in every database.
//!
//! Functions read them as `ctx.db.system`, but for the private ones, which hold secrets; the host alone writes them, in
//! transactions like any other. Some of them each component has for itself; their numbers say whose they are.
use weir_value::{ErrorCode, TableNumber};

use crate::DbError;
use crate::keyspace::Namespace;

/// Indexes: `{table, tableNumber, number, name, fields, staged, state}`.
pub(crate) const INDEXES: TableNumber = TableNumber(1);
/// The deployment in force: one document, `{record, schema}`.
pub(crate) const DEPLOYMENTS: TableNumber = TableNumber(2);
/// Stored files, as Convex has them: `{sha256, size, contentType}`. The app's; see [`of`].
pub(crate) const STORAGE: TableNumber = TableNumber(3);
/// Scheduled functions, as Convex has them: `{name, args, scheduledTime, completedTime, state}`. The app's; see [`of`].
pub(crate) const SCHEDULED_FUNCTIONS: TableNumber = TableNumber(4);
/// Variables: `{name, value}`.
pub(crate) const VARIABLES: TableNumber = TableNumber(5);
/// Admin keys, as hashes: `{name, hash, scope, createdAt, expiresAt}`.
pub(crate) const ADMIN_KEYS: TableNumber = TableNumber(6);
/// Cron jobs: `{name, schedule, function, args, nextRun, state, lastRuns}`. The app's; see [`of`].
pub(crate) const CRON_JOBS: TableNumber = TableNumber(7);
/// The components that have a namespace: `{path, namespace, state}`.
pub(crate) const COMPONENTS: TableNumber = TableNumber(8);

/// Those that no function reads as a table, whoever calls it: they hold secrets.
const PRIVATE: [TableNumber; 2] = [VARIABLES, ADMIN_KEYS];

/// Those that each component has for itself.
const OF_EACH_COMPONENT: [TableNumber; 3] = [STORAGE, SCHEDULED_FUNCTIONS, CRON_JOBS];

/// No table: what is counted under this number are the bytes of all stored files.
pub(crate) const STORAGE_BYTES: TableNumber = TableNumber(0);

/// The first number of an app's or a component's own table.
pub(crate) const APP_TABLE_FIRST: u32 = 10_001;

/// The first number of a component's system tables: behind it are [`PER_COMPONENT`] for each namespace.
const COMPONENT_TABLE_FIRST: u32 = 1 << 31;
/// How many numbers a component has for its system tables.
const PER_COMPONENT: u32 = 16;

/// Numbers and names. A number is never given to another table.
const TABLES: [(TableNumber, &str); 8] = [
    (INDEXES, "_indexes"),
    (DEPLOYMENTS, "_deployments"),
    (STORAGE, "_storage"),
    (SCHEDULED_FUNCTIONS, "_scheduled_functions"),
    (VARIABLES, "_variables"),
    (ADMIN_KEYS, "_admin_keys"),
    (CRON_JOBS, "_cron_jobs"),
    (COMPONENTS, "_components"),
];

/// A component's own table of this kind, which is one of the app's.
pub(crate) fn of(namespace: Namespace, kind: TableNumber) -> TableNumber {
    match namespace {
        Namespace::APP => kind,
        Namespace(number) => TableNumber(COMPONENT_TABLE_FIRST + number * PER_COMPONENT + kind.0),
    }
}

/// Whose a system table is, and of which kind; `None` if it is none.
fn split(number: TableNumber) -> Option<(Namespace, TableNumber)> {
    match number.0.checked_sub(COMPONENT_TABLE_FIRST) {
        None => (number.0 < APP_TABLE_FIRST).then_some((Namespace::APP, number)),
        Some(rest) => Some((Namespace(rest / PER_COMPONENT), TableNumber(rest % PER_COMPONENT))),
    }
}

/// Whose a system table is; `None` if it is none.
pub(crate) fn namespace(number: TableNumber) -> Option<Namespace> {
    split(number).map(|(namespace, _)| namespace)
}

/// Whether this is the table of this kind of the app or of some component.
pub(crate) fn is_kind(number: TableNumber, kind: TableNumber) -> bool {
    split(number).is_some_and(|(_, of)| of == kind)
}

/// The number of a system table, as it is named in a namespace.
pub(crate) fn number(namespace: Namespace, name: &str) -> Option<TableNumber> {
    let kind = TABLES.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind)?;
    (namespace == Namespace::APP || OF_EACH_COMPONENT.contains(&kind)).then(|| of(namespace, kind))
}

/// Whose a system table is, and its name there.
pub(crate) fn name(number: TableNumber) -> Option<(Namespace, &'static str)> {
    let (namespace, kind) = split(number)?;
    let (_, name) = TABLES.iter().find(|(other, _)| *other == kind)?;
    (namespace == Namespace::APP || OF_EACH_COMPONENT.contains(&kind)).then_some((namespace, *name))
}

/// Whether a table is one that functions cannot read. To them its documents' ids are none of this deployment.
pub(crate) fn is_private(number: TableNumber) -> bool {
    PRIVATE.contains(&number)
}

/// The error of a function that reads a private table.
pub(crate) fn private(name: &str) -> DbError {
    let hint = match name == "_variables" {
        true => {
            "; read a variable by its name: `process.env.NAME` in TypeScript, `ctx.env(\"NAME\")` in other languages"
        }
        false => "",
    };
    let message = format!("the system table `{name}` holds secrets and cannot be read by functions{hint}");
    DbError::new(ErrorCode::InvalidQuery, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_component_has_some_system_tables_of_its_own() {
        let part = Namespace(7);
        for (kind, table) in TABLES {
            assert_eq!(number(Namespace::APP, table), Some(kind));
            assert_eq!(name(kind), Some((Namespace::APP, table)));
            let own = number(part, table);
            assert_eq!(own.is_some(), OF_EACH_COMPONENT.contains(&kind), "{table}");
            if let Some(own) = own {
                assert_eq!(name(own), Some((part, table)));
                assert!(is_kind(own, kind) && own != kind && !is_private(own));
                assert_ne!(number(Namespace(8), table), Some(own));
            }
        }
        assert_eq!(name(of(part, VARIABLES)), None);
        assert_eq!((name(TableNumber(0)), name(TableNumber(10_001))), (None, None));
        assert!(!is_kind(TableNumber(10_003), STORAGE));
    }
}
