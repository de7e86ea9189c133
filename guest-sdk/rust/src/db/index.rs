//! Indexes as document types declare them, and the values that their fields can be compared with.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

use crate::json::{self, JsonError};

/// An index of the documents that hold a `T`; made by [`#[document]`](crate::document), as a constant of the type.
///
/// `F` is the types of its fields, one inside the other: `(String, (f64, (f64, ())))`. The last is the creation time,
/// which every index has.
///
/// An index that is not declared does not compile, and neither does a value of another type than its field's:
///
/// ```compile_fail,E0599
/// # use weir::prelude::*;
/// #[document("tasks", index(by_rank = [rank]))]
/// struct Task {
///     rank: f64,
/// }
/// let index = Task::BY_RNAK;
/// ```
///
/// ```compile_fail,E0277
/// # use weir::prelude::*;
/// # #[document("tasks", index(by_rank = [rank]))]
/// # struct Task {
/// #     rank: f64,
/// # }
/// # fn read(ctx: &QueryCtx) -> Result<Vec<Doc<Task>>> {
/// ctx.db.query("tasks").with_index(Task::BY_RANK, |range| range.eq("high")).collect()
/// # }
/// ```
pub struct Index<T, F> {
    name: &'static str,
    fields: &'static [&'static str],
    of: PhantomData<fn() -> (T, F)>,
}

/// A field whose type is not known where its index is declared, such as one of an object within the document. It can
/// be compared with everything.
#[derive(Debug, Clone, Copy)]
pub struct AnyField(());

impl<T, F> Index<T, F> {
    #[doc(hidden)]
    pub const fn new(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self { name, fields, of: PhantomData }
    }

    /// Its name in the schema.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The paths of its fields, with the creation time.
    pub const fn fields(&self) -> &'static [&'static str] {
        self.fields
    }
}

// Written out, because deriving these would ask the same of the types.
impl<T, F> Clone for Index<T, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, F> Copy for Index<T, F> {}

impl<T, F> fmt::Debug for Index<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.name, self.fields)
    }
}

/// A value that a field of the type `F` can be compared with: one of the type, or a reference to one; `&str` for
/// texts. For a field that is an `Option`, also the value alone.
#[diagnostic::on_unimplemented(
    message = "a field of the type `{F}` cannot be compared with a `{Self}`",
    note = "give a value of the field's own type, or a reference to one"
)]
pub trait IndexValue<F> {
    #[doc(hidden)]
    fn to_index_json(&self) -> Result<Vec<u8>, JsonError>;
}

macro_rules! index_values {
    ($([$($generics:tt)*] $field:ty: $value:ty;)*) => {$(
        impl<$($generics)*> IndexValue<$field> for $value {
            fn to_index_json(&self) -> Result<Vec<u8>, JsonError> {
                json::to_vec_or_undefined(self)
            }
        }
    )*};
}

index_values! {
    [F: Serialize] F: F;
    [F: Serialize] F: &F;
    [F: Serialize] Option<F>: F;
    [F: Serialize] Option<F>: &F;
    [] String: &str;
    [] Option<String>: &str;
    [V: Serialize] AnyField: V;
}
