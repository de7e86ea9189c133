//! Fletcher-16, which ids end with. Finds typing errors; no protection against forgery.

/// The check sum of bytes: two sums modulo 255, the second in the high byte.
pub(super) fn fletcher16(bytes: &[u8]) -> u16 {
    let (low, high) = bytes.iter().fold((0_u16, 0_u16), |(low, high), &byte| {
        let low = (low + u16::from(byte)) % 255;
        (low, (high + low) % 255)
    });
    high << 8 | low
}

#[cfg(test)]
mod tests {
    use super::fletcher16;

    #[test]
    fn published_vectors() {
        for (text, sum) in [("", 0), ("abcde", 0xC8F0), ("abcdef", 0x2057), ("abcdefgh", 0x0627)] {
            assert_eq!(fletcher16(text.as_bytes()), sum, "{text}");
        }
    }
}
