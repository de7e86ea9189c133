//! The host's own tables. Their names begin with `_`, their numbers are reserved, and they exist in every database.
//!
//! Functions read them, but for `_variables`, as `ctx.db.system`; the host alone writes them, in transactions like any other.
use weir_value::TableNumber;

/// Indexes: `{table, tableNumber, number, name, fields, staged, state}`.
pub(crate) const INDEXES: TableNumber = TableNumber(1);
/// The deployment in force: one document, `{record, schema}`.
pub(crate) const DEPLOYMENTS: TableNumber = TableNumber(2);

/// Variables: `{name, value}`. Functions cannot read it as a table, because it holds secrets.
pub(crate) const VARIABLES: TableNumber = TableNumber(5);

/// The first number of an app's table.
pub(crate) const APP_TABLE_FIRST: u32 = 10_001;

/// Numbers and names. A number is never given to another table.
const TABLES: [(TableNumber, &str); 5] = [
    (INDEXES, "_indexes"),
    (DEPLOYMENTS, "_deployments"),
    (TableNumber(3), "_storage"),
    (TableNumber(4), "_scheduled_functions"),
    (VARIABLES, "_variables"),
];

/// The number of a system table.
pub(crate) fn number(name: &str) -> Option<TableNumber> {
    TABLES.iter().find(|(_, other)| *other == name).map(|(number, _)| *number)
}

/// The name of a system table.
pub(crate) fn name(number: TableNumber) -> Option<&'static str> {
    TABLES.iter().find(|(other, _)| *other == number).map(|(_, name)| *name)
}
