//! Cron expressions: five fields, as Vixie's cron reads them.
//!
//! `minute hour day-of-month month day-of-week`, each a list of values, ranges and steps: `*`, `5`, `1-5`, `*/15`,
//! `10-40/10`, `1,15`, and names of months and weekdays, of three letters. Sunday is 0, and 7. Not here, because a job
//! would then run at other times than elsewhere: seconds, years, `L`, `W`, `#`, `?`, `@daily`.
use super::calendar::Minutes;

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u8,
    last: u8,
    /// What its values are called, the first one's name first.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, names: &[] },
    Field { name: "hour", first: 0, last: 23, names: &[] },
    Field { name: "day of the month", first: 1, last: 31, names: &[] },
    Field {
        name: "month",
        first: 1,
        last: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field {
        name: "day of the week",
        first: 0,
        last: 7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Reads an expression.
///
/// # Errors
/// What is wrong with it, in words for whoever wrote it.
pub(super) fn parse(text: &str) -> Result<Minutes, String> {
    let wrong = |what: String| format!("the cron expression `{}` cannot be: {what}", text.escape_debug());
    let parts: Vec<&str> = text.split_whitespace().collect();
    let Ok(parts) = <[&str; 5]>::try_from(parts) else {
        let count = text.split_whitespace().count();
        return Err(wrong(format!(
            "it has {count} fields instead of five: minute, hour, day of the month, month, day of the week"
        )));
    };
    let mut sets = [0; 5];
    for ((set, field), part) in sets.iter_mut().zip(&FIELDS).zip(parts) {
        *set = field.parse(part).map_err(&wrong)?;
    }
    let [minutes, hours, days, months, weekdays] = sets;
    // A field that begins with `*` restricts nothing, as far as the rule of either day goes.
    let either_day = !parts[2].starts_with('*') && !parts[4].starts_with('*');
    let minutes = Minutes {
        minutes,
        hours: hours as u32,
        days: days as u32,
        months: months as u16,
        weekdays: ((weekdays | weekdays >> 7) & 0x7f) as u8,
        either_day,
    };
    match minutes.after(0) {
        Some(_) => Ok(minutes),
        None => Err(wrong("there is no such day, in any year".to_owned())),
    }
}

impl Field {
    /// The values of a list, as bits.
    fn parse(&self, list: &str) -> Result<u64, String> {
        list.split(',').try_fold(0, |set, part| Ok(set | self.parse_part(part)?))
    }

    fn parse_part(&self, part: &str) -> Result<u64, String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.first, self.last),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            None if step.is_some() => {
                return Err(format!(
                    "a step needs a range, `*/5` or `10-40/5`, and `{part}` for the {} has none",
                    self.name
                ));
            }
            None => (self.value(range)?, self.value(range)?),
        };
        if first > last {
            return Err(format!("the range `{range}` for the {} ends before it begins", self.name));
        }
        let step: usize = match step {
            None => 1,
            Some(step) => {
                number(step).filter(|step| (1..=self.last).contains(step)).map(usize::from).ok_or_else(
                    || format!("`{step}` is no step for the {}; give one from 1 to {}", self.name, self.last),
                )?
            }
        };
        Ok((first..=last).step_by(step).fold(0, |set, value| set | 1 << value))
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = named.and_then(|place| u8::try_from(place).ok()).map(|place| place + self.first);
        let value = named.or_else(|| number(text)).filter(|value| (self.first..=self.last).contains(value));
        value.ok_or_else(|| {
            let or_name =
                self.names.first().map(|name| format!(", or a name as `{name}`")).unwrap_or_default();
            format!(
                "`{text}` is no {}; give a number from {} to {}{or_name}",
                self.name, self.first, self.last
            )
        })
    }
}

/// Digits alone: no sign.
fn number(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
