//! The JavaScript engine is most of a project in TypeScript, and the same in all of them.

use std::fs;
use std::path::Path;

use anyhow::Result;
use weir_build::Language;
use weir_conformance::{deploy, folder};
use weir_runtime::{Runtime, RuntimeOptions};

/// The files of compiled code.
fn compiled(dir: &Path) -> Result<usize> {
    let names = fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
    let names: Vec<String> = names.collect::<Result<_>>()?;
    Ok(names.iter().filter(|name| name.ends_with(".cwasm")).count())
}

#[test]
fn a_second_project_compiles_its_memory_alone() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = RuntimeOptions { compiled_dir: Some(dir.path().to_owned()), ..RuntimeOptions::default() };
    let runtime = Runtime::new(options)?;
    for (project, files) in [("../examples/chat/typescript", 2), ("../guest-sdk/typescript/test/programs", 3)]
    {
        deploy(&runtime, &folder(project), Language::TypeScript)?;
        assert_eq!(compiled(dir.path())?, files, "after {project}");
    }
    Ok(())
}
