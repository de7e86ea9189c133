//! Crockford's base 32 in lower case, strict: one text for each sequence of bytes. The digits
//! ascend in ASCII, so texts of one length sort as their bytes do.

/// The digits: no i, l, o, u.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Why a text is not base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base32Error {
    /// This is no digit.
    Digit(char),
    /// The bits left over at the end are not zero, or too many.
    Tail,
}

/// Digits by ASCII code; 255 for what is none.
const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit = 0;
    while digit < DIGITS.len() {
        values[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// Writes bytes, five bits a digit, zeros filling the last.
pub(super) fn encode(bytes: &[u8], out: &mut String) {
    let (mut bits, mut count) = (0_u32, 0);
    for &byte in bytes {
        bits = bits << 8 | u32::from(byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            out.push(char::from(DIGITS[(bits >> count & 31) as usize]));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        out.push(char::from(DIGITS[(bits << (5 - count) & 31) as usize]));
    }
}

/// So many bytes have so many digits, those of a digit that is cut short not counted.
pub(super) const fn decoded_bytes(digits: usize) -> usize {
    digits * 5 / 8
}

/// Reads what [`encode`] writes, and nothing else, into `out`, which has room for it.
pub(super) fn decode<'a>(text: &str, out: &'a mut [u8]) -> Result<&'a [u8], Base32Error> {
    let bytes = &mut out[..decoded_bytes(text.len())];
    let mut all = 0;
    // Eight digits are five bytes.
    let mut value = |digits: &[u8]| {
        digits.iter().fold(0_u64, |bits, digit| {
            let digit = VALUES[usize::from(*digit)];
            all |= digit;
            bits << 5 | u64::from(digit & 31)
        })
    };
    let (whole, rest) = text.as_bytes().as_chunks::<8>();
    let (blocks, tail) = bytes.as_chunks_mut::<5>();
    for (block, digits) in blocks.iter_mut().zip(whole) {
        block.copy_from_slice(&value(digits).to_be_bytes()[3..]);
    }
    let left = rest.len() * 5 % 8;
    let bits = value(rest);
    tail.copy_from_slice(&(bits >> left).to_be_bytes()[8 - tail.len()..]);
    if all > 31 {
        return Err(Base32Error::Digit(first_wrong(text)));
    }
    if left >= 5 || bits & ((1 << left) - 1) != 0 { Err(Base32Error::Tail) } else { Ok(bytes) }
}

fn first_wrong(text: &str) -> char {
    text.chars().find(|c| !c.is_ascii() || VALUES[*c as usize] == 255).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> String {
        let mut out = String::new();
        encode(bytes, &mut out);
        out
    }

    fn decode(text: &str) -> Result<Vec<u8>, Base32Error> {
        super::decode(text, &mut vec![0; decoded_bytes(text.len())]).map(<[u8]>::to_vec)
    }

    #[test]
    fn known_texts() {
        let cases: [(&[u8], &str); 5] =
            [(b"", ""), (b"f", "cr"), (b"fo", "csqg"), (b"foobar", "csqpyrk1e8"), (&[255; 5], "zzzzzzzz")];
        for (bytes, expected) in cases {
            assert_eq!(text(bytes), expected);
            assert_eq!(decode(expected).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let cases = [
            ("CR", Base32Error::Digit('C')),
            ("il", Base32Error::Digit('i')),
            ("0o", Base32Error::Digit('o')),
            ("0u", Base32Error::Digit('u')),
            ("c=", Base32Error::Digit('=')),
            ("cé", Base32Error::Digit('é')),
            ("c日", Base32Error::Digit('日')),
            ("cs", Base32Error::Tail),
            ("c", Base32Error::Tail),
            ("000", Base32Error::Tail),
        ];
        for (text, error) in cases {
            assert_eq!(decode(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trips_in_order(a: [u8; 19], b: [u8; 19], any: Vec<u8>) {
            prop_assert_eq!(decode(&text(&any)), Ok(any));
            prop_assert_eq!(text(&a).cmp(&text(&b)), a.cmp(&b));
        }

        #[test]
        fn decoding_is_canonical(input in "[0-9a-z]{0,40}|\\PC{0,40}") {
            if let Ok(bytes) = decode(&input) {
                prop_assert_eq!(text(&bytes), input);
            }
        }
    }
}
