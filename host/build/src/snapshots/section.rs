//! The custom section of a component whose snapshot depends on variables: which it read, what it had of them, and what
//! the snapshot is made of.
//!
//! A byte for the format, the length of a header in four (little-endian), the header, JSON; then the parts, each
//! compressed (zlib). It comes from whoever deploys: everything is checked.

use std::borrow::Cow;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use wasm_encoder::{Component, CustomSection, RawSection};
use wasmparser::{BinaryReader, Parser, Payload};

use super::variables::Reads;

/// The section's name.
const NAME: &str = "weir:snapshot";

/// The format of this version.
const FORMAT: u8 = 1;

/// What parts may come to together, unpacked: more than a deployment.
const PARTS_BYTES_MAX: usize = 96 << 20;

/// How well parts are compressed: little is gained by more.
const LEVEL: u8 = 6;

/// How a snapshot is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Recipe {
    /// Of the core module, by running Go's start.
    Go,
    /// Of the core module, by running its top-level code.
    AssemblyScript,
    /// Of the runtime, the bundle, its source map and the engine's memory, by loading the bundle into the engine.
    TypeScript,
}

/// What a snapshot was made with, and how it is made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) recipe: Recipe,
    pub(crate) reads: Reads,
    /// What it had of the variables ([`Reads::digest`]); `None`: there is no snapshot, because its top-level code failed
    /// with what it was given.
    pub(crate) made_with: Option<String>,
    /// What the recipe wants, in its order, compressed, with the lengths that it has unpacked.
    parts: Vec<(Vec<u8>, usize)>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    recipe: Recipe,
    reads: Reads,
    #[serde(rename = "madeWith")]
    made_with: Option<String>,
    parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
struct Part {
    bytes: usize,
    packed: usize,
}

impl Section {
    /// Of parts that are not compressed yet.
    pub(crate) fn new(recipe: Recipe, reads: Reads, made_with: Option<String>, parts: &[&[u8]]) -> Section {
        let pack = |part: &&[u8]| (miniz_oxide::deflate::compress_to_vec_zlib(part, LEVEL), part.len());
        Section { recipe, reads, made_with, parts: parts.iter().map(pack).collect() }
    }

    /// The same, of a snapshot that was made of the same parts.
    pub(crate) fn made(&self, reads: Reads, made_with: String) -> Section {
        Section { reads, made_with: Some(made_with), ..self.clone() }
    }

    /// The section of a component, if it has one. What is no component has none: whoever loads it says what is wrong.
    ///
    /// # Errors
    /// It has one that cannot be read.
    pub(crate) fn find(component: &[u8]) -> anyhow::Result<Option<Section>> {
        for section in sections(component).unwrap_or_default() {
            if let Some(content) = section.custom(NAME) {
                return Section::decode(content).context("its section `weir:snapshot` is damaged").map(Some);
            }
        }
        Ok(None)
    }

    /// The component with this section, and without one that it had.
    ///
    /// # Errors
    /// It is no component.
    pub(crate) fn add_to(&self, component: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut with = Component::new();
        for section in sections(component)?.iter().filter(|section| section.custom(NAME).is_none()) {
            with.section(&RawSection { id: section.id, data: section.data });
        }
        with.section(&CustomSection { name: Cow::Borrowed(NAME), data: Cow::Owned(self.encode()) });
        Ok(with.finish())
    }

    /// The parts, unpacked.
    pub(crate) fn unpack<const N: usize>(&self) -> anyhow::Result<[Vec<u8>; N]> {
        let unpack = |(packed, bytes): &(Vec<u8>, usize)| {
            let part =
                miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, *bytes).map_err(|error| {
                    anyhow::anyhow!("a part of its section `weir:snapshot` is damaged: {error}")
                })?;
            ensure!(
                part.len() == *bytes,
                "a part of its section `weir:snapshot` has another length than it says"
            );
            Ok(part)
        };
        let parts = self.parts.iter().map(unpack).collect::<anyhow::Result<Vec<_>>>()?;
        let found = parts.len();
        parts
            .try_into()
            .map_err(|_| anyhow::anyhow!("its section `weir:snapshot` has {found} parts, not {N}"))
    }

    fn encode(&self) -> Vec<u8> {
        let part = |(packed, bytes): &(Vec<u8>, usize)| Part { bytes: *bytes, packed: packed.len() };
        let header = Header {
            recipe: self.recipe,
            reads: self.reads.clone(),
            made_with: self.made_with.clone(),
            parts: self.parts.iter().map(part).collect(),
        };
        let header = serde_json::to_vec(&header).expect("a header can be written");
        let mut content = vec![FORMAT];
        content.extend_from_slice(&(header.len() as u32).to_le_bytes());
        content.extend_from_slice(&header);
        self.parts.iter().for_each(|(packed, _)| content.extend_from_slice(packed));
        content
    }

    fn decode(content: &[u8]) -> anyhow::Result<Section> {
        let (format, rest) = content.split_first().context("it is empty")?;
        ensure!(
            *format == FORMAT,
            "its format is {format}; this host knows {FORMAT}: build again with its SDK"
        );
        let (length, rest) = rest.split_first_chunk::<4>().context("it is cut off")?;
        let length = u32::from_le_bytes(*length) as usize;
        let (header, mut rest) = rest.split_at_checked(length).context("it is cut off")?;
        let header: Header = serde_json::from_slice(header)?;
        let bytes = header.parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.bytes));
        ensure!(bytes <= PARTS_BYTES_MAX, "its parts have {bytes} bytes, more than {PARTS_BYTES_MAX}");
        let mut parts = Vec::with_capacity(header.parts.len());
        for part in header.parts {
            let (packed, after) = rest.split_at_checked(part.packed).context("it is cut off")?;
            parts.push((packed.to_vec(), part.bytes));
            rest = after;
        }
        ensure!(rest.is_empty(), "it goes on behind its parts");
        let Header { recipe, reads, made_with, .. } = header;
        Ok(Section { recipe, reads, made_with, parts })
    }
}

