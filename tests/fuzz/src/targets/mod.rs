//! The targets, and what is common to them.

mod client_messages;
mod components;
mod diffs;
mod frames;
mod http_bodies;
mod http_heads;
mod log_records;
mod manifests;
mod paths;
mod providers;
mod query_plans;
mod sessions;
mod sort_keys;
mod tokens;
mod validators;
mod values;

/// Something that is fed with bytes from outside.
#[derive(Debug)]
pub struct Target {
    /// Its name, which its folder in the corpus has too.
    pub name: &'static str,
    /// Takes any bytes; panics where a property does not hold.
    pub run: fn(&[u8]),
    /// What stands in good inputs more often than by chance.
    pub dictionary: &'static [&'static str],
    /// How long inputs are at most.
    pub bytes_max: usize,
    /// How many new inputs a test run tries: some seconds' worth, in a debug build.
    pub rounds: usize,
    /// Whether what it tests runs in this process, where a fuzzer sees what an input covers.
    pub is_in_process: bool,
}

/// All of them.
pub static TARGETS: &[Target] = &[
    client_messages::TARGET,
    components::TARGET,
    diffs::TARGET,
    frames::TARGET,
    http_bodies::TARGET,
    http_heads::TARGET,
    log_records::TARGET,
    manifests::TARGET,
    paths::TARGET,
    providers::TARGET,
    query_plans::TARGET,
    sessions::TARGET,
    sort_keys::TARGET,
    tokens::TARGET,
    validators::TARGET,
    values::TARGET,
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// What JSON is made of, in the encoding of values.
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "false",
    "\"a\":",
    "\"b\"",
    "1.5",
    "-0.0",
    "1e308",
    "1e-320",
    "\\u0000",
    "\\ud800",
    "\\\"",
    "\u{7f}",
    "é",
    "\u{1f600}",
    "{\"$integer\":\"AQAAAAAAAAA=\"}",
    "{\"$float\":\"AAAAAAAA8H8=\"}",
    "{\"$float\":\"AAAAAAAAAIA=\"}",
    "{\"$bytes\":\"AAE=\"}",
    "{\"$undefined\":null}",
    "{\"$commitTs\":null}",
    "\"$integer\":",
    "\"$set\":",
    "_id",
    "__proto__",
    "\n",
];
