//! Filter expressions in Convex's form: parsed once a query, evaluated once a row.
//!
//! Knows nothing of where rows come from. What the operators do:
//!
//! * Comparisons use the total order across types; a missing field is `undefined`, lower than `null`.
//! * `$and`, `$or`, `$not` and the whole filter want booleans; `undefined` and `null` count as false, everything
//!   else is an error. `$and` and `$or` stop at the first operand that decides.
//! * Arithmetic wants two floats or two 64-bit integers; integers neither wrap nor divide by zero.
//! * A field is a path with dots; a step into what is no object gives `undefined`.
use std::cmp::Ordering;

use serde_json::Value as Json;
use weir_value::limits::QUERY_OPERATORS_MAX;
use weir_value::{ErrorCode, Value, compare};

use crate::DbError;

/// A filter, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Filter {
    root: Expression,
}

#[derive(Debug)]
enum Expression {
    Field(Vec<String>),
    /// `None` is `undefined`.
    Literal(Option<Value>),
    Compare(Comparison, Box<[Expression; 2]>),
    Arithmetic(Arithmetic, Box<[Expression; 2]>),
    Negate(Box<Expression>),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Comparison {
    /// From its name, `lte`.
    pub(crate) fn parse(name: &str) -> Option<Comparison> {
        Some(match name {
            "eq" => Comparison::Eq,
            "neq" => Comparison::Neq,
            "lt" => Comparison::Lt,
            "lte" => Comparison::Lte,
            "gt" => Comparison::Gt,
            "gte" => Comparison::Gte,
            _ => return None,
        })
    }

    /// Whether it holds for operands in this order.
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Eq => order.is_eq(),
            Comparison::Neq => order.is_ne(),
            Comparison::Lt => order.is_lt(),
            Comparison::Lte => order.is_le(),
            Comparison::Gt => order.is_gt(),
            Comparison::Gte => order.is_ge(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

impl Arithmetic {
    fn parse(name: &str) -> Option<Arithmetic> {
        Some(match name {
            "add" => Arithmetic::Add,
            "sub" => Arithmetic::Sub,
            "mul" => Arithmetic::Mul,
            "div" => Arithmetic::Div,
            "mod" => Arithmetic::Mod,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Arithmetic::Add => "$add",
            Arithmetic::Sub => "$sub",
            Arithmetic::Mul => "$mul",
            Arithmetic::Div => "$div",
            Arithmetic::Mod => "$mod",
        }
    }
}

/// An error in a query's plan or in what it does with a row.
pub(crate) fn invalid_query(message: impl Into<String>) -> DbError {
    DbError::new(ErrorCode::InvalidQuery, message)
}

impl Filter {
    /// Reads a filter.
    pub(crate) fn parse(json: &Json) -> Result<Filter, DbError> {
        let mut parser = Parser { operators_left: QUERY_OPERATORS_MAX };
        Ok(Filter { root: parser.expression(json)? })
    }

    /// Whether it keeps this document.
    pub(crate) fn keeps(&self, document: &Value) -> Result<bool, DbError> {
        truth(evaluate(&self.root, document)?.as_ref(), "the filter")
    }
}

struct Parser {
    operators_left: usize,
}

impl Parser {
    fn expression(&mut self, json: &Json) -> Result<Expression, DbError> {
        let (name, operand) = single_entry(json)?;
        match name {
            "$field" => parse_field(operand),
            "$literal" => Ok(Expression::Literal(parse_value(operand)?)),
            _ => self.operator(name, operand),
        }
    }

    fn operator(&mut self, name: &str, operand: &Json) -> Result<Expression, DbError> {
        self.count(1)?;
        let short = name.strip_prefix('$').unwrap_or_default();
        if let Some(comparison) = Comparison::parse(short) {
            return Ok(Expression::Compare(comparison, self.pair(name, operand)?));
        }
        if let Some(arithmetic) = Arithmetic::parse(short) {
            return Ok(Expression::Arithmetic(arithmetic, self.pair(name, operand)?));
        }
        match name {
            "$neg" => Ok(Expression::Negate(self.single(name, operand)?)),
            "$not" => Ok(Expression::Not(self.single(name, operand)?)),
            "$and" => Ok(Expression::All(self.several(name, operand)?)),
            "$or" => Ok(Expression::Any(self.several(name, operand)?)),
            _ => Err(invalid_query(format!(
                "`{name}` is not an operator of a filter; there are $eq $neq $lt $lte $gt $gte $and $or $not $add $sub \
                 $mul $div $mod $neg $field $literal"
            ))),
        }
    }

    fn single(&mut self, name: &str, operand: &Json) -> Result<Box<Expression>, DbError> {
        match operand {
            Json::Array(operands) if operands.len() != 1 => {
                Err(invalid_query(format!("`{name}` takes one operand, not {}", operands.len())))
            }
            Json::Array(operands) => Ok(Box::new(self.expression(&operands[0])?)),
            operand => Ok(Box::new(self.expression(operand)?)),
        }
    }

    fn pair(&mut self, name: &str, operand: &Json) -> Result<Box<[Expression; 2]>, DbError> {
        match operand.as_array().map(Vec::as_slice) {
            Some([left, right]) => Ok(Box::new([self.expression(left)?, self.expression(right)?])),
            _ => Err(invalid_query(format!("`{name}` takes an array of two operands"))),
        }
    }

    fn several(&mut self, name: &str, operand: &Json) -> Result<Vec<Expression>, DbError> {
        let Some(operands) = operand.as_array() else {
            return Err(invalid_query(format!("`{name}` takes an array of operands")));
        };
        self.count(operands.len().saturating_sub(2))?;
        operands.iter().map(|operand| self.expression(operand)).collect()
    }

    /// An operator of more than two operands counts as the chain of two that it stands for.
    fn count(&mut self, operators: usize) -> Result<(), DbError> {
        let too_many = || {
            invalid_query(format!(
                "the filter has more than {QUERY_OPERATORS_MAX} operators; filter in the function instead"
            ))
        };
        self.operators_left = self.operators_left.checked_sub(operators).ok_or_else(too_many)?;
        Ok(())
    }
}

fn single_entry(json: &Json) -> Result<(&str, &Json), DbError> {
    let object = json.as_object().filter(|object| object.len() == 1);
    match object.and_then(|object| object.iter().next()) {
        Some((name, operand)) => Ok((name, operand)),
        None => Err(invalid_query(format!(
            "a filter expression is an object of one operator, as {{\"$field\": \"name\"}}; this is none: {}",
            excerpt(json)
        ))),
    }
}

fn parse_field(operand: &Json) -> Result<Expression, DbError> {
    let path = operand.as_str().unwrap_or_default();
    if path.is_empty() || path.split('.').any(str::is_empty) {
        let shown = excerpt(operand);
        return Err(invalid_query(format!("`$field` takes a name or a path with dots, not {shown}")));
    }
    Ok(Expression::Field(path.split('.').map(str::to_owned).collect()))
}

/// A value in Convex's encoding, or `undefined`.
pub(crate) fn parse_value(json: &Json) -> Result<Option<Value>, DbError> {
    let value = weir_value::json::parse_operand(json);
    value.map_err(|error| invalid_query(format!("{} is not a value: {error}", excerpt(json))))
}

/// The beginning of a JSON text, for error messages.
fn excerpt(json: &Json) -> String {
    const SHOWN_CHARS: usize = 80;
    let text = json.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn evaluate(expression: &Expression, document: &Value) -> Result<Option<Value>, DbError> {
    match expression {
        Expression::Arithmetic(arithmetic, operands) => {
            let [left, right] = operands.as_ref();
            calculate(*arithmetic, evaluate(left, document)?, evaluate(right, document)?).map(Some)
        }
        Expression::Negate(operand) => negate(evaluate(operand, document)?).map(Some),
        Expression::Field(_) | Expression::Literal(_) => Ok(look_up(expression, document).cloned()),
        condition => Ok(Some(Value::Boolean(holds(condition, document)?))),
    }
}

fn holds(expression: &Expression, document: &Value) -> Result<bool, DbError> {
    match expression {
        Expression::Compare(comparison, operands) => {
            let [left, right] = operands.as_ref();
            let order = if is_leaf(left) && is_leaf(right) {
                compare(look_up(left, document), look_up(right, document))
            } else {
                compare(evaluate(left, document)?.as_ref(), evaluate(right, document)?.as_ref())
            };
            Ok(comparison.holds(order))
        }
        Expression::Not(operand) => Ok(!truth(evaluate(operand, document)?.as_ref(), "`$not`")?),
        Expression::All(operands) => decide(operands, document, "`$and`", false),
        Expression::Any(operands) => decide(operands, document, "`$or`", true),
        other => truth(evaluate(other, document)?.as_ref(), "the filter"),
    }
}

/// Whether an operand is as `decisive` says; if none is, the opposite of it.
fn decide(operands: &[Expression], document: &Value, name: &str, decisive: bool) -> Result<bool, DbError> {
    for operand in operands {
        if truth(evaluate(operand, document)?.as_ref(), name)? == decisive {
            return Ok(decisive);
        }
    }
    Ok(!decisive)
}

fn is_leaf(expression: &Expression) -> bool {
    matches!(expression, Expression::Field(_) | Expression::Literal(_))
}

/// What a leaf stands for, without copying it.
fn look_up<'a>(leaf: &'a Expression, document: &'a Value) -> Option<&'a Value> {
    match leaf {
        Expression::Literal(value) => value.as_ref(),
        Expression::Field(path) => path.iter().try_fold(document, |value, name| match value {
            Value::Object(fields) => fields.get(name),
            _ => None,
        }),
        _ => None,
    }
}

fn truth(value: Option<&Value>, of: &str) -> Result<bool, DbError> {
    match value {
        Some(Value::Boolean(truth)) => Ok(*truth),
        None | Some(Value::Null) => Ok(false),
        Some(other) => Err(invalid_query(format!(
            "{of} wants true or false and got {}; compare it with something",
            type_name(Some(other))
        ))),
    }
}

fn calculate(arithmetic: Arithmetic, left: Option<Value>, right: Option<Value>) -> Result<Value, DbError> {
    match (&left, &right) {
        (Some(Value::Float64(a)), Some(Value::Float64(b))) => Ok(Value::Float64(match arithmetic {
            Arithmetic::Add => a + b,
            Arithmetic::Sub => a - b,
            Arithmetic::Mul => a * b,
            Arithmetic::Div => a / b,
            Arithmetic::Mod => a % b,
        })),
        (Some(Value::Int64(a)), Some(Value::Int64(b))) => {
            let result = match arithmetic {
                Arithmetic::Add => a.checked_add(*b),
                Arithmetic::Sub => a.checked_sub(*b),
                Arithmetic::Mul => a.checked_mul(*b),
                Arithmetic::Div => a.checked_div(*b),
                Arithmetic::Mod => a.checked_rem(*b),
            };
            let out_of_range =
                || invalid_query(format!("`{}` of {a} and {b} has no 64-bit result", arithmetic.name()));
            result.map(Value::Int64).ok_or_else(out_of_range)
        }
        _ => Err(invalid_query(format!(
            "`{}` wants two numbers or two 64-bit integers and got {} and {}",
            arithmetic.name(),
            type_name(left.as_ref()),
            type_name(right.as_ref())
        ))),
    }
}

fn negate(value: Option<Value>) -> Result<Value, DbError> {
    match value {
        Some(Value::Float64(number)) => Ok(Value::Float64(-number)),
        Some(Value::Int64(number)) => number
            .checked_neg()
            .map(Value::Int64)
            .ok_or_else(|| invalid_query(format!("`$neg` of {number} has no 64-bit result"))),
        other => Err(invalid_query(format!("`$neg` wants a number and got {}", type_name(other.as_ref())))),
    }
}

fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined (the field is missing)",
        Some(Value::Null) => "null",
        Some(Value::Int64(_)) => "a 64-bit integer",
        Some(Value::CommitTimestamp) => "a commit timestamp that is not known yet",
        Some(Value::Float64(_)) => "a number",
        Some(Value::Boolean(_)) => "a boolean",
        Some(Value::String(_)) => "a string",
        Some(Value::Bytes(_)) => "bytes",
        Some(Value::Array(_)) => "an array",
        Some(Value::Object(_)) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"body":"hi","done":true,"n":7,"nested":{"deep":{"x":1}},"none":null,
        "big":{"$integer":"CgAAAAAAAAA="},"list":[1]}"#;

    fn run(filter: &str) -> Result<bool, String> {
        let json: Json = serde_json::from_str(filter).expect("JSON");
        let document = Value::from_json(DOCUMENT.as_bytes()).expect("a document");
        let result = Filter::parse(&json).and_then(|filter| filter.keeps(&document));
        result.map_err(|error| {
            assert_eq!(error.code, "InvalidQuery");
            error.message
        })
    }

    #[test]
    fn filters_keep_what_they_should() {
        let cases: &[(&str, bool)] = &[
            (r#"{"$eq":[{"$field":"body"},{"$literal":"hi"}]}"#, true),
            (r#"{"$neq":[{"$field":"body"},{"$literal":"hi"}]}"#, false),
            (r#"{"$lt":[{"$field":"n"},{"$literal":8}]}"#, true),
            (r#"{"$lte":[{"$field":"n"},{"$literal":7}]}"#, true),
            (r#"{"$gt":[{"$field":"n"},{"$literal":7}]}"#, false),
            (r#"{"$gte":[{"$field":"n"},{"$literal":7}]}"#, true),
            // Across types: undefined < null < int64 < float64 < boolean < string < bytes < array < object.
            (r#"{"$lt":[{"$field":"missing"},{"$literal":null}]}"#, true),
            (r#"{"$lt":[{"$field":"none"},{"$field":"big"}]}"#, true),
            (r#"{"$lt":[{"$field":"big"},{"$field":"n"}]}"#, true),
            (r#"{"$lt":[{"$field":"n"},{"$field":"done"}]}"#, true),
            (r#"{"$lt":[{"$field":"done"},{"$field":"body"}]}"#, true),
            (r#"{"$lt":[{"$field":"body"},{"$field":"list"}]}"#, true),
            (r#"{"$lt":[{"$field":"list"},{"$field":"nested"}]}"#, true),
            // undefined
            (r#"{"$eq":[{"$field":"missing"},{"$literal":{"$undefined":null}}]}"#, true),
            (r#"{"$eq":[{"$field":"none"},{"$literal":{"$undefined":null}}]}"#, false),
            (r#"{"$neq":[{"$field":"missing"},{"$literal":null}]}"#, true),
            (r#"{"$field":"missing"}"#, false),
            (r#"{"$not":{"$field":"missing"}}"#, true),
            (r#"{"$not":[{"$field":"none"}]}"#, true),
            // paths
            (r#"{"$eq":[{"$field":"nested.deep.x"},{"$literal":1}]}"#, true),
            (r#"{"$eq":[{"$field":"nested.none.x"},{"$literal":{"$undefined":null}}]}"#, true),
            (r#"{"$eq":[{"$field":"body.length"},{"$literal":{"$undefined":null}}]}"#, true),
            // logic
            (r#"{"$field":"done"}"#, true),
            (r#"{"$literal":false}"#, false),
            (r#"{"$and":[]}"#, true),
            (r#"{"$or":[]}"#, false),
            (r#"{"$and":[{"$field":"done"},{"$field":"missing"},{"$field":"n"}]}"#, false),
            (r#"{"$or":[{"$field":"missing"},{"$field":"done"},{"$field":"n"}]}"#, true),
            // arithmetic
            (r#"{"$eq":[{"$add":[{"$field":"n"},{"$literal":1}]},{"$literal":8}]}"#, true),
            (r#"{"$eq":[{"$sub":[{"$field":"n"},{"$literal":1}]},{"$literal":6}]}"#, true),
            (r#"{"$eq":[{"$mul":[{"$field":"n"},{"$literal":2}]},{"$literal":14}]}"#, true),
            (r#"{"$eq":[{"$div":[{"$field":"n"},{"$literal":2}]},{"$literal":3.5}]}"#, true),
            (r#"{"$eq":[{"$mod":[{"$field":"n"},{"$literal":4}]},{"$literal":3}]}"#, true),
            (r#"{"$eq":[{"$neg":{"$field":"n"}},{"$literal":-7}]}"#, true),
            (
                r#"{"$eq":[{"$add":[{"$field":"big"},{"$field":"big"}]},{"$literal":{"$integer":"FAAAAAAAAAA="}}]}"#,
                true,
            ),
            (r#"{"$eq":[{"$and":[{"$field":"done"}]},{"$literal":true}]}"#, true),
        ];
        for (filter, kept) in cases {
            assert_eq!(run(filter), Ok(*kept), "{filter}");
        }
    }

    #[test]
    fn bad_filters_say_why() {
        let cases: &[(&str, &str)] = &[
            (r#"{"$like":[1,2]}"#, "`$like` is not an operator"),
            (r#"{"eq":[1,2]}"#, "`eq` is not an operator"),
            (r#"{}"#, "an object of one operator"),
            (r#"{"$eq":[],"$lt":[]}"#, "an object of one operator"),
            (r#"true"#, "an object of one operator"),
            (r#"{"$eq":[{"$literal":1}]}"#, "`$eq` takes an array of two"),
            (r#"{"$add":{"$literal":1}}"#, "`$add` takes an array of two"),
            (r#"{"$and":{"$literal":true}}"#, "`$and` takes an array"),
            (r#"{"$not":[]}"#, "`$not` takes one operand, not 0"),
            (r#"{"$field":""}"#, "`$field` takes a name"),
            (r#"{"$field":"a..b"}"#, "`$field` takes a name"),
            (r#"{"$field":7}"#, "`$field` takes a name"),
            (r#"{"$literal":{"$integer":"x"}}"#, "is not a value"),
            (r#"{"$field":"n"}"#, "the filter wants true or false and got a number"),
            (r#"{"$not":{"$field":"body"}}"#, "`$not` wants true or false and got a string"),
            (r#"{"$or":[{"$field":"list"}]}"#, "`$or` wants true or false and got an array"),
            (r#"{"$add":[{"$field":"body"},{"$literal":1}]}"#, "got a string and a number"),
            (
                r#"{"$mul":[{"$field":"missing"},{"$literal":1}]}"#,
                "got undefined (the field is missing) and a number",
            ),
            (r#"{"$add":[{"$field":"n"},{"$field":"big"}]}"#, "got a number and a 64-bit integer"),
            (r#"{"$neg":{"$field":"none"}}"#, "`$neg` wants a number and got null"),
            (r#"{"$div":[{"$field":"big"},{"$literal":{"$integer":"AAAAAAAAAAA="}}]}"#, "no 64-bit result"),
        ];
        for (filter, why) in cases {
            let message = run(filter).expect_err(filter);
            assert!(message.contains(why), "{filter}: {message}");
        }
    }

    #[test]
    fn operators_are_counted() {
        let wide = |operands: usize| {
            let operand = serde_json::json!({"$field": "missing"});
            serde_json::json!({"$or": vec![operand; operands]})
        };
        assert!(Filter::parse(&wide(QUERY_OPERATORS_MAX + 1)).is_ok());
        let error = Filter::parse(&wide(QUERY_OPERATORS_MAX + 2)).expect_err("too wide");
        assert!(error.message.contains("operators"), "{error}");
        let mut deep = serde_json::json!({"$literal": true});
        for _ in 0..=QUERY_OPERATORS_MAX {
            deep = serde_json::json!({"$not": deep});
        }
        assert!(Filter::parse(&deep).is_err());
    }
}
