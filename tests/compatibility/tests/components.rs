//! Components of the past, in the host of today: see `README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use weir_build::snapshots::make;
use weir_db::{FunctionKind, MissingFunctions, Variables};
use weir_runtime::{ModuleSource, Runtime, RuntimeOptions};
use weir_testing::{NOW_MS_DEFAULT, TestDatabase};

/// All of them, with the SHA-256 of the file. Lines are added, never changed or removed.
const COMPONENTS: [(&str, &str); 4] = [
    ("0.1.0-2026-11-29/rust.wasm.zz", "a74ae2b4a10a5bafde72c387fe7a5d3595055ce246acc170a8e8bde85f7bab2d"),
    ("0.1.0-2026-11-29/go.wasm.zz", "897d7f3e683d8210295d62a279775fd124e580e61f5d3d723e7e509466538047"),
    (
        "0.1.0-2026-11-29/assemblyscript.wasm.zz",
        "d571c6339667069df2ca7971ebf32342daf539af6b2f516e5a9355d7caeaaabf",
    ),
    (
        "0.1.0-2026-11-29/typescript.wasm.zz",
        "b6d4c8d7cd64515493f31c36dd59605ca4de144f23bfba8dfdc5932a4c0ea8c9",
    ),
];

const COMPONENT_BYTES_MAX: usize = 64 << 20;

#[test]
fn what_was_built_once_loads_and_runs() -> Result<()> {
    let options = RuntimeOptions {
        // Compiling takes longer than all the rest.
        compiled_dir: weir_build::cache_folder().map(|folder| folder.join("compiled")),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(options)?;
    let run = |(name, _): &(&str, _)| {
        let broken = |error| {
            format!(
                "{name}: a component that an SDK has built in the past fails in this host, as it would in every data \
                 folder where one like it is deployed. What must change is the host: let `wit/` only grow.\n{error:?}"
            )
        };
        deploy_and_call(&runtime, name).map_err(broken).err()
    };
    let failures: Vec<String> = COMPONENTS.iter().filter_map(run).collect();
    ensure!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(())
}

#[test]
fn none_was_changed_or_removed() -> Result<()> {
    let mut found = BTreeMap::new();
    for folder in fs::read_dir(root())?.map(|entry| entry.map(|entry| entry.path())) {
        let folder = folder?;
        if !folder.join("rust.wasm.zz").is_file() {
            continue;
        }
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            let name = path.strip_prefix(root())?.display().to_string();
            found.insert(name, sha256_hex(&fs::read(&path)?));
        }
    }
    for (name, sha256) in COMPONENTS {
        let as_it_was = found.remove(name).is_some_and(|found| found == sha256);
        ensure!(as_it_was, "{name} was changed or removed; get it back from the history: see README.md");
    }
    ensure!(found.is_empty(), "add these to `COMPONENTS`: {found:#?}");
    Ok(())
}

/// As the server takes a deployment in, with no variables set; then a document is written and read.
fn deploy_and_call(runtime: &Arc<Runtime>, name: &str) -> Result<()> {
    let component = read(name)?;
    let made = make(&component, &BTreeMap::new(), None).context("it is made to fit the variables")?;
    let component = made.component.map_or(component, Bytes::from);
    let source = ModuleSource { name: "todos".to_owned(), component };
    let deployment = runtime.load_beside(&[source], MissingFunctions::default(), &Variables::default());
    let deployment = deployment.context("it is loaded")?;
    let schema = deployment.schema().clone();
    let mut db = TestDatabase::new(deployment, &schema, NOW_MS_DEFAULT, 1).context("it is deployed")?;
    let id = call(&mut db, FunctionKind::Mutation, "todos:add", &json!({"text": " stay compatible "}))?;
    let listed = call(&mut db, FunctionKind::Query, "todos:list", &json!({}))?;
    let expected = json!([
        {"_creationTime": NOW_MS_DEFAULT as u64, "_id": id, "done": false, "text": "stay compatible"},
    ]);
    ensure!(listed == expected, "it lists {listed}, not {expected}");
    Ok(())
}

fn call(db: &mut TestDatabase, kind: FunctionKind, path: &str, args: &Json) -> Result<Json> {
    let outcome = db.call(kind, path, Bytes::from(args.to_string()))?;
    let result =
        outcome.result.map_err(|error| anyhow::anyhow!("{path}: {}: {}", error.code, error.message))?;
    Ok(serde_json::from_slice(&result)?)
}

fn read(name: &str) -> Result<Bytes> {
    let compressed = fs::read(root().join(name)).context("it cannot be read")?;
    let component = decompress_to_vec_zlib_with_limit(&compressed, COMPONENT_BYTES_MAX);
    Ok(component.map_err(|error| anyhow::anyhow!("it cannot be decompressed: {error}"))?.into())
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
