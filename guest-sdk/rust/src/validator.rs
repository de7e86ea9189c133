//! Validators: what the host checks arguments and results against, as they
//! stand in the manifest. They are made from types, by the trait [`Shape`].

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::fields::Fields;
use crate::id::Table;
use crate::{Bytes, CommitTimestamp, Doc, Id, Value};

/// What a value must be like. Written as JSON it has Convex's form.
#[derive(Debug, Clone, PartialEq)]
pub enum Validator {
    /// `null` alone.
    Null,
    /// A number; all of a JavaScript client's `number`s are such.
    Number,
    /// A 64-bit integer.
    Bigint,
    /// `true` or `false`.
    Boolean,
    /// A text.
    String,
    /// Bytes.
    Bytes,
    /// Everything.
    Any,
    /// Exactly this text.
    Literal(&'static str),
    /// The id of a document in this table.
    Id(&'static str),
    /// A list whose items are all like this.
    Array(Box<Validator>),
    /// An object with these fields and no others.
    Object(Vec<(&'static str, Field)>),
    /// An object with any fields, alike in their names and values.
    Record(Box<Record>),
    /// Like at least one of these.
    Union(Vec<Validator>),
}

/// A [`Validator`] of objects with any fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What the names must be like: texts or ids.
    pub keys: Validator,
    /// What the values must be like.
    pub values: Validator,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Field {
    /// What its value must be like.
    #[serde(rename = "fieldType")]
    pub validator: Validator,
    /// Whether it may be missing.
    pub optional: bool,
}

impl Serialize for Validator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Validator", 3)?;
        object.serialize_field("type", self.type_name())?;
        match self {
            Validator::Literal(text) => object.serialize_field("value", text)?,
            Validator::Id(table) => object.serialize_field("tableName", table)?,
            Validator::Array(items) => object.serialize_field("value", items)?,
            Validator::Object(fields) => object.serialize_field("value", &FieldMap(fields))?,
            Validator::Union(members) => object.serialize_field("value", members)?,
            Validator::Record(record) => {
                object.serialize_field("keys", &record.keys)?;
                let values = Field { validator: record.values.clone(), optional: false };
                object.serialize_field("values", &values)?;
            }
            _ => {}
        }
        object.end()
    }
}

/// Fields, written as one object.
struct FieldMap<'a>(&'a [(&'static str, Field)]);

impl Serialize for FieldMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, field)| (name, field)))
    }
}

/// A type that the host can check values against. `#[derive(Shape)]`,
/// [`#[value]`](crate::value) and [`#[document]`](crate::document) implement it.
pub trait Shape {
    /// What its values are like.
    fn validator() -> Validator;

    /// What a field of this type is like: only an `Option` is optional.
    fn field() -> Field {
        Field { validator: Self::validator(), optional: false }
    }
}

