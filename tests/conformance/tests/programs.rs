//! The programs of the TypeScript SDK's own tests, in the host: what Node answers is right, and what one side signs or
//! encrypts, the other reads. There the host's part is made of Node's own functions; here it is the host.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use weir_build::Language;
use weir_conformance::{deploy, folder, runtime};
use weir_db::FunctionKind;
use weir_testing::{NOW_MS_DEFAULT, TestDatabase};

const TESTS: &str = "../guest-sdk/typescript/test";

/// What Node answers.
#[derive(Deserialize)]
struct Answers {
    /// Of programs whose outcome is the same each time.
    expected: BTreeMap<String, String>,
    /// What it has made for the other side of an exchange.
    made: BTreeMap<String, String>,
}

#[test]
fn the_host_answers_as_node_does() -> Result<()> {
    let answers: Answers = node(&[], "")?;
    ensure!(answers.expected.len() > 100 && answers.made.len() > 20, "there are programs");
    let deployment = deploy(&runtime()?, &folder(&format!("{TESTS}/programs")), Language::TypeScript)?;
    let mut db = TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?;
    let mut ask = |path: &str, args: Json| -> Result<Json> {
        let outcome = db.call(FunctionKind::Query, path, Bytes::from(args.to_string()))?;
        let result =
            outcome.result.map_err(|error| anyhow::anyhow!("{path} of {args:.80}: {}", error.message))?;
        Ok(serde_json::from_slice(&result)?)
    };

    let mut wrong = Vec::new();
    for (name, expected) in &answers.expected {
        let found = ask("programs:run", json!({"name": name}))?;
        if found != json!(expected) {
            wrong.push(format!("{name}\n  Node: {expected}\n  host: {found}"));
        }
    }
    for (name, made) in &answers.made {
        if ask("programs:check", json!({"name": name, "made": made}))? != json!(true) {
            wrong.push(format!("{name}: the host does not take what Node has made: {made}"));
        }
    }
    let names = answers.made.keys();
    let made = names.map(|name| Ok((name, ask("programs:make", json!({"name": name}))?)));
    let made: BTreeMap<&String, Json> = made.collect::<Result<_>>()?;
    let taken: BTreeMap<String, bool> = node(&["check"], &json!(made).to_string())?;
    for (name, is_right) in taken {
        if !is_right {
            wrong.push(format!("{name}: Node does not take what the host has made: {}", made[&name]));
        }
    }
    ensure!(wrong.is_empty(), "{} programs:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// Asks Node.
fn node<T: DeserializeOwned>(args: &[&str], input: &str) -> Result<T> {
    let judge = folder(&format!("{TESTS}/support/judge.mjs"));
    let mut child = Command::new("node")
        .arg(judge)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting node")?;
    child.stdin.take().context("its input")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "node failed: {}", output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}
