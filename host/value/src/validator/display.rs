//! A validator as it stands in a program: `v.object({body: v.string()})`. For error texts, not
//! to be read back.

use std::fmt;

use super::{Field, Validator};

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Validator::Null => f.write_str("v.null()"),
            Validator::Number => f.write_str("v.number()"),
            Validator::Bigint => f.write_str("v.bigint()"),
            Validator::Boolean => f.write_str("v.boolean()"),
            Validator::String => f.write_str("v.string()"),
            Validator::Bytes => f.write_str("v.bytes()"),
            Validator::Any => f.write_str("v.any()"),
            Validator::Literal(value) => write!(f, "v.literal({})", value.to_clean_json()),
            Validator::Id(table) => write!(f, "v.id({table:?})"),
            Validator::Array(item) => write!(f, "v.array({item})"),
            Validator::Object(fields) => {
                f.write_str("v.object({")?;
                write_joined(f, fields, |f, (name, field)| write!(f, "{name}: {field}"))?;
                f.write_str("})")
            }
            Validator::Record { keys, values } => write!(f, "v.record({keys}, {values})"),
            Validator::Union(members) => {
                f.write_str("v.union(")?;
                write_joined(f, members, |f, member| write!(f, "{member}"))?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.optional { write!(f, "v.optional({})", self.validator) } else { self.validator.fmt(f) }
    }
}

fn write_joined<T>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}
