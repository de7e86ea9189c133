//! Fletcher-16, which ids end with. Finds typing errors; no protection against forgery.

/// The check sum of bytes: two sums modulo 255, the second in the high byte.
pub(super) fn fletcher16(bytes: &[u8]) -> u16 {
    let (mut low, mut high) = (0_u32, 0_u32);
    // Sums of so few bytes do not overflow: the remainder is taken once for all of them.
    for block in bytes.chunks(1024) {
        for &byte in block {
            low += u32::from(byte);
            high += low;
        }
        (low, high) = (low % 255, high % 255);
    }
    (high << 8 | low) as u16
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

    #[test]
    fn long_texts_do_not_overflow() {
        let bytes = vec![254; 100_000];
        let (low, high) = bytes.iter().fold((0, 0), |(low, high), byte| {
            let low = (low + byte) % 255;
            (low, (high + low) % 255)
        });
        assert_eq!(fletcher16(&[254; 100_000]), high << 8 | low);
    }
}
