//! Differences of results: two lines are two results, and the patch from one leads to the other; any further line is a
//! patch for the last.

use serde_json::Value as Json;
use weir_sync::diff::{Tree, apply, diff};
use weir_value::Value;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "diffs",
    run,
    dictionary: &[
        "\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"_id\":",
        "{\"_id\":\"a\"},",
        "{\"_id\":\"b\",\"n\":1},",
        "1,",
        "\"a\":",
        "\"~0\":",
        "\"~1\":",
        "\"/\":",
        "{\"op\":\"add\",\"path\":\"/-\",\"value\":1}",
        "{\"op\":\"remove\",\"path\":\"/0\"}",
        "{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/1\"}",
        "{\"op\":\"replace\",\"path\":\"\",\"value\":",
        "{\"$integer\":\"AQAAAAAAAAA=\"}",
    ],
    bytes_max: 16 * 1024,
    rounds: 50_000,
    is_in_process: true,
};

fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let (one, other) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    if let (Ok(one), Ok(other)) = (Value::from_json(one.as_bytes()), Value::from_json(other.as_bytes())) {
        check(&one.to_json(), &other.to_json());
        check(&other.to_json(), &one.to_json());
    }
    // Texts that are no results: a patch may be missing, and nothing else goes wrong.
    if let (Some(one), Some(other)) = (Tree::parse(&one.into()), Tree::parse(&other.into())) {
        let _ = diff(&one, &other);
    }
    let mut document: Json = serde_json::from_str(other).unwrap_or_default();
    for patch in lines.take(8) {
        let _ = apply(&mut document, patch);
    }
}

fn check(base: &str, new: &str) {
    let trees = (Tree::parse(&base.into()), Tree::parse(&new.into()));
    let (Some(from), Some(to)) = trees else { return };
    let Some(patch) = diff(&from, &to) else { return };
    assert!(patch.len() < new.len(), "a patch is shorter than what it leads to");
    let read = |text: &str| serde_json::from_str::<Json>(text).expect("canonical text is JSON");
    let (mut patched, mut by_others) = (read(base), read(base));
    apply(&mut patched, &patch).unwrap_or_else(|error| panic!("{base} by {patch}: {error}"));
    assert_eq!(patched, read(new), "{base} by {patch}");
    // As other people understand RFC 6902.
    let operations: json_patch::Patch = serde_json::from_str(&patch).expect("a patch of RFC 6902");
    json_patch::patch(&mut by_others, &operations)
        .unwrap_or_else(|error| panic!("{base} by {patch}: {error}"));
    assert_eq!(by_others, read(new), "{base} by {patch}");
}
