//! The sections of WebAssembly's binaries: components and core modules are framed alike.
use wasm_encoder::ComponentSectionId;
use wasmparser::{BinaryReader, FromReader, SectionLimited};

const CUSTOM_SECTION: u8 = 0;
pub(crate) const CORE_MODULE_SECTION: u8 = ComponentSectionId::CoreModule as u8;
pub(crate) const CORE_INSTANCE_SECTION: u8 = ComponentSectionId::CoreInstance as u8;
pub(crate) const CORE_TYPE_SECTION: u8 = ComponentSectionId::CoreType as u8;
pub(crate) const COMPONENT_SECTION: u8 = ComponentSectionId::Component as u8;
pub(crate) const ALIAS_SECTION: u8 = ComponentSectionId::Alias as u8;
pub(crate) const TYPE_SECTION: u8 = ComponentSectionId::Type as u8;
pub(crate) const CANONICAL_SECTION: u8 = ComponentSectionId::CanonicalFunction as u8;
pub(crate) const IMPORT_SECTION: u8 = ComponentSectionId::Import as u8;
pub(crate) const EXPORT_SECTION: u8 = ComponentSectionId::Export as u8;

/// `\0asm`, a version, a layer.
const PREAMBLE_BYTES: usize = 8;

/// The sections of a binary, without a look into them: each one's number and content. `None`: what follows is no
/// section, and nothing comes after it.
pub(crate) fn sections(binary: &[u8]) -> impl Iterator<Item = Option<(u8, &[u8])>> {
    let mut rest = binary.get(PREAMBLE_BYTES..);
    std::iter::from_fn(move || {
        let bytes = match rest {
            None => {
                rest = Some(&[]);
                return Some(None);
            }
            Some([]) => return None,
            Some(bytes) => bytes,
        };
        let mut reader = BinaryReader::new(bytes, 0);
        let section = read_section(&mut reader);
        rest = Some(if section.is_some() { &bytes[reader.original_position()..] } else { &[] });
        Some(section)
    })
}

/// The contents of the custom sections of this name, in their order.
pub(crate) fn custom_sections<'a>(binary: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let customs = sections(binary).flatten().filter(|(number, _)| *number == CUSTOM_SECTION);
    customs.filter_map(move |(_, section)| {
        let mut reader = BinaryReader::new(section, 0);
        let is_it = reader.read_string().is_ok_and(|found| found == name);
        is_it.then(|| &section[reader.original_position()..])
    })
}

/// What is in a section that is a list. `None`: it is something else.
pub(crate) fn items<'a, T: FromReader<'a>>(section: &'a [u8]) -> Option<Vec<T>> {
    SectionLimited::new(BinaryReader::new(section, 0)).ok()?.into_iter().collect::<Result<_, _>>().ok()
}

fn read_section<'a>(reader: &mut BinaryReader<'a>) -> Option<(u8, &'a [u8])> {
    let number = reader.read_u8().ok()?;
    let length = reader.read_var_u32().ok()?;
    Some((number, reader.read_bytes(length as usize).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_is_given_in_order() {
        let module = wat::parse_str(r#"(module (memory 1) (data (i32.const 1) "a"))"#).unwrap();
        let numbers: Vec<_> = sections(&module).map(|section| section.unwrap().0).collect();
        assert_eq!(numbers, [wasm_encoder::SectionId::Memory as u8, wasm_encoder::SectionId::Data as u8]);
        assert_eq!(sections(&module[..PREAMBLE_BYTES]).count(), 0);
    }

    #[test]
    fn what_is_cut_off_is_no_section() {
        let module = wat::parse_str(r#"(module (memory 1) (data (i32.const 1) "a"))"#).unwrap();
        for length in [0, 3, PREAMBLE_BYTES + 1, module.len() - 1] {
            let cut = sections(&module[..length]).collect::<Vec<_>>();
            assert_eq!(cut.last(), Some(&None), "{length}");
        }
    }
}
