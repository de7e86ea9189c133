//! `Range: bytes=0-99`: which part of a file is asked for.

use std::ops::Range;

/// The one range of a file of so many bytes that a header asks for. `None`: it asks for none that the file has, or for
/// several.
pub fn requested_range(header: &str, size: u64) -> Option<Range<u64>> {
    let (unit, range) = header.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || size == 0 {
        return None;
    }
    let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // One that is too large to be counted is behind every file.
        true if !digits.is_empty() => Some(digits.parse::<u64>().unwrap_or(u64::MAX)),
        _ => None,
    };
    match (first, last) {
        ("", suffix) => {
            let bytes = number(suffix).filter(|bytes| *bytes > 0)?;
            Some(size.saturating_sub(bytes)..size)
        }
        (first, "") => number(first).filter(|first| *first < size).map(|first| first..size),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last && first < size).then(|| first..last.saturating_add(1).min(size))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let huge = "99999999999999999999999";
        for (header, expected) in [
            ("bytes=0-99", Some(0..10)),
            ("bytes=0-0", Some(0..1)),
            ("bytes=9-9", Some(9..10)),
            ("Bytes = 2-", Some(2..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            (&format!("bytes=1-{huge}"), Some(1..10)),
            (&format!("bytes=-{huge}"), Some(0..10)),
            ("bytes=10-", None),
            ("bytes=10-12", None),
            (&format!("bytes={huge}-"), None),
            ("bytes=5-4", None),
            ("bytes=-0", None),
            ("bytes=-", None),
            ("bytes=", None),
            ("bytes", None),
            ("", None),
            ("lines=0-1", None),
            ("bytes=0-1,3-4", None),
            ("bytes=a-b", None),
            ("bytes=+1-2", None),
            ("bytes=1--2", None),
        ] {
            assert_eq!(requested_range(header, 10), expected, "{header}");
        }
        assert_eq!(requested_range("bytes=0-0", 0), None);
        assert_eq!(requested_range("bytes=-1", 0), None);
    }
}
