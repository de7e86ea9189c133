//! The world's exports.
#![allow(unsafe_code, reason = "exports are unsafe attributes")]

use super::bindings::{self, Failure, Guest};
use crate::function;

struct Module;

impl Guest for Module {
    fn describe() -> Vec<u8> {
        crate::panic::report_to_host();
        function::manifest()
    }

    fn call(path: String, args: Vec<u8>) -> Result<Vec<u8>, Failure> {
        crate::panic::report_to_host();
        function::call(&path, &args).map_err(Failure::from)
    }
}

bindings::export_guest!(Module with_types_in bindings);
