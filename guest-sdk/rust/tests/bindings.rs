//! The checked-in bindings are what wit-bindgen makes of the world today.
//! `WEIR_BLESS=1 cargo test -p weir --test bindings` writes them anew.

use std::path::Path;

use wit_bindgen_core::{Files, WorldGenerator, wit_parser::Resolve};
use wit_bindgen_rust::Opts;

const HEADER: &str = "//! Made by wit-bindgen from the world in `wit/`; the test `bindings` says how.\n";

fn generate() -> String {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_path(wit).expect("the world parses");
    let world = resolve.select_world(&[package], Some("guest")).expect("it has a world `guest`");
    let options = Opts {
        runtime_path: Some("crate::host::abi".to_owned()),
        generate_all: true,
        export_macro_name: Some("export_guest".to_owned()),
        format: true,
        disable_run_ctors_once_workaround: false,
        ..Opts::default()
    };
    let mut files = Files::default();
    let mut generator = options.build();
    generator.generate(&mut resolve, world, &mut files).expect("the world has bindings");
    let (_, source) = files.iter().next().expect("one file");
    let source = std::str::from_utf8(source).expect("UTF-8");
    // Without the world's comments: they stand in `wit/`, and JSON in them
    // would be taken for Rust examples.
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("///"));
    lines.fold(HEADER.to_owned(), |text, line| text + line + "\n")
}

#[test]
fn bindings_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/host/bindings.rs");
    let generated = generate();
    if std::env::var_os("WEIR_BLESS").is_some() {
        std::fs::write(&path, &generated).expect("writing the bindings");
    }
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(current == generated, "the world changed; run this test with WEIR_BLESS=1");
}
