//! The same cases in each language, with the same outcome, which stands in `transcript.txt`.
//!
//! `WEIR_WRITE_TRANSCRIPT=1 cargo test --workspace --test conformance rust` writes the transcript anew,
//! from Rust; the other languages are checked against it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use weir_build::{Instances, Language};
use weir_conformance::{Cases, Guest, Transcript, folder, record, runtime};

/// Set: the transcript is written from what the Rust functions do.
const WRITE_VARIABLE: &str = "WEIR_WRITE_TRANSCRIPT";

/// What npm `convex` says itself, before the SDK or the host is asked, and what the others say there.
const NPM_WORDS: [(&str, &str); 3] = [
    (
        "System tables can only be accessed from db.system.query().",
        "`_indexes` is one of the host's own tables: read it as a system table.",
    ),
    (
        "System tables (prefixed with `_`) are read-only.",
        "the table name \"_indexes\" starts with '_', which is reserved; begin it with a letter",
    ),
    (
        "undefined: The arguments to a Convex function must be an object. Received: 1",
        "InvalidArguments: The arguments for `scheduled:add` are not an object; pass one with named fields.",
    ),
];

#[test]
fn rust() -> Result<()> {
    let found = recorded(Language::Rust, Instances::Fresh)?;
    if std::env::var_os(WRITE_VARIABLE).is_some() {
        fs::write(transcript_file(), found.to_text())?;
    }
    compare(Language::Rust, &found)?;
    where_reused(Language::Rust)
}

#[test]
fn go() -> Result<()> {
    compare(Language::Go, &recorded(Language::Go, Instances::Fresh)?)?;
    where_reused(Language::Go)
}

#[test]
fn assemblyscript() -> Result<()> {
    compare(Language::AssemblyScript, &recorded(Language::AssemblyScript, Instances::Fresh)?)
}

#[test]
fn typescript() -> Result<()> {
    let found = recorded(Language::TypeScript, Instances::Fresh)?.to_text();
    let found = NPM_WORDS.iter().fold(found, |text, (npm, ours)| text.replace(npm, ours));
    compare(Language::TypeScript, &Transcript::parse(&found))
}

/// Where instances serve one call after another as they are. What a module keeps of a variable is no case: that it stays is
/// what such instances are for.
fn where_reused(language: Language) -> Result<()> {
    const KEPT: &str = "== what top-level code keeps of a variable";
    let mut differences = differences(&recorded(language, Instances::Reused)?)?;
    differences.retain(|section| !section.starts_with(KEPT));
    told(language, &differences).context("with reused instances")
}

fn transcript_file() -> PathBuf {
    folder("conformance/transcript.txt")
}

fn recorded(language: Language, instances: Instances) -> Result<Transcript> {
    let cases = fs::read_to_string(folder("conformance/cases.toml"))?;
    let cases = Cases::parse(&cases).context("reading cases.toml")?;
    let runtime = runtime()?;
    let build = |language: Language| {
        Guest::build_for(runtime.clone(), &folder("conformance").join(language.name()), language, instances)
    };
    let guest = build(language)?;
    let mounting = guest.mounting(&build(Language::Rust)?)?;
    record(&guest, &mounting, &cases)
}

fn compare(language: Language, found: &Transcript) -> Result<()> {
    told(language, &differences(found)?)
}

fn differences(found: &Transcript) -> Result<Vec<String>> {
    let text = fs::read_to_string(transcript_file())
        .with_context(|| format!("no transcript; write it with {WRITE_VARIABLE}=1 and the test `rust`"))?;
    Ok(Transcript::parse(&text).differences(found))
}

fn told(language: Language, differences: &[String]) -> Result<()> {
    if !differences.is_empty() {
        let (name, count) = (language.name(), differences.len());
        bail!("{count} sections of the transcript differ in {name}:\n\n{}", differences.join("\n"));
    }
    Ok(())
}
