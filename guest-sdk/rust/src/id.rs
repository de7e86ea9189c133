//! Ids of documents.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Value;

/// A type whose values are the documents of one table; made by
/// [`#[document("table")]`](crate::document).
pub trait Table {
    /// The table's name.
    const TABLE: &'static str;
}

/// The id of a document that holds a `T`. With a `T` that has a table
/// ([`Table`]), an argument of this type is checked against that table by the host.
/// An `Id` alone is the id of any document.
pub struct Id<T = Value> {
    text: Box<str>,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// An id from its text. Whether it is one is found out when it is used.
    pub fn from_text(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), of: PhantomData }
    }

    /// The id's text, as clients see it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same id, as that of a document that holds a `U`.
    pub fn cast<U>(self) -> Id<U> {
        Id::from_text(self.text)
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// Written out, because deriving these would ask the same of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        Self::from_text(self.text.clone())
    }
}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer).map(Self::from_text)
    }
}
