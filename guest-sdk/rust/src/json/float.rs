//! The two encodings of 8 bytes: `$integer` and `$float`, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::JsonError;

/// The length of 8 bytes in base64.
const ENCODED_BYTES: usize = 12;

/// Whether JSON's own numbers cannot hold this one.
pub(super) fn is_special(number: f64) -> bool {
    !number.is_finite() || (number == 0.0 && number.is_sign_negative())
}

pub(super) fn write_eight(bytes: [u8; 8], out: &mut Vec<u8>) {
    let mut text = [0; ENCODED_BYTES];
    // Cannot fail: the buffer has room for 8 bytes.
    let _ = STANDARD.encode_slice(bytes, &mut text);
    out.extend_from_slice(&text);
}

pub(super) fn read_eight(text: &str) -> Result<[u8; 8], JsonError> {
    // The decoder wants room for its estimate, which is a byte more than it fills.
    let mut bytes = [0; 9];
    match STANDARD.decode_slice(text, &mut bytes) {
        Ok(8) => Ok(bytes[..8].try_into().unwrap_or_default()),
        _ => Err(JsonError::new("a 64-bit value is not 8 bytes of base64")),
    }
}
