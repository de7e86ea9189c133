//! Ranges of an index: which part of it a query reads.
//!
//! There are three kinds: of an index that a document type declares, whose fields and their types are known; of an
//! index by its name, whose fields are named; and of the two indexes that every table has.

use std::marker::PhantomData;

use serde::Serialize;

use super::index::{Index, IndexValue};
use crate::Id;
use crate::json::{self, JsonError};

/// The bounds of a range as JSON, without the array's end, and what is wrong with one of them.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    pub(super) text: Vec<u8>,
    pub(super) error: Option<JsonError>,
}

impl Bounds {
    fn add(&mut self, operator: &str, field: &str, value: Result<Vec<u8>, JsonError>) {
        let value = match value {
            Ok(value) => value,
            Err(error) => {
                self.error.get_or_insert(error);
                return;
            }
        };
        self.text.extend_from_slice(if self.text.is_empty() { b"[" } else { b"," });
        self.text.extend_from_slice(br#"{"op":""#);
        self.text.extend_from_slice(operator.as_bytes());
        self.text.extend_from_slice(br#"","field":"#);
        // A text can always be written.
        self.text.extend_from_slice(&json::to_vec(field).unwrap_or_default());
        self.text.extend_from_slice(br#","value":"#);
        self.text.extend_from_slice(&value);
        self.text.push(b'}');
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A range that can be read: of an index with as many of its fields bounded as one likes.
pub trait AnyRange: sealed::Sealed {
    #[doc(hidden)]
    fn into_text(self) -> (Vec<u8>, Option<JsonError>);
}

/// An index to read a table by: a constant that [`#[document]`](crate::document) made, or a name.
pub trait AnyIndex<T> {
    /// What its range is made with.
    type Range;

    #[doc(hidden)]
    fn into_parts(self) -> (String, Self::Range);
}

impl<T, F> AnyIndex<T> for Index<T, F> {
    type Range = IndexRange<F>;

    fn into_parts(self) -> (String, IndexRange<F>) {
        let range = IndexRange { bounds: Bounds::default(), fields: self.fields(), of: PhantomData };
        (self.name().to_owned(), range)
    }
}

impl<T> AnyIndex<T> for &str {
    type Range = NamedRange;

    fn into_parts(self) -> (String, NamedRange) {
        (self.to_owned(), NamedRange { bounds: Bounds::default() })
    }
}

macro_rules! ranges {
    ($([$($generics:tt)*] $range:ty;)*) => {$(
        impl<$($generics)*> sealed::Sealed for $range {}

        impl<$($generics)*> AnyRange for $range {
            fn into_text(self) -> (Vec<u8>, Option<JsonError>) {
                (self.bounds.text, self.bounds.error)
            }
        }
    )*};
}

ranges! {
    [F] IndexRange<F>;
    [A] LowerBounded<A>;
    [A] UpperBounded<A>;
    [] Bounded;
    [] NamedRange;
    [V] Range<V>;
}

/// A range of an index whose fields are known, of which those in `F` can still be bounded: first any of them to one
/// value, with [`eq`](IndexRange::eq), in the order of the index; then the next one from below and from above.
#[derive(Debug)]
#[must_use = "give the range back from the closure"]
pub struct IndexRange<F> {
    bounds: Bounds,
    fields: &'static [&'static str],
    of: PhantomData<fn() -> F>,
}

/// A range whose last field is bounded from below.
#[derive(Debug)]
#[must_use = "give the range back from the closure"]
pub struct LowerBounded<A> {
    bounds: Bounds,
    field: &'static str,
    of: PhantomData<fn() -> A>,
}

/// A range whose last field is bounded from above.
#[derive(Debug)]
#[must_use = "give the range back from the closure"]
pub struct UpperBounded<A> {
    bounds: Bounds,
    field: &'static str,
    of: PhantomData<fn() -> A>,
}

/// A range whose last field is bounded from below and from above.
#[derive(Debug)]
#[must_use = "give the range back from the closure"]
pub struct Bounded {
    bounds: Bounds,
}

impl<A, Rest> IndexRange<(A, Rest)> {
    /// Only documents whose next field has this value; a `None` means those without the field.
    pub fn eq(self, value: impl IndexValue<A>) -> IndexRange<Rest> {
        let Self { mut bounds, fields, .. } = self;
        bounds.add("eq", fields[0], value.to_index_json());
        IndexRange { bounds, fields: &fields[1..], of: PhantomData }
    }

    /// Only those whose next field is greater.
    pub fn gt(self, value: impl IndexValue<A>) -> LowerBounded<A> {
        self.lower_bounded("gt", value)
    }

    /// Only those whose next field is greater or equal.
    pub fn gte(self, value: impl IndexValue<A>) -> LowerBounded<A> {
        self.lower_bounded("gte", value)
    }

    /// Only those whose next field is lower.
    pub fn lt(self, value: impl IndexValue<A>) -> UpperBounded<A> {
        self.upper_bounded("lt", value)
    }

    /// Only those whose next field is lower or equal.
    pub fn lte(self, value: impl IndexValue<A>) -> UpperBounded<A> {
        self.upper_bounded("lte", value)
    }

    fn lower_bounded(self, operator: &str, value: impl IndexValue<A>) -> LowerBounded<A> {
        let Self { mut bounds, fields, .. } = self;
        bounds.add(operator, fields[0], value.to_index_json());
        LowerBounded { bounds, field: fields[0], of: PhantomData }
    }

    fn upper_bounded(self, operator: &str, value: impl IndexValue<A>) -> UpperBounded<A> {
        let Self { mut bounds, fields, .. } = self;
        bounds.add(operator, fields[0], value.to_index_json());
        UpperBounded { bounds, field: fields[0], of: PhantomData }
    }
}

impl<A> LowerBounded<A> {
    /// And only those where it is lower than this.
    pub fn lt(mut self, value: impl IndexValue<A>) -> Bounded {
        self.bounds.add("lt", self.field, value.to_index_json());
        Bounded { bounds: self.bounds }
    }

    /// And only those where it is lower than this or equal.
    pub fn lte(mut self, value: impl IndexValue<A>) -> Bounded {
        self.bounds.add("lte", self.field, value.to_index_json());
        Bounded { bounds: self.bounds }
    }
}

impl<A> UpperBounded<A> {
    /// And only those where it is greater than this.
    pub fn gt(mut self, value: impl IndexValue<A>) -> Bounded {
        self.bounds.add("gt", self.field, value.to_index_json());
        Bounded { bounds: self.bounds }
    }

    /// And only those where it is greater than this or equal.
    pub fn gte(mut self, value: impl IndexValue<A>) -> Bounded {
        self.bounds.add("gte", self.field, value.to_index_json());
        Bounded { bounds: self.bounds }
    }
}

/// A range of an index by its name, whose fields are named too: the host says if they are not the index's, in order.
/// A `None` is a field that is missing, which is lower than everything else.
#[derive(Debug)]
#[must_use = "give the range back from the closure"]
pub struct NamedRange {
    bounds: Bounds,
}

macro_rules! named_bounds {
    ($($(#[$doc:meta])* $method:ident;)*) => {$(
        $(#[$doc])*
        pub fn $method<V: Serialize>(mut self, field: &str, value: V) -> Self {
            self.bounds.add(stringify!($method), field, json::to_vec_or_undefined(&value));
            self
        }
    )*};
}

impl NamedRange {
    named_bounds! {
        /// Only documents whose field has this value.
        eq;
        /// Only those whose field is greater.
        gt;
        /// Only those whose field is greater or equal.
        gte;
        /// Only those whose field is lower.
        lt;
        /// Only those whose field is lower or equal.
        lte;
    }
}

/// Bounds of the field of an index that every table has, each of which narrows the query. Where two bound the same
/// side, both hold.
#[derive(Debug)]
pub struct Range<V> {
    bounds: Bounds,
    field: &'static str,
    of: PhantomData<fn(V)>,
}

/// A value that the range of such an index can be bounded by.
pub(crate) trait Bound {
    fn to_json(&self) -> Result<Vec<u8>, JsonError>;
}

impl Bound for f64 {
    fn to_json(&self) -> Result<Vec<u8>, JsonError> {
        json::to_vec(self)
    }
}

impl<T> Bound for &Id<T> {
    fn to_json(&self) -> Result<Vec<u8>, JsonError> {
        json::to_vec(self)
    }
}

#[allow(private_bounds, reason = "ranges are made by the query's methods alone")]
impl<V: Bound> Range<V> {
    pub(super) fn new(field: &'static str) -> Self {
        Self { bounds: Bounds::default(), field, of: PhantomData }
    }

    fn bound(mut self, operator: &str, value: V) -> Self {
        self.bounds.add(operator, self.field, value.to_json());
        self
    }

    /// Only this value.
    #[must_use]
    pub fn eq(self, value: V) -> Self {
        self.bound("eq", value)
    }

    /// Only greater ones.
    #[must_use]
    pub fn gt(self, value: V) -> Self {
        self.bound("gt", value)
    }

    /// Only this one and greater ones.
    #[must_use]
    pub fn gte(self, value: V) -> Self {
        self.bound("gte", value)
    }

    /// Only lower ones.
    #[must_use]
    pub fn lt(self, value: V) -> Self {
        self.bound("lt", value)
    }

    /// Only this one and lower ones.
    #[must_use]
    pub fn lte(self, value: V) -> Self {
        self.bound("lte", value)
    }
}