impl Validator {
    fn type_name(&self) -> &'static str {
        match self {
            Validator::Null => "null",
            Validator::Number => "number",
            Validator::Bigint => "bigint",
            Validator::Boolean => "boolean",
            Validator::String => "string",
            Validator::Bytes => "bytes",
            Validator::Any => "any",
            Validator::Literal(_) => "literal",
            Validator::Id(_) => "id",
            Validator::Array(_) => "array",
            Validator::Object(_) => "object",
            Validator::Record(_) => "record",
            Validator::Union(_) => "union",
        }
    }

    /// The validator of a type by its name, made by `make`. A type that holds
    /// itself is `Any` within itself, as validators have no recursion.
    #[doc(hidden)]
    pub fn named(name: &'static str, make: impl FnOnce() -> Validator) -> Validator {
        thread_local!(static UNDER_WAY: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });
        if UNDER_WAY.with_borrow(|names| names.contains(&name)) {
            return Validator::Any;
        }
        UNDER_WAY.with_borrow_mut(|names| names.push(name));
        let validator = make();
        UNDER_WAY.with_borrow_mut(Vec::pop);
        validator
    }

    /// The validator of an object that holds the fields of all of these, which
    /// must be objects, or unions of objects; `Any` if one is not.
    #[doc(hidden)]
    pub fn merged(self, other: Validator) -> Validator {
        match (self, other) {
            (Validator::Object(mut fields), Validator::Object(more)) => {
                for (name, field) in more {
                    fields.retain(|(earlier, _)| *earlier != name);
                    fields.push((name, field));
                }
                Validator::Object(fields)
            }
            (Validator::Union(members), other) => {
                Validator::union(members.into_iter().map(|member| member.merged(other.clone())))
            }
            (object @ Validator::Object(_), Validator::Union(members)) => {
                Validator::union(members.into_iter().map(|member| object.clone().merged(member)))
            }
            _ => Validator::Any,
        }
    }

    /// A union without members of its own kind; what accepts everything wins.
    #[doc(hidden)]
    pub fn union(members: impl IntoIterator<Item = Validator>) -> Validator {
        let mut flat: Vec<Validator> = Vec::new();
        for member in members {
            match member {
                Validator::Any => return Validator::Any,
                Validator::Union(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        let mut distinct: Vec<Validator> = Vec::with_capacity(flat.len());
        for member in flat {
            if !distinct.contains(&member) {
                distinct.push(member);
            }
        }
        match distinct.len() {
            1 => distinct.remove(0),
            _ => Validator::Union(distinct),
        }
    }

    /// The validator of an object with these fields.
    #[doc(hidden)]
    pub fn object(fields: impl IntoIterator<Item = (&'static str, Field)>) -> Validator {
        Validator::Object(fields.into_iter().collect())
    }
}

macro_rules! shapes {
    ($($validator:ident: $($type:ty)*;)*) => {$($(
        impl Shape for $type {
            fn validator() -> Validator {
                Validator::$validator
            }
        }
    )*)*};
}

shapes! {
    Null: ();
    Number: i8 i16 i32 u8 u16 u32 f32 f64;
    Bigint: i64 u64 isize usize CommitTimestamp;
    Boolean: bool;
    String: String str char;
    Bytes: Bytes;
    Any: Value Fields;
}

macro_rules! transparent_shapes {
    ($($type:ty),*) => {$(
        impl<T: Shape + ?Sized> Shape for $type {
            fn validator() -> Validator {
                T::validator()
            }

            fn field() -> Field {
                T::field()
            }
        }
    )*};
}

transparent_shapes!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Shape> Shape for Option<T> {
    fn validator() -> Validator {
        Validator::union([T::validator(), Validator::Null])
    }

    fn field() -> Field {
        Field { validator: T::validator(), optional: true }
    }
}

impl<T: Shape> Shape for [T] {
    fn validator() -> Validator {
        Validator::Array(Box::new(T::validator()))
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn validator() -> Validator {
        <[T]>::validator()
    }
}

impl<T: Shape, const N: usize> Shape for [T; N] {
    fn validator() -> Validator {
        <[T]>::validator()
    }
}

impl<A: Shape, B: Shape> Shape for (A, B) {
    fn validator() -> Validator {
        Validator::Array(Box::new(Validator::union([A::validator(), B::validator()])))
    }
}

impl<A: Shape, B: Shape, C: Shape> Shape for (A, B, C) {
    fn validator() -> Validator {
        let members = [A::validator(), B::validator(), C::validator()];
        Validator::Array(Box::new(Validator::union(members)))
    }
}

fn record<K: Shape, V: Shape>() -> Validator {
    Validator::Record(Box::new(Record { keys: K::validator(), values: V::validator() }))
}

impl<K: Shape, V: Shape> Shape for BTreeMap<K, V> {
    fn validator() -> Validator {
        record::<K, V>()
    }
}

impl<K: Shape, V: Shape, S> Shape for HashMap<K, V, S> {
    fn validator() -> Validator {
        record::<K, V>()
    }
}

impl<T: Table> Shape for Id<T> {
    fn validator() -> Validator {
        Validator::Id(T::TABLE)
    }
}

/// An id of any table is a text like others: the host finds out on its use.
impl Shape for Id<Value> {
    fn validator() -> Validator {
        Validator::String
    }
}

impl<T: Shape + DocumentId> Shape for Doc<T> {
    fn validator() -> Validator {
        let id = Field { validator: T::id_validator(), optional: false };
        let system = [("_id", id), ("_creationTime", f64::field())];
        Validator::object(system).merged(T::validator())
    }
}

/// What the ids of documents that hold this are like.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `Doc<{Self}>` can be a result only if `{Self}` has a table",
    note = "declare it with `#[document(\"table\")]`"
)]
pub trait DocumentId {
    /// The validator.
    fn id_validator() -> Validator;
}

impl<T: Table> DocumentId for T {
    fn id_validator() -> Validator {
        <Id<T>>::validator()
    }
}

impl DocumentId for Value {
    fn id_validator() -> Validator {
        Validator::String
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn text<T: Shape + ?Sized>() -> String {
        String::from_utf8(json::to_vec(&T::validator()).unwrap()).unwrap()
    }

    struct User;

    impl Table for User {
        const TABLE: &'static str = "users";
    }

    #[test]
    fn validators_have_convexs_form() {
        let cases = [
            (text::<()>(), r#"{"type":"null"}"#),
            (text::<u32>(), r#"{"type":"number"}"#),
            (text::<i64>(), r#"{"type":"bigint"}"#),
            (text::<bool>(), r#"{"type":"boolean"}"#),
            (text::<str>(), r#"{"type":"string"}"#),
            (text::<Bytes>(), r#"{"type":"bytes"}"#),
            (text::<Value>(), r#"{"type":"any"}"#),
            (text::<Id<User>>(), r#"{"tableName":"users","type":"id"}"#),
            (
                text::<Vec<Vec<bool>>>(),
                r#"{"type":"array","value":{"type":"array","value":{"type":"boolean"}}}"#,
            ),
            (text::<Option<f64>>(), r#"{"type":"union","value":[{"type":"number"},{"type":"null"}]}"#),
            (text::<Option<Value>>(), r#"{"type":"any"}"#),
            (
                text::<BTreeMap<String, i32>>(),
                r#"{"keys":{"type":"string"},"type":"record","values":{"fieldType":{"type":"number"},"optional":false}}"#,
            ),
            (text::<Doc<Value>>(), r#"{"type":"any"}"#),
        ];
        for (written, expected) in cases {
            assert_eq!(written, expected);
        }
        let literal = json::to_vec(&Validator::Literal("a")).unwrap();
        assert_eq!(literal, br#"{"type":"literal","value":"a"}"#);
        let object = Validator::object([("a", <Option<bool>>::field())]);
        let expected = r#"{"type":"object","value":{"a":{"fieldType":{"type":"boolean"},"optional":true}}}"#;
        assert_eq!(String::from_utf8(json::to_vec(&object).unwrap()).unwrap(), expected);
    }
}
