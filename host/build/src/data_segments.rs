//! Fewer data segments: what stands between two that are near each other is
//! zeros, and each segment costs every instance a little.

use wasm_encoder::{ConstExpr, DataCountSection, DataSection, Module, RawSection};
use wasmparser::{DataKind, FunctionBody, Operator, Parser, Payload, SectionLimited};

/// Segments nearer to each other than this become one. A pre-initialised Go guest
/// has 50,000 of them, those included that its start has used up, which cost 80 us
/// an instance; with this there are some dozens, and the module is no larger.
const GAP_BYTES_MAX: usize = 16 << 10;

/// A piece of memory that is not zero.
struct Segment {
    start: usize,
    bytes: Vec<u8>,
}

/// Merges the data segments of a core module that has one memory, and leaves out
/// those that nothing asks for. A module that names its segments in its code, or
/// computes where they go, is given back as it is.
///
/// # Errors
/// What the parser says of an invalid module.
pub(crate) fn merge(module: &[u8]) -> wasmparser::Result<Vec<u8>> {
    let mut merged = Module::new();
    let mut segments = None;
    for payload in Parser::new(0).parse_all(module) {
        let unchanged = match payload? {
            Payload::CodeSectionEntry(body) => names_segments(&body)?,
            Payload::DataSection(section) => {
                segments = read(section)?.map(join);
                segments.is_none()
            }
            _ => false,
        };
        if unchanged {
            return Ok(module.to_vec());
        }
    }
    let Some(segments) = segments else {
        return Ok(module.to_vec());
    };
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::DataCountSection { .. } => {
                merged.section(&DataCountSection { count: segments.len() as u32 });
            }
            Payload::DataSection(_) => {
                merged.section(&section_of(&segments));
            }
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    merged.section(&RawSection { id, data: &module[range] });
                }
            }
        }
    }
    Ok(merged.finish())
}

/// Whether a function copies a segment into memory by itself, or drops one.
fn names_segments(body: &FunctionBody<'_>) -> wasmparser::Result<bool> {
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        if let Operator::MemoryInit { .. } | Operator::DataDrop { .. } = operators.read()? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The segments that are put into memory at the start, in the order of their
/// addresses; `None` if it is not known where, or if one lies on another.
fn read(section: SectionLimited<'_, wasmparser::Data<'_>>) -> wasmparser::Result<Option<Vec<Segment>>> {
    let mut segments: Vec<Segment> = Vec::new();
    for data in section {
        let data = data?;
        let offset_expr = match data.kind {
            DataKind::Passive => continue,
            DataKind::Active { memory_index: 0, offset_expr } => offset_expr,
            DataKind::Active { .. } => return Ok(None),
        };
        let mut operators = offset_expr.get_operators_reader();
        let Operator::I32Const { value } = operators.read()? else {
            return Ok(None);
        };
        segments.push(Segment { start: value as u32 as usize, bytes: data.data.to_vec() });
    }
    segments.sort_by_key(|segment| segment.start);
    let overlap = segments.windows(2).any(|pair| pair[0].start + pair[0].bytes.len() > pair[1].start);
    Ok((!overlap).then_some(segments))
}

fn join(segments: Vec<Segment>) -> Vec<Segment> {
    let mut joined: Vec<Segment> = Vec::new();
    for segment in segments {
        match joined.last_mut() {
            Some(last) if segment.start - (last.start + last.bytes.len()) < GAP_BYTES_MAX => {
                last.bytes.resize(segment.start - last.start, 0);
                last.bytes.extend_from_slice(&segment.bytes);
            }
            _ => joined.push(segment),
        }
    }
    joined
}

fn section_of(segments: &[Segment]) -> DataSection {
    let mut section = DataSection::new();
    for segment in segments {
        section.active(0, &ConstExpr::i32_const(segment.start as u32 as i32), segment.bytes.iter().copied());
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments_of(module: &[u8]) -> Vec<(usize, Vec<u8>)> {
        let sections = Parser::new(0).parse_all(module).filter_map(|payload| match payload.unwrap() {
            Payload::DataSection(section) => Some(section),
            _ => None,
        });
        let segments = sections.flat_map(|section| read(section).unwrap().unwrap());
        segments.map(|segment| (segment.start, segment.bytes)).collect()
    }

    #[test]
    fn neighbours_become_one() {
        let text = r#"(module (memory 4) (func (export "f"))
            (data (i32.const 100000) "far") (data (i32.const 12) "b") (data (i32.const 10) "a") (data "unused"))"#;
        let merged = merge(&wat::parse_str(text).unwrap()).unwrap();
        wasmparser::validate(&merged).unwrap();
        assert_eq!(segments_of(&merged), [(10, b"a\0b".to_vec()), (100_000, b"far".to_vec())]);
    }

    #[test]
    fn a_module_that_needs_its_segments_keeps_them() {
        let modules = [
            r#"(module (memory 1) (data (i32.const 1) "a") (data $used "bb")
                (func (memory.init $used (i32.const 8) (i32.const 0) (i32.const 2))))"#,
            r#"(module (memory 1) (data (i32.const 1) "aa") (data (i32.const 2) "overlap"))"#,
            "(module (memory 1))",
        ];
        for text in modules {
            let module = wat::parse_str(text).unwrap();
            assert_eq!(merge(&module).unwrap(), module);
        }
        assert!(merge(b"no module").is_err());
    }
}
