//! Objects that are made on the spot: for patches, and for the data of errors.

use serde::{Serialize, Serializer};

use crate::json::{self, JsonError};

/// The fields of an object, written as they are set; made by
/// [`fields!`](crate::fields). A field that is `undefined` is removed by a
/// patch, and nothing elsewhere may hold one.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// `"name":value,...`, without the braces.
    text: Vec<u8>,
    error: Option<JsonError>,
}

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field. A value that cannot be written is told when the fields are used.
    pub fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> &mut Self {
        match json::to_vec(value) {
            Ok(value) => self.put(name, &value),
            Err(error) => {
                self.error.get_or_insert(error);
                self
            }
        }
    }

    /// Sets a field to `undefined`, by which a patch removes it.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.put(name, br#"{"$undefined":null}"#)
    }

    fn put(&mut self, name: &str, value: &[u8]) -> &mut Self {
        if !self.text.is_empty() {
            self.text.push(b',');
        }
        // A string can always be written.
        self.text.extend_from_slice(&json::to_vec(name).unwrap_or_default());
        self.text.push(b':');
        self.text.extend_from_slice(value);
        self
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(error) = &self.error {
            return Err(serde::ser::Error::custom(error));
        }
        let mut object = Vec::with_capacity(self.text.len() + 2);
        object.push(b'{');
        object.extend_from_slice(&self.text);
        object.push(b'}');
        serializer.serialize_newtype_struct(json::RAW, &RawJson(&object))
    }
}

struct RawJson<'a>(&'a [u8]);

impl Serialize for RawJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// An object made on the spot, as [`Fields`]:
///
/// ```
/// use weir::prelude::*;
/// let balance = 5;
/// let changes = fields! { balance: balance - 1, "checkedAt": 12.5, note: undefined };
/// assert_eq!(
///     String::from_utf8(weir::json::to_vec(&changes).unwrap()).unwrap(),
///     r#"{"balance":4,"checkedAt":12.5,"note":{"$undefined":null}}"#,
/// );
/// ```
///
/// A name is an identifier, which goes out as it stands, or a string literal.
/// The value `undefined` makes a patch remove the field.
#[macro_export]
macro_rules! fields {
    (@set $fields:ident) => {};
    (@set $fields:ident $name:ident : undefined $(, $($rest:tt)*)?) => {
        $fields.remove(stringify!($name));
        $crate::fields!(@set $fields $($($rest)*)?);
    };
    (@set $fields:ident $name:literal : undefined $(, $($rest:tt)*)?) => {
        $fields.remove($name);
        $crate::fields!(@set $fields $($($rest)*)?);
    };
    (@set $fields:ident $name:ident : $value:expr $(, $($rest:tt)*)?) => {
        $fields.set(stringify!($name), &$value);
        $crate::fields!(@set $fields $($($rest)*)?);
    };
    (@set $fields:ident $name:literal : $value:expr $(, $($rest:tt)*)?) => {
        $fields.set($name, &$value);
        $crate::fields!(@set $fields $($($rest)*)?);
    };
    ($($body:tt)*) => {{
        #[allow(unused_mut, reason = "there may be no fields")]
        let mut fields = $crate::Fields::new();
        $crate::fields!(@set fields $($body)*);
        fields
    }};
}
