//! How long something lasts, as people write it: `30d`.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("s", 1), ("min", 60), ("h", 3600), ("d", 24 * 3600), ("w", 7 * 24 * 3600)];

/// Reads a whole number and its unit: `90s`, `15min`, `12h`, `30d`, `4w`.
///
/// # Errors
/// What is wrong with it.
pub fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let seconds = UNITS.into_iter().find(|(name, _)| *name == unit).map(|(_, seconds)| seconds);
    let number: Option<u64> = number.parse().ok();
    match number.zip(seconds).and_then(|(number, seconds)| number.checked_mul(seconds)) {
        Some(0) => Err("that is no time at all".to_owned()),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err("write a whole number and a unit: 90s, 15min, 12h, 30d, 4w".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("15min", Some(900)),
            ("12h", Some(43_200)),
            ("30d", Some(2_592_000)),
            ("4w", Some(2_419_200)),
            ("0d", None),
            ("30", None),
            ("d", None),
            ("", None),
            ("-1d", None),
            ("1.5d", None),
            ("30 d", None),
            ("30m", None),
            ("99999999999999999999d", None),
            ("18446744073709551615w", None),
        ] {
            assert_eq!(parse_lifetime(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
