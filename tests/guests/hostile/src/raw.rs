//! Ways around the SDK.

use serde::{Serialize, Serializer};
use weir::{Shape, Validator};

/// Bytes that go out as the result, whatever they are.
pub struct RawResult(pub Vec<u8>);

struct RawBytes<'a>(&'a [u8]);

impl Serialize for RawResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct("$weir::raw", &RawBytes(&self.0))
    }
}

impl Serialize for RawBytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Shape for RawResult {
    fn validator() -> Validator {
        Validator::Any
    }
}

/// Says that it is a number, and is a text.
pub struct Liar;

impl Serialize for Liar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("no number")
    }
}

impl Shape for Liar {
    fn validator() -> Validator {
        Validator::Number
    }
}

/// The host's `insert` itself; gives the error's code, or `inserted`.
pub fn insert(table: &str, document: &[u8]) -> String {
    #[link(wasm_import_module = "weir:guest/db@0.1.0")]
    unsafe extern "C" {
        #[link_name = "insert"]
        fn import(
            table: *const u8,
            table_bytes: usize,
            document: *const u8,
            document_bytes: usize,
            result: *mut [usize; 5],
        );
    }
    let mut result = [0; 5];
    // SAFETY: the shape of `result<string, error>` in the canonical ABI: which
    // of the two, then the addresses and lengths of one or two strings.
    unsafe {
        import(table.as_ptr(), table.len(), document.as_ptr(), document.len(), &raw mut result);
        if result[0] as u8 == 0 {
            return "inserted".to_owned();
        }
        String::from_raw_parts(result[1] as *mut u8, result[2], result[2])
    }
}
