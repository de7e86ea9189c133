//! A host whose app mounts two components, each with something to be stolen.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, command, http, project};

/// The app, and what it mounts: in TypeScript and in Rust. All have the functions of `tests/conformance`.
pub const PARTS: [&str; 3] = ["", "ts", "rust"];
/// A variable that the app has, and no component declares.
pub const SECRET: &str = "SECRET";
/// What its value, and each document that is to be stolen, has in it.
pub const LOOT: &str = "loot";

/// What one part has.
pub struct Part {
    /// Where it is mounted.
    pub path: &'static str,
    /// A document of its table `notes`.
    pub note: String,
    /// Where the second page of its query `tasks:page` begins.
    pub cursor: String,
    /// A stored file.
    pub file: String,
    /// A function that waits.
    pub job: String,
    /// The handle of an internal function, as it would be given to somebody.
    pub handle: String,
}

pub struct World {
    pub host: HostProcess,
    /// The header with the first admin key.
    pub admin: String,
    pub parts: Vec<Part>,
    _data: TempDir,
}

impl World {
    pub fn open() -> Result<World> {
        let data = tempfile::tempdir()?;
        let out = tempfile::tempdir()?;
        let [ts, rust] = ["typescript", "rust"].map(|language| build(language, out.path()));
        let host = HostProcess::serve(data.path())?;
        let admin = command::authorization(data.path())?;
        let mount = |name| json!({ "name": name, "definition": name, "httpPrefix": format!("/{name}/"), "place": "test" });
        let (ts, rust) = (ts?, rust?);
        let body = json!({
            "modules": [
                { "name": "app", "component": ts },
                { "name": "ts", "component": ts },
                { "name": "rust", "component": rust },
            ],
            "components": {
                "definitions": { "ts": { "modules": ["ts"] }, "rust": { "modules": ["rust"] } },
                "mounts": [mount("ts"), mount("rust")],
            },
        });
        let headers = format!("{admin}Content-Type: application/json\r\n");
        let answer = http::request_within(
            Duration::from_secs(120),
            host.address(),
            "POST",
            "/api/weir/deploy",
            &headers,
            body.to_string().as_bytes(),
        )?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        command::set_well(&host, data.path(), &[(SECRET, Some(LOOT))])?;
        let mut world = World { host, admin, parts: Vec::new(), _data: data };
        world.parts = PARTS.into_iter().map(|path| world.furnish(path)).collect::<Result<_>>()?;
        Ok(world)
    }

    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    /// Calls a function of a part as the admin does; gives the whole answer.
    pub fn call(&self, part: &str, kind: &str, path: &str, args: &Value) -> Result<Value> {
        http::call_of(self.address(), part, kind, path, args, &self.admin)
    }

    /// The same of a function that must succeed; gives its value.
    pub fn value(&self, part: &str, kind: &str, path: &str, args: &Value) -> Result<Value> {
        let mut answer = self.call(part, kind, path, args)?;
        ensure!(answer["status"] == "success", "{part} {path}: {answer}");
        Ok(answer["value"].take())
    }

    /// Puts something of each kind into a part.
    fn furnish(&self, path: &'static str) -> Result<Part> {
        let ask = |kind: &str, function: &str, args: Value| self.value(path, kind, function, &args);
        let text = |value: Value| value.as_str().map(str::to_owned).context("a text");
        let note = json!({ "title": LOOT, "count": 1, "big": { "$integer": "AQAAAAAAAAA=" }, "done": false,
            "data": { "$bytes": "" }, "tags": [], "place": { "x": 0 } });
        let note = text(ask("mutation", "docs:insert", json!({ "note": note }))?)?;
        ask("mutation", "things:insert", json!({ "table": "vault", "value": { "label": LOOT } }))?;
        for rank in [1, 2] {
            let task = json!({ "team": "red", "rank": rank, "title": LOOT, "done": false });
            ask("mutation", "tasks:insert", task)?;
        }
        let page = json!({ "team": "red", "paginationOpts": { "cursor": null, "numItems": 1 } });
        let cursor = text(ask("query", "tasks:page", page)?["continueCursor"].take())?;
        let file = text(ask("action", "files:store", json!({ "text": LOOT }))?)?;
        let later = json!({ "ms": 100_000_000, "path": "scheduled:add", "args": { "text": LOOT } });
        let job = text(ask("mutation", "scheduled:after", later)?)?;
        // What names a function of a component has the handle in it.
        let named = json!({ "target": "calls:secret", "step":
            { "kind": "query", "path": "calls:ofComponent", "args": { "name": "x" }, "caught": false } });
        let named = text(ask("mutation", "calls:passHandle", named)?)?;
        let handle = named.strip_prefix("_reference/childComponent/x/function").context("a handle")?;
        let handle = format!("function:{}", handle.trim_start_matches('/').replacen("", "//", 1));
        Ok(Part { path, note, cursor, file, job, handle })
    }
}

/// Builds the functions of `tests/conformance` in a language; gives the component in base64.
fn build(language: &str, out: &Path) -> Result<String> {
    let out = out.join(language);
    let mut command = Command::new(host_binary());
    command.arg("build").arg(project::repository().join("tests/conformance").join(language));
    let output = command.arg("--out").arg(&out).env_remove("CARGO_TARGET_DIR").output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(STANDARD.encode(std::fs::read(out.join("conformance.wasm"))?))
}
