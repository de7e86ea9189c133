//! What `instances = "reused"` in `host.toml` leaves in a component: a custom section, which the runtime reads
//! (`host/runtime/src/instances_section.rs`).

use std::borrow::Cow;

use wasm_encoder::{ComponentSection, CustomSection};

/// The section's name.
const NAME: &str = "weir:instances";
/// Its content.
const REUSED: &[u8] = b"reused";

/// Says in a component that its instances are to be used again as they are.
pub(crate) fn mark_as_reused(component: &mut Vec<u8>) {
    let section = CustomSection { name: Cow::Borrowed(NAME), data: Cow::Borrowed(REUSED) };
    section.append_to_component(component);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_component_has_one_section_more() {
        let mut component = wasm_encoder::Component::new().finish();
        let before = component.len();
        mark_as_reused(&mut component);
        assert_eq!(&component[before..], b"\x00\x15\x0eweir:instancesreused");
    }
}