/// A section of a component, as it stands there.
pub(crate) struct Raw<'a> {
    pub(crate) id: u8,
    pub(crate) data: &'a [u8],
}

const CUSTOM_SECTION: u8 = 0;

/// The sections of a component, those of components in it not.
///
/// # Errors
/// It is no component, or it is cut off.
pub(crate) fn sections(component: &[u8]) -> anyhow::Result<Vec<Raw<'_>>> {
    match Parser::new(0).parse_all(component).next() {
        Some(Ok(Payload::Version { encoding: wasmparser::Encoding::Component, range, .. })) => {
            let mut reader = BinaryReader::new(&component[range.end..], range.end);
            let mut sections = Vec::new();
            while !reader.eof() {
                let (id, length) = (reader.read_u8()?, reader.read_var_u32()?);
                sections.push(Raw { id, data: reader.read_bytes(length as usize)? });
            }
            Ok(sections)
        }
        _ => bail!("it is no WebAssembly component"),
    }
}

impl<'a> Raw<'a> {
    /// What stands in it, if it is a custom section of this name.
    pub(crate) fn custom(&self, name: &str) -> Option<&'a [u8]> {
        if self.id != CUSTOM_SECTION {
            return None;
        }
        let mut reader = BinaryReader::new(self.data, 0);
        (reader.read_string().ok()? == name).then(|| &self.data[reader.original_position()..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(parts: &[&[u8]]) -> Section {
        let reads = Reads { names: ["KEY".to_owned()].into(), all: false };
        Section::new(Recipe::Go, reads, None, parts)
    }

    fn empty() -> Vec<u8> {
        Component::new().finish()
    }

    #[test]
    fn a_section_is_put_in_found_and_replaced() {
        let first = section(&[b"one", &[7; 100_000]]);
        let with = first.add_to(&empty()).unwrap();
        assert!(with.len() < 1_000, "it is compressed");
        assert_eq!(Section::find(&with).unwrap(), Some(first.clone()));
        let again = first.made(Reads { all: true, ..first.reads.clone() }, "digest".to_owned());
        let replaced = again.add_to(&with).unwrap();
        assert_eq!(Section::find(&replaced).unwrap(), Some(again.clone()));
        assert_eq!(sections(&replaced).unwrap().len(), 1);
        let [one, seven] = again.unpack::<2>().unwrap();
        assert_eq!((one.as_slice(), seven), (b"one".as_slice(), vec![7; 100_000]));
        assert!(again.unpack::<1>().unwrap_err().to_string().contains("2 parts, not 1"));
        assert_eq!(Section::find(&empty()).unwrap(), None);
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let content = section(&[b"one", b"two"]).encode();
        let named = |content: &[u8]| {
            let mut component = Component::new();
            component.section(&CustomSection { name: NAME.into(), data: content.into() });
            component.finish()
        };
        assert!(Section::find(&named(&content)).is_ok());
        for length in 0..content.len() {
            assert!(Section::find(&named(&content[..length])).is_err(), "{length}");
        }
        let other = [&[FORMAT + 1], &content[1..]].concat();
        assert!(format!("{:#}", Section::find(&named(&other)).unwrap_err()).contains("build again"));
        assert!(Section::find(&named(&[content.as_slice(), b"x"].concat())).is_err());
        for (text, other) in [(r#""bytes":3"#, r#""bytes":2"#), (r#""bytes":3"#, r#""bytes":4"#)] {
            let header = String::from_utf8_lossy(&content[5..]).into_owned();
            let length = header.find("]}").unwrap() + 2;
            let changed = header[..length].replace(text, other);
            let changed = [&content[..5], changed.as_bytes(), &content[5 + length..]].concat();
            assert!(Section::find(&named(&changed)).unwrap().unwrap().unpack::<2>().is_err(), "{other}");
        }
        let huge = Section { parts: vec![(Vec::new(), PARTS_BYTES_MAX), (Vec::new(), 1)], ..section(&[]) };
        assert!(Section::find(&named(&huge.encode())).is_err());
        for no_component in [&b""[..], b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0\x01\x05"] {
            assert_eq!(Section::find(no_component).unwrap(), None);
            assert!(section(&[]).add_to(no_component).is_err());
        }
    }
}
