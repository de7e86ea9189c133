//! Variables that modules read in their top-level code: their snapshots are made anew, all of them with one commit.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, SyncClient, http, project};

use super::{host, set, set_well};

/// Two modules, in AssemblyScript and TypeScript, that keep the value of `TOP`; the second one says what both have.
fn two_modules(folder: &Path) -> Result<()> {
    let write = |name: &str, text: &str| -> Result<()> {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        Ok(fs::write(path, text)?)
    };
    std::os::unix::fs::symlink(project::repository().join("node_modules"), folder.join("node_modules"))?;
    write(
        "host.toml",
        "[modules.first]\nlanguage = \"assemblyscript\"\npath = \"first\"\n\n[modules.second]\nlanguage = \
         \"typescript\"\npath = \"second\"\n",
    )?;
    write("first/package.json", r#"{"name":"first"}"#)?;
    write(
        "first/assembly/first.ts",
        "import { env, QueryCtx } from \"@weir/assemblyscript\";\nconst TOP = env(\"TOP\");\n@query\nexport function \
         top(ctx: QueryCtx): string | null {\n  return TOP;\n}\n",
    )?;
    write(
        "second/convex/second.ts",
        "import { query } from \"./_generated/server\";\nimport { anyApi } from \"convex/server\";\nconst top = \
         process.env.TOP ?? null;\nif (top === \"refused-value\") throw new Error(`no ${top}`);\nconst site = \
         process.env.CONVEX_SITE_URL;\nexport const both = query({\n  args: {},\n  handler: async (ctx) => [await \
         ctx.runQuery(anyApi.first.top, {}), top, process.env.TOP ?? null],\n});\nexport const where = query({ args: {}, \
         handler: async () => site });\n",
    )
}

fn deploy(server: &HostProcess, data: &Path, folder: &Path) -> Result<()> {
    let project = folder.display().to_string();
    let finished = host(server, data, &["deploy", &project], "")?;
    ensure!(finished.is_success, "{}", finished.stderr);
    Ok(())
}

fn ask(server: &HostProcess, path: &str) -> Result<Value> {
    http::value(server.address(), "query", path, &json!({}))
}

/// What both modules and a call have of `TOP`.
fn both(server: &HostProcess) -> Result<Value> {
    ask(server, "second:both")
}

fn components(data: &Path) -> Result<Vec<String>> {
    let files = fs::read_dir(data.join("components"))?;
    let mut names =
        files.map(|file| Ok(file?.file_name().to_string_lossy().into_owned())).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

#[test]
fn modules_are_made_with_the_values_of_the_deployment() -> Result<()> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    two_modules(folder.path())?;
    let (folder, data) = (folder.path(), data.path());
    let mut server = HostProcess::serve(data)?;
    set_well(&server, data, &[("TOP", Some("before the deployment"))])?;
    deploy(&server, data, folder)?;
    let expect = |server: &HostProcess, value: Value| -> Result<()> {
        let found = both(server)?;
        ensure!(found == json!([value, value, value]), "{found} instead of {value}");
        Ok(())
    };
    expect(&server, json!("before the deployment"))?;
    ensure!(ask(&server, "second:where")? == format!("http://{}", server.address()));

    let mut watcher = SyncClient::connect(server.address(), "00000000-0000-4000-8000-000000000002", 0)?;
    watcher.subscribe(0, 0, "second:both", &json!({}))?;
    watcher.receive_value(0)?;
    set_well(&server, data, &[("TOP", Some("changed")), ("OTHER", Some("1"))])?;
    ensure!(watcher.receive_value(0)? == json!(["changed", "changed", "changed"]));
    expect(&server, json!("changed"))?;
    ensure!(components(data)?.len() == 2, "those before are removed: {:?}", components(data)?);

    // What the new value breaks is not done, in no part.
    let files = components(data)?;
    let refused = set(&server, data, &[("TOP", Some("refused-value")), ("OTHER", Some("2"))])?;
    ensure!(refused.status == 400, "{} {}", refused.status, refused.body);
    let told = refused.json()["message"].as_str().unwrap_or_default().to_owned();
    ensure!(told.contains("the variables stay as they were") && told.contains("module `second`"), "{told}");
    ensure!(told.contains("no [TOP]") && !told.contains("refused-value"), "{told}");
    expect(&server, json!("changed"))?;
    ensure!(components(data)? == files && host(&server, data, &["env", "get", "OTHER"], "")?.stdout == "1\n");

    // The components that were made are those that a start finds; only the address is another one.
    server.kill();
    server = HostProcess::serve(data)?;
    expect(&server, json!("changed"))?;
    ensure!(
        ask(&server, "second:where")? == format!("http://{}", server.address()),
        "made anew at the start"
    );
    set_well(&server, data, &[("TOP", None)])?;
    expect(&server, json!(null))?;
    ensure!(!server.errors().contains("refused-value"), "{}", server.errors());
    Ok(())
}

/// No call ever sees one module with the new value and another with the old one.
#[test]
fn all_modules_change_at_once() -> Result<()> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    two_modules(folder.path())?;
    let server = HostProcess::serve(data.path())?;
    deploy(&server, data.path(), folder.path())?;
    let (done, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| -> Result<()> {
            while !done.load(Ordering::Relaxed) {
                let found = both(&server)?;
                ensure!(found[0] == found[1] && found[1] == found[2], "one call sees {found}");
                asked.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        let changed = (0..8).try_for_each(|round| {
            set_well(&server, data.path(), &[("TOP", Some(&format!("round {round}")))])?;
            let found = both(&server)?;
            ensure!(found[0] == format!("round {round}"), "after round {round}: {found}");
            Ok(())
        });
        done.store(true, Ordering::Relaxed);
        changed.and(asking.join().map_err(|_| anyhow::anyhow!("it panicked"))?)
    })?;
    ensure!(asked.load(Ordering::Relaxed) > 20, "{asked:?} calls are too few to see anything");
    Ok(())
}

/// A module that cannot be without a variable is built without it, and refused by a deployment that has none.
#[test]
fn a_module_that_needs_a_variable_waits_for_it() -> Result<()> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let folder = folder.path();
    std::os::unix::fs::symlink(project::repository().join("node_modules"), folder.join("node_modules"))?;
    fs::create_dir(folder.join("convex"))?;
    fs::write(folder.join("host.toml"), "[modules.app]\nlanguage = \"typescript\"\npath = \".\"\n")?;
    fs::write(
        folder.join("convex/app.ts"),
        "import { query } from \"./_generated/server\";\nconst key = process.env.API_KEY;\nif (!key) throw new \
         Error(\"API_KEY is not set\");\nexport const size = query({ args: {}, handler: async () => key.length });\n",
    )?;
    let server = HostProcess::serve(data.path())?;
    let path = folder.display().to_string();
    let refused = host(&server, data.path(), &["deploy", &path], "")?;
    ensure!(!refused.is_success, "it was deployed");
    for part in ["fails without a value of API_KEY", "module `app`: ", "API_KEY is not set"] {
        ensure!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    set_well(&server, data.path(), &[("API_KEY", Some("12345678"))])?;
    deploy(&server, data.path(), folder)?;
    ensure!(ask(&server, "app:size")? == 8.0);
    let removed = set(&server, data.path(), &[("API_KEY", None)])?;
    ensure!(removed.status == 400 && removed.body.contains("API_KEY is not set"), "{}", removed.body);
    ensure!(ask(&server, "app:size")? == 8.0);
    drop(server);

    // `host dev` builds it, and says what is missing.
    let mut command = Command::new(host_binary());
    let fresh = tempfile::tempdir()?;
    command
        .arg("dev")
        .arg(folder)
        .args(["--no-watch", "--listen", "127.0.0.1:0", "--data"])
        .arg(fresh.path());
    let told = HostProcess::start(command).err().map(|error| format!("{error:#}")).unwrap_or_default();
    ensure!(told.contains("API_KEY is not set"), "{told}");
    Ok(())
}
