//! The module's schema: the tables that document types declare, with their indexes, as they stand in the manifest.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::validator::Validator;

/// A table as [`#[document]`](crate::document) registers it.
#[doc(hidden)]
pub struct DeclaredTable {
    pub name: &'static str,
    /// The path of the document's type, for messages.
    pub holder: &'static str,
    pub document: fn() -> Validator,
    pub indexes: &'static [DeclaredIndex],
}

/// An index of a declared table.
#[doc(hidden)]
pub struct DeclaredIndex {
    pub name: &'static str,
    /// The paths of its fields, without the creation time.
    pub fields: &'static [&'static str],
    pub staged: bool,
}

inventory::collect!(DeclaredTable);

/// Convex's JSON form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schema {
    schema_validation: bool,
    tables: Vec<Table>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Table {
    table_name: &'static str,
    indexes: Vec<Index>,
    staged_db_indexes: Vec<Index>,
    document_type: Validator,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Index {
    index_descriptor: &'static str,
    fields: &'static [&'static str],
}

/// The tables that types declare, by their names; `None` if there are none.
///
/// # Panics
/// If two types declare a table differently, or an index is on a field that no document has.
pub(crate) fn declared() -> Option<Schema> {
    let mut tables: BTreeMap<&'static str, (&'static str, Table)> = BTreeMap::new();
    for declared in inventory::iter::<DeclaredTable> {
        let table = declared.read();
        if let Some((other, earlier)) = tables.get(declared.name) {
            assert!(
                *earlier == table,
                "the types `{other}` and `{}` declare the table `{name}` differently: write \
                 `#[document(\"{name}\", undeclared)]` at the one that only reads it",
                declared.holder,
                name = declared.name,
            );
        }
        tables.insert(declared.name, (declared.holder, table));
    }
    let tables: Vec<Table> = tables.into_values().map(|(_, table)| table).collect();
    (!tables.is_empty()).then_some(Schema { schema_validation: true, tables })
}

impl DeclaredTable {
    fn read(&self) -> Table {
        let document_type = (self.document)();
        for index in self.indexes {
            for path in index.fields {
                assert!(
                    document_type.may_have(path),
                    "the index `{}` of the table `{}` is on `{path}`, but a `{}` has no such field",
                    index.name,
                    self.name,
                    self.holder,
                );
            }
        }
        Table {
            table_name: self.name,
            indexes: self.indexes_that(|index| !index.staged),
            staged_db_indexes: self.indexes_that(|index| index.staged),
            document_type,
        }
    }

    fn indexes_that(&self, is_wanted: impl Fn(&DeclaredIndex) -> bool) -> Vec<Index> {
        let wanted = self.indexes.iter().filter(|index| is_wanted(index));
        wanted.map(|index| Index { index_descriptor: index.name, fields: index.fields }).collect()
    }
}

impl Validator {
    /// Whether a value that this accepts can have something at a path of fields, with dots.
    fn may_have(&self, path: &str) -> bool {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let goes_on = |validator: &Validator| rest.is_none_or(|rest| validator.may_have(rest));
        match self {
            Validator::Any => true,
            Validator::Object(fields) => {
                fields.iter().any(|(name, field)| *name == first && goes_on(&field.validator))
            }
            Validator::Record(record) => goes_on(&record.values),
            Validator::Union(members) => members.iter().any(|member| member.may_have(path)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn a_path_leads_through_objects_and_what_may_be_one() {
        let inner = Validator::object([("owner", <Option<String>>::field())]);
        let field = |validator| crate::Field { validator, optional: true };
        let meta = Validator::union([inner, Validator::Null]);
        let record = <BTreeMap<String, f64>>::validator();
        let document = Validator::object([
            ("meta", field(meta)),
            ("counts", field(record)),
            ("any", field(Validator::Any)),
        ]);
        for path in ["meta", "meta.owner", "counts.x", "any.thing.at.all"] {
            assert!(document.may_have(path), "{path}");
        }
        for path in ["metal", "meta.ownr", "meta.owner.name", "counts.x.y"] {
            assert!(!document.may_have(path), "{path}");
        }
    }
}
