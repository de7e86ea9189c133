//! Compresses the languages' files, which `data/make.sh` has made: a tenth of the program's size, and a language is needed
//! rarely.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");
    let data = made().unwrap_or_else(|reason| {
        println!(
            "cargo::error=the data of languages is not there ({reason}); `scripts/setup intl` makes it of CLDR's packages \
             of npm"
        );
        process::exit(1);
    });
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut names: Vec<String> = fs::read_dir(&data)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").file_name().into_string().expect("names are ASCII"))
        .collect();
    names.sort();
    let mut list = String::from("&[\n");
    for name in names {
        let text = fs::read(data.join(&name)).expect("it can be read");
        let made = miniz_oxide::deflate::compress_to_vec(&text, 9);
        let path = out.join(&name).with_extension("deflate");
        fs::write(&path, made).expect("the folder can be written");
        let stem = name.trim_end_matches(".json");
        writeln!(list, "({stem:?}, include_bytes!({path:?})),").expect("a text can be written");
    }
    list.push_str("]\n");
    fs::write(out.join("packs.rs"), list).expect("the folder can be written");
}

/// The folder of the files.
fn made() -> Result<PathBuf, String> {
    let folder = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let output = Command::new("bash")
        .arg(Path::new(&folder).join("data/make.sh"))
        .arg("--cached")
        .output()
        .map_err(|error| format!("bash: {error}"))?;
    match output.status.success() {
        true => Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end())),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")),
    }
}
