//! The custom section of a component some of whose actions run in Node: their bundle, its source map, and which they are.
//!
//! A byte for the format, the length of a header in four (little-endian), the header, JSON: what `build/node.mjs` says of
//! the functions, and `parts`, the lengths of the bundle and the source map, which follow, compressed (zlib). The
//! runtime reads it (`host/runtime/src/node_section.rs`).

use std::borrow::Cow;

use anyhow::{Context, ensure};
use serde_json::{Value as Json, json};
use wasm_encoder::{Component, CustomSection, RawSection};

use crate::manifest::{Described, Function};
use crate::snapshots::section::sections;

/// The section's name.
const NAME: &str = "weir:node";

/// The format of this version.
const FORMAT: u8 = 1;

/// How large the bundle and its source map may be together, in bytes: what the runtime takes.
const PARTS_BYTES_MAX: usize = 64 << 20;

/// How well parts are compressed: little is gained by more.
const LEVEL: u8 = 6;

/// What of a project runs in Node.
pub(crate) struct NodePart {
    /// JSON: `{place, functions}`.
    pub(crate) description: String,
    /// A module of JavaScript.
    pub(crate) script: String,
    pub(crate) source_map: String,
}

/// The functions of a component that run in Node.
///
/// # Errors
/// The section is damaged, or of another version's format.
pub(crate) fn functions(component: &[u8]) -> anyhow::Result<Vec<Function>> {
    let mut custom = sections(component)?.into_iter().filter_map(|section| section.custom(NAME));
    let Some(content) = custom.next_back() else { return Ok(Vec::new()) };
    let header = match content {
        [FORMAT, a, b, c, d, rest @ ..] => rest.get(..u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => None,
    };
    let header = header.with_context(|| format!("its section {NAME} is damaged, or of another version"))?;
    Ok(serde_json::from_slice::<Described>(header).context(NAME)?.functions)
}

impl NodePart {
    /// The component with this section.
    pub(crate) fn add_to(&self, component: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut with = Component::new();
        for section in sections(component)? {
            with.section(&RawSection { id: section.id, data: section.data });
        }
        with.section(&CustomSection { name: Cow::Borrowed(NAME), data: Cow::Owned(self.encode()?) });
        Ok(with.finish())
    }

    fn encode(&self) -> anyhow::Result<Vec<u8>> {
        let parts = [&self.script, &self.source_map];
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        ensure!(
            bytes <= PARTS_BYTES_MAX,
            "the bundle of the files with \"use node\" has {bytes} bytes with its source map, more than \
             {PARTS_BYTES_MAX}: leave packages out that they do not need"
        );
        let packed = parts.map(|part| miniz_oxide::deflate::compress_to_vec_zlib(part.as_bytes(), LEVEL));
        let lengths = [0, 1].map(|i| json!({ "bytes": parts[i].len(), "packed": packed[i].len() }));
        let mut header: Json = serde_json::from_str(&self.description).context("node.json")?;
        header["parts"] = lengths.into();
        let header = serde_json::to_vec(&header)?;
        let mut content = vec![FORMAT];
        content.extend_from_slice(&u32::try_from(header.len())?.to_le_bytes());
        content.extend_from_slice(&header);
        packed.iter().for_each(|part| content.extend_from_slice(part));
        Ok(content)
    }
}
