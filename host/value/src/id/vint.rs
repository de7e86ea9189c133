//! Numbers of tables in 1 to 5 bytes, the smaller the shorter. The ones that the first byte
//! starts with count the bytes that follow, as in UTF-8; byte order is number order.

/// The most bytes that a number takes.
pub(super) const BYTES_MAX: usize = 5;

/// The smallest number of 1, 2, .. bytes.
const SMALLEST: [u32; BYTES_MAX] = [0, 0x80, 0x4000, 0x20_0000, 0x1000_0000];

/// Appends the number.
pub(super) fn write(number: u32, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    match number {
        0..0x80 => out.push(bytes[3]),
        0x80..0x4000 => out.extend([bytes[2] | 0x80, bytes[3]]),
        0x4000..0x20_0000 => out.extend([bytes[1] | 0xC0, bytes[2], bytes[3]]),
        0x20_0000..0x1000_0000 => out.extend([bytes[0] | 0xE0, bytes[1], bytes[2], bytes[3]]),
        0x1000_0000.. => out.extend([0xF0, bytes[0], bytes[1], bytes[2], bytes[3]]),
    }
}

/// Takes a number off the front; `None` unless it stands there in its shortest form.
pub(super) fn read(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let first = *bytes.first()?;
    let count = 1 + first.leading_ones() as usize;
    if count > BYTES_MAX || (count == BYTES_MAX && first != 0xF0) {
        return None;
    }
    let (head, rest) = bytes.split_at_checked(count)?;
    let high = u32::from(first) & (0xFF >> count);
    let number = head[1..].iter().fold(high, |number, &byte| number << 8 | u32::from(byte));
    (number >= SMALLEST[count - 1]).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(number: u32) -> Vec<u8> {
        let mut out = Vec::new();
        write(number, &mut out);
        out
    }

    #[test]
    fn the_forms() {
        let cases: [(u32, &[u8]); 10] = [
            (0, &[0]),
            (0x7F, &[0x7F]),
            (0x80, &[0x80, 0x80]),
            (10_001, &[0xA7, 0x11]),
            (0x3FFF, &[0xBF, 0xFF]),
            (0x4000, &[0xC0, 0x40, 0x00]),
            (0x1F_FFFF, &[0xDF, 0xFF, 0xFF]),
            (0x20_0000, &[0xE0, 0x20, 0x00, 0x00]),
            (0x0FFF_FFFF, &[0xEF, 0xFF, 0xFF, 0xFF]),
            (u32::MAX, &[0xF0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ];
        for (number, form) in cases {
            assert_eq!(bytes(number), form, "{number}");
            assert_eq!(read(form), Some((number, &[][..])), "{number}");
        }
    }

    #[test]
    fn longer_forms_are_refused() {
        let forms: [&[u8]; 6] =
            [&[], &[0x80], &[0x80, 0x01], &[0xC0, 0x00, 0x01], &[0xF0, 0, 0, 0, 1], &[0xF8, 0, 0, 0, 0, 1]];
        for form in forms {
            assert_eq!(read(form), None, "{form:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trips_in_order(a: u32, b: u32) {
            let (form_a, form_b) = (bytes(a), bytes(b));
            prop_assert_eq!(read(&form_a), Some((a, &[][..])));
            prop_assert_eq!(a.cmp(&b), form_a.cmp(&form_b));
        }
    }
}
