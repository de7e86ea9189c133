//! Filters: conditions on documents that the host checks them against, so that
//! those which do not pass never reach the guest.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use crate::{Bytes, CommitTimestamp, Id, Value, json};

/// The document that a filter is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Row(());

/// A value that is computed from a document's fields: a number, a condition.
/// The type is that of the values, not of Rust: comparing values of different
/// types is no error, they have an order.
#[derive(Debug, Clone)]
pub struct Expression(Vec<u8>);

/// What an expression can be made with: another one, or a value that is known.
pub trait Operand {
    /// This, as an expression.
    fn into_expression(self) -> Expression;
}

impl Row {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// The value of a field; `a.b` is the field `b` of the object in `a`. A field
    /// that is missing is `undefined`, which is lower than everything else.
    pub fn field(self, path: &str) -> Expression {
        Expression::make("$field", &quote(path))
    }
}

/// A text as JSON; that cannot fail.
fn quote(text: &str) -> Vec<u8> {
    json::to_vec(text).unwrap_or_default()
}

macro_rules! binary_methods {
    ($($(#[$doc:meta])* $method:ident $operator:literal;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $method(self, other: impl Operand) -> Expression {
            self.binary($operator, other.into_expression())
        }
    )*};
}

impl Expression {
    binary_methods! {
        /// Whether the two are equal.
        eq "$eq";
        /// Whether the two are not equal.
        neq "$neq";
        /// Whether this is less than the other.
        lt "$lt";
        /// Whether this is less than the other, or equal.
        lte "$lte";
        /// Whether this is greater than the other.
        gt "$gt";
        /// Whether this is greater than the other, or equal.
        gte "$gte";
        /// Whether both conditions hold.
        and "$and";
        /// Whether one of the conditions holds.
        or "$or";
    }

    /// Whether the condition does not hold.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "a condition reads better with `.not()` than with `!`")]
    pub fn not(self) -> Expression {
        Self::make("$not", &self.0)
    }

    pub(super) fn as_json(&self) -> &[u8] {
        &self.0
    }

    fn make(operator: &str, operand: &[u8]) -> Expression {
        let mut text = Vec::with_capacity(operator.len() + operand.len() + 5);
        text.extend_from_slice(b"{\"");
        text.extend_from_slice(operator.as_bytes());
        text.extend_from_slice(b"\":");
        text.extend_from_slice(operand);
        text.push(b'}');
        Expression(text)
    }

    fn binary(mut self, operator: &str, other: Expression) -> Expression {
        self.0.insert(0, b'[');
        self.0.push(b',');
        self.0.extend_from_slice(&other.0);
        self.0.push(b']');
        Self::make(operator, &self.0)
    }
}

impl Operand for Expression {
    fn into_expression(self) -> Expression {
        self
    }
}

macro_rules! literals {
    ($($type:ty),*) => {$(
        impl Operand for $type {
            fn into_expression(self) -> Expression {
                // These types can always be written.
                Expression::make("$literal", &json::to_vec(&self).unwrap_or_default())
            }
        }
    )*};
}

literals!(
    bool,
    i8,
    i16,
    i32,
    i64,
    CommitTimestamp,
    u8,
    u16,
    u32,
    f32,
    f64,
    (),
    &str,
    String,
    &String,
    Value,
    &Value,
    Bytes,
    &Bytes
);

impl<T> Operand for &Id<T> {
    fn into_expression(self) -> Expression {
        self.as_str().into_expression()
    }
}

impl<T> Operand for Id<T> {
    fn into_expression(self) -> Expression {
        self.as_str().into_expression()
    }
}

macro_rules! arithmetic {
    ($($trait:ident $method:ident $operator:literal)*) => {$(
        impl<O: Operand> $trait<O> for Expression {
            type Output = Expression;

            fn $method(self, other: O) -> Expression {
                self.binary($operator, other.into_expression())
            }
        }
    )*};
}

arithmetic!(Add add "$add" Sub sub "$sub" Mul mul "$mul" Div div "$div" Rem rem "$mod");

impl Neg for Expression {
    type Output = Expression;

    fn neg(self) -> Expression {
        Self::make("$neg", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: Expression, expected: &str) {
        assert_eq!(String::from_utf8(expression.0).unwrap(), expected);
    }

    #[test]
    fn expressions_have_convexs_form() {
        let row = Row::new();
        check(row.field("user").eq("a\"da"), r#"{"$eq":[{"$field":"user"},{"$literal":"a\"da"}]}"#);
        check(
            row.field("n").gt(1).and(row.field("n").lte(2.5)).or(row.field("x").neq(row.field("y"))),
            concat!(
                r#"{"$or":[{"$and":[{"$gt":[{"$field":"n"},{"$literal":1}]},"#,
                r#"{"$lte":[{"$field":"n"},{"$literal":2.5}]}]},{"$neq":[{"$field":"x"},{"$field":"y"}]}]}"#
            ),
        );
        check(
            (-row.field("a") % 2 + row.field("b") * 3.0).lt(0_i64).not(),
            concat!(
                r#"{"$not":{"$lt":[{"$add":[{"$mod":[{"$neg":{"$field":"a"}},{"$literal":2}]},"#,
                r#"{"$mul":[{"$field":"b"},{"$literal":3}]}]},{"$literal":{"$integer":"AAAAAAAAAAA="}}]}}"#
            ),
        );
        check(
            (row.field("a") - 1).gte(row.field("b") / Id::<Value>::from_text("k").as_str()),
            r#"{"$gte":[{"$sub":[{"$field":"a"},{"$literal":1}]},{"$div":[{"$field":"b"},{"$literal":"k"}]}]}"#,
        );
    }
}
