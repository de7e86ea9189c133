//! What of a module runs in Node: the custom section that the build room has put into its component
//! (`host/build/src/typescript/node_section.rs` says its form). It comes from whoever deploys: everything is checked.
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use weir_db::NodeBundle;
use weir_value::limits::{MANIFEST_BYTES_MAX, NODE_BUNDLE_BYTES_MAX};

use crate::compiled_cache::hex;
use crate::manifest::FunctionJson;
use crate::sections::custom_sections;

const NAME: &str = "weir:node";
const FORMAT: u8 = 1;

/// What of a module runs in Node.
#[derive(Debug)]
pub(crate) struct NodePart {
    /// Its actions.
    pub(crate) functions: Vec<FunctionJson>,
    /// Where its source first says that it is for Node: `convex/mail.ts:1:1`.
    pub(crate) place: String,
    pub(crate) bundle: Arc<NodeBundle>,
}

#[derive(Deserialize)]
struct Header {
    place: String,
    functions: Vec<FunctionJson>,
    parts: [Part; 2],
}

#[derive(Deserialize)]
struct Part {
    bytes: usize,
    packed: usize,
}

/// Finds the section of a component, if it has one.
///
/// # Errors
/// It cannot be read: what is wrong with it.
pub(crate) fn find(component: &[u8]) -> Result<Option<NodePart>, String> {
    let part = custom_sections(component, NAME).next().map(decode).transpose();
    part.map_err(|reason| format!("its section `{NAME}`: {reason}"))
}

fn decode(content: &[u8]) -> Result<NodePart, String> {
    const CUT_OFF: &str = "it is cut off";
    let (format, rest) = content.split_first().ok_or(CUT_OFF)?;
    if *format != FORMAT {
        return Err(format!("its format is {format}; this host knows {FORMAT}: build again with its SDK"));
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(CUT_OFF)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MANIFEST_BYTES_MAX {
        return Err(format!("it describes its functions in {length} bytes, more than {MANIFEST_BYTES_MAX}"));
    }
    let (header, rest) = rest.split_at_checked(length).ok_or(CUT_OFF)?;
    let header: Header = serde_json::from_slice(header).map_err(|error| error.to_string())?;
    let [script, source_map] = header.parts;
    let bytes = script.bytes.saturating_add(source_map.bytes);
    if bytes > NODE_BUNDLE_BYTES_MAX {
        return Err(format!("its bundle has {bytes} bytes, more than {NODE_BUNDLE_BYTES_MAX}"));
    }
    let (packed_script, packed_map) = rest.split_at_checked(script.packed).ok_or(CUT_OFF)?;
    if packed_map.len() != source_map.packed {
        return Err("its parts have other lengths than it says".to_owned());
    }
    let (script, source_map) = (unpack(packed_script, script.bytes)?, unpack(packed_map, source_map.bytes)?);
    let mut digest = Sha256::new();
    digest.update(&script);
    digest.update(&source_map);
    let digest = hex(&digest.finalize());
    let bundle = Arc::new(NodeBundle { digest, script, source_map });
    Ok(NodePart { functions: header.functions, place: header.place, bundle })
}

fn unpack(packed: &[u8], bytes: usize) -> Result<Bytes, String> {
    let part = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, bytes);
    match part {
        Ok(part) if part.len() == bytes => Ok(Bytes::from(part)),
        Ok(_) => Err("a part has another length than it says".to_owned()),
        Err(error) => Err(format!("a part is damaged: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::{Value as Json, json};
    use wasm_encoder::{Component, CustomSection};

    use super::*;

    /// Damages a header.
    type Change = fn(&mut Json);

    fn content(change: impl FnOnce(&mut Json)) -> Vec<u8> {
        let parts = [&b"export const modules = {};"[..], b"{}"];
        let packed = parts.map(|part| miniz_oxide::deflate::compress_to_vec_zlib(part, 6));
        let lengths = [0, 1].map(|i| json!({ "bytes": parts[i].len(), "packed": packed[i].len() }));
        let function = json!({ "path": "a:b", "kind": "action", "visibility": "public" });
        let mut header = json!({ "place": "convex/a.ts:1:1", "functions": [function], "parts": lengths });
        change(&mut header);
        let header = header.to_string();
        let length = (header.len() as u32).to_le_bytes();
        [&[FORMAT], &length[..], header.as_bytes(), &packed[0], &packed[1]].concat()
    }

    fn component(content: &[u8]) -> Vec<u8> {
        let mut component = Component::new();
        component.section(&CustomSection { name: Cow::Borrowed("other"), data: Cow::Borrowed(b"x") });
        component.section(&CustomSection { name: Cow::Borrowed(NAME), data: Cow::Borrowed(content) });
        component.finish()
    }

    #[test]
    fn a_section_is_found_and_read() {
        let part = find(&component(&content(|_| ()))).unwrap().unwrap();
        assert_eq!(part.place, "convex/a.ts:1:1");
        assert_eq!(part.functions.len(), 1);
        assert_eq!(&part.bundle.script[..], b"export const modules = {};");
        assert_eq!(part.bundle.digest.len(), 64);
        assert!(find(&Component::new().finish()).unwrap().is_none());
        assert!(find(b"no component").unwrap().is_none());
    }

    #[test]
    fn what_is_damaged_or_too_large_is_an_error() {
        let whole = content(|_| ());
        for length in 0..whole.len() {
            assert!(find(&component(&whole[..length])).is_err(), "{length}");
        }
        assert!(find(&component(&[&whole[..], b"x"].concat())).is_err());
        let other = [&[FORMAT + 1], &whole[1..]].concat();
        assert!(find(&component(&other)).unwrap_err().contains("build again"));
        let changes: [(&str, Change); 5] = [
            ("more than", |header| header["parts"][0]["bytes"] = (NODE_BUNDLE_BYTES_MAX + 1).into()),
            ("more than", |header| header["parts"][0]["bytes"] = usize::MAX.into()),
            ("another length", |header| header["parts"][0]["bytes"] = 1000.into()),
            ("damaged", |header| header["parts"][0]["bytes"] = 3.into()),
            ("place", |header| drop(header.as_object_mut().unwrap().remove("place"))),
        ];
        for (expected, change) in changes {
            let error = find(&component(&content(change))).unwrap_err();
            assert!(error.contains(expected) && error.contains(NAME), "{expected}: {error}");
        }
    }
}
