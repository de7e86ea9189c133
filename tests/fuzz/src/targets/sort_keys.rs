//! Sort keys as the store gives them back: any bytes. What decodes is what would have been encoded.

use weir_value::commit_timestamp::Template;
use weir_value::{CreationTime, Timestamp, compare, sort_key};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "sort_keys",
    run,
    dictionary: &[
        "\0", "\u{1}", "\u{8}", "\u{10}", "\u{18}", " ", "(", "0", "1", "8", "@", "H", "P", "\0\u{1}", "a\0",
    ],
    bytes_max: 16 * 1024,
    rounds: 60_000,
    is_in_process: true,
};

fn run(input: &[u8]) {
    let mut rest = input;
    let mut before = None;
    while let Ok((value, behind)) = sort_key::decode(rest) {
        let key = &rest[..rest.len() - behind.len()];
        assert_eq!(sort_key::encode_to_vec(value.as_ref()), key, "one encoding");
        assert!(!key.is_empty(), "each value has bytes");
        if let Some((other, other_key)) = before.replace((value.clone(), key)) {
            assert_eq!(compare(other.as_ref(), value.as_ref()), other_key.cmp(key));
        }
        rest = behind;
    }
    let decoded = input.len() - rest.len();
    if let Ok(Some(template)) = Template::of_sort_keys(input, 0..decoded) {
        let complete = template.complete(Timestamp::from_nanos(7));
        let (_, left) = sort_key::decode(&complete).expect("what is completed is a key");
        assert!(left.len() < complete.len());
    }
    if let Ok(bits) = <[u8; 8]>::try_from(&input[..input.len().min(8)]) {
        check_bits(bits);
    }
}

fn check_bits(bits: [u8; 8]) {
    assert_eq!(sort_key::float_bits(sort_key::float_from_bits(bits)), bits);
    if let Some(time) = CreationTime::from_sort_bits(bits) {
        assert_eq!(time.sort_bits(), bits);
        assert_eq!(CreationTime::new(time.as_f64()), Ok(time));
    }
}
