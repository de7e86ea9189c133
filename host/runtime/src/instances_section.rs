//! Whether the instances of a component are to be used again as they are: what the build room has written into it
//! (`host/build/src/instances.rs`).
use crate::sections::custom_sections;

const NAME: &str = "weir:instances";
const REUSED: &[u8] = b"reused";

/// Whether the component asks for it. A section that says something else was written by a newer build, and asks for
/// what this host does not know: then calls are kept apart, as they are without it.
pub(crate) fn are_reused(component: &[u8]) -> bool {
    custom_sections(component, NAME).any(|content| content == REUSED)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use wasm_encoder::{Component, CustomSection};

    use super::*;

    fn with(name: &str, content: &[u8]) -> Vec<u8> {
        let mut component = Component::new();
        component.section(&CustomSection { name: Cow::Borrowed("other"), data: Cow::Borrowed(REUSED) });
        component.section(&CustomSection { name: Cow::Borrowed(name), data: Cow::Borrowed(content) });
        component.finish()
    }

    #[test]
    fn only_what_it_knows_is_taken_for_yes() {
        assert!(are_reused(&with(NAME, REUSED)));
        for (name, content) in [(NAME, &b"fresh"[..]), (NAME, b""), (NAME, b"reused "), ("weir:node", REUSED)]
        {
            assert!(!are_reused(&with(name, content)), "{name} {content:?}");
        }
        assert!(!are_reused(b"") && !are_reused(&with(NAME, REUSED)[..20]));
    }
}
