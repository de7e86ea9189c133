//! What a plan means, in the plainest way: all rows, one after another, each held against each condition.

use std::cmp::Ordering;

use serde_json::Value as Json;
use weir_value::{DocumentId, Value, compare, json};

/// The rows of the table, in the order of their creation.
#[derive(Default)]
pub(super) struct Model {
    rows: Vec<(Json, Value)>,
}

/// What a plan gives.
#[derive(Debug)]
pub(super) enum Answer {
    /// These rows, if the host takes the plan.
    Rows(Vec<Json>),
    /// An error: the filter cannot be held against a row.
    Fails,
    /// It is no plan.
    Unread,
}

/// The filter cannot be held against this row.
struct Failed;

impl Model {
    pub(super) fn new(rows: &[Json]) -> Model {
        let read = |row: &Json| (row.clone(), Value::from_json_value(row).expect("a document is a value"));
        Model { rows: rows.iter().map(read).collect() }
    }

    pub(super) fn answer(&self, plan: &[u8]) -> Answer {
        let Ok(plan) = serde_json::from_slice::<Json>(plan) else { return Answer::Unread };
        if !plan["table"].is_string() {
            return Answer::Unread;
        }
        let mut rows: Vec<&(Json, Value)> =
            if plan["table"] == "t" { self.rows.iter().collect() } else { Vec::new() };
        rows.sort_by(|one, other| order(&one.1, &other.1, fields_of(&plan)));
        for bound in plan["range"].as_array().into_iter().flatten() {
            rows.retain(|(_, row)| is_within(row, bound));
        }
        if plan["order"] == "desc" {
            rows.reverse();
        }
        let limit = plan["limit"].as_u64().unwrap_or(u64::MAX);
        let mut kept = Vec::new();
        for (json, row) in rows {
            if kept.len() as u64 >= limit {
                break;
            }
            match keeps(&plan["filter"], row) {
                Ok(true) => kept.push(json.clone()),
                Ok(false) => {}
                Err(Failed) => return Answer::Fails,
            }
        }
        Answer::Rows(kept)
    }
}

fn fields_of(plan: &Json) -> &'static [&'static str] {
    match plan["index"].as_str() {
        Some("by_a") => &["a"],
        Some("by_a_b") => &["a", "b"],
        Some("by_c") => &["c.d"],
        _ => &[],
    }
}

fn order(one: &Value, other: &Value, fields: &[&str]) -> Ordering {
    let by_fields = fields.iter().map(|field| compare(one.at_path(field), other.at_path(field)));
    let by_time = compare(one.at_path("_creationTime"), other.at_path("_creationTime"));
    by_fields.fold(Ordering::Equal, Ordering::then).then(by_time).then_with(|| id_of(one).cmp(&id_of(other)))
}

fn id_of(row: &Value) -> Option<DocumentId> {
    DocumentId::parse(row.at_path("_id")?.as_str()?).ok()
}

fn is_within(row: &Value, bound: &Json) -> bool {
    let Some(field) = bound["field"].as_str() else { return true };
    let Ok(value) = json::parse_operand(&bound["value"]) else { return true };
    let order = compare(row.at_path(field), value.as_ref());
    holds(bound["op"].as_str().unwrap_or_default(), order)
}

fn holds(operator: &str, order: Ordering) -> bool {
    match operator {
        "eq" => order.is_eq(),
        "neq" => order.is_ne(),
        "lt" => order.is_lt(),
        "lte" => order.is_le(),
        "gt" => order.is_gt(),
        "gte" => order.is_ge(),
        _ => true,
    }
}

fn keeps(filter: &Json, row: &Value) -> Result<bool, Failed> {
    if filter.is_null() { Ok(true) } else { truth(evaluate(filter, row)?) }
}

fn truth(value: Option<Value>) -> Result<bool, Failed> {
    match value {
        Some(Value::Boolean(truth)) => Ok(truth),
        None | Some(Value::Null) => Ok(false),
        Some(_) => Err(Failed),
    }
}

/// The value of an expression; `None` is `undefined`. What is no expression is refused by the host before any row.
fn evaluate(expression: &Json, row: &Value) -> Result<Option<Value>, Failed> {
    let Some((name, operand)) = expression.as_object().and_then(|fields| fields.iter().next()) else {
        return Err(Failed);
    };
    let operands: Vec<&Json> = match operand {
        Json::Array(operands) => operands.iter().collect(),
        other => vec![other],
    };
    let value = |at: usize| operands.get(at).map_or(Err(Failed), |operand| evaluate(operand, row));
    let short = name.trim_start_matches('$');
    Ok(match short {
        "field" => operand.as_str().and_then(|path| row.at_path(path)).cloned(),
        "literal" => json::parse_operand(operand).map_err(|_| Failed)?,
        "not" => Some(Value::Boolean(!truth(value(0)?)?)),
        "neg" => Some(negate(value(0)?)?),
        "and" | "or" => {
            let decisive = short == "or";
            for operand in operands {
                if truth(evaluate(operand, row)?)? == decisive {
                    return Ok(Some(Value::Boolean(decisive)));
                }
            }
            Some(Value::Boolean(!decisive))
        }
        "add" | "sub" | "mul" | "div" | "mod" => Some(calculate(short, value(0)?, value(1)?)?),
        operator => {
            let (left, right) = (value(0)?, value(1)?);
            Some(Value::Boolean(holds(operator, compare(left.as_ref(), right.as_ref()))))
        }
    })
}

fn negate(value: Option<Value>) -> Result<Value, Failed> {
    match value {
        Some(Value::Int64(number)) => number.checked_neg().map(Value::Int64).ok_or(Failed),
        Some(Value::Float64(number)) => Ok(Value::Float64(-number)),
        _ => Err(Failed),
    }
}

fn calculate(operator: &str, left: Option<Value>, right: Option<Value>) -> Result<Value, Failed> {
    match (left, right) {
        (Some(Value::Int64(left)), Some(Value::Int64(right))) => {
            let number = match operator {
                "add" => left.checked_add(right),
                "sub" => left.checked_sub(right),
                "mul" => left.checked_mul(right),
                "div" => left.checked_div(right),
                _ => left.checked_rem(right),
            };
            number.map(Value::Int64).ok_or(Failed)
        }
        (Some(Value::Float64(left)), Some(Value::Float64(right))) => Ok(Value::Float64(match operator {
            "add" => left + right,
            "sub" => left - right,
            "mul" => left * right,
            "div" => left / right,
            _ => left % right,
        })),
        _ => Err(Failed),
    }
}
