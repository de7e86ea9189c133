//! Makes the bindings of the world in `wit/` with wit-bindgen, so that they are always those of this version.

use std::path::{Path, PathBuf};

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::Opts;

fn main() {
    let wit = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"))
        .join("../../wit");
    println!("cargo::rerun-if-changed={}", wit.display());
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("bindings.rs"), bindings(&wit)).expect("OUT_DIR can be written");
}

fn bindings(wit: &Path) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).expect("the world parses");
    let world = resolve.select_world(&[package], Some("guest")).expect("it has a world `guest`");
    let options = Opts {
        // The SDK's own, which is smaller than that of the crate wit-bindgen.
        runtime_path: Some("crate::host::abi".to_owned()),
        generate_all: true,
        export_macro_name: Some("export_guest".to_owned()),
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).expect("the world has bindings");
    let (_, source) = files.iter().next().expect("one file");
    source.to_vec()
}
