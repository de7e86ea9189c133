//! Compresses the languages' files: a tenth of the program's size, and a language is needed rarely.
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let mut names: Vec<String> = fs::read_dir("data")
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").file_name().into_string().expect("names are ASCII"))
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    let mut list = String::from("&[\n");
    for name in names {
        let text = fs::read(format!("data/{name}")).expect("it can be read");
        let made = miniz_oxide::deflate::compress_to_vec(&text, 9);
        let path = out.join(&name).with_extension("deflate");
        fs::write(&path, made).expect("the folder can be written");
        let stem = name.trim_end_matches(".json");
        writeln!(list, "({stem:?}, include_bytes!({path:?})),").expect("a text can be written");
    }
    list.push_str("]\n");
    fs::write(out.join("packs.rs"), list).expect("the folder can be written");
}
