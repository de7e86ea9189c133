//! `Intl` in functions, and what depends on it: the same programs in calls on the host and in Node, whose answer is the
//! right one. Which differ, and why, is listed beside the programs, in `different.js`.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use weir_build::Language;
use weir_conformance::{deploy, folder, runtime};
use weir_db::FunctionKind;
use weir_runtime::Deployment;
use weir_testing::{NOW_MS_DEFAULT, TestDatabase};

const FOLDER: &str = "../guest-sdk/typescript/test/programs/intl";

/// What Node says.
#[derive(Deserialize)]
struct Expected {
    /// By the program's name.
    answers: BTreeMap<String, String>,
    different: BTreeMap<String, Difference>,
}

#[derive(Deserialize)]
struct Difference {
    why: String,
    /// The answer on the host, where it is a short one.
    engine: Option<String>,
}

fn expected() -> Result<Expected> {
    let script = folder(FOLDER).join("nodes.mjs");
    let output = Command::new("node").arg(script).env("TZ", "UTC").output().context("running Node")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn database(deployment: &Arc<Deployment>) -> Result<TestDatabase> {
    Ok(TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?)
}

fn call(db: &mut TestDatabase, path: &str, args: String) -> Result<String> {
    let outcome = db.call(FunctionKind::Query, path, args.into())?;
    let result = outcome.result.map_err(|error| anyhow!("{}", error.message))?;
    Ok(serde_json::from_slice(&result)?)
}

/// The end of the part that two texts have in common, and what follows it in one of them.
fn around(text: &str, other: &str) -> String {
    let same = text.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    text.chars().skip(same.saturating_sub(40)).take(120).collect()
}

#[test]
fn programs_answer_as_in_node() -> Result<()> {
    let Expected { answers, different } = expected()?;
    ensure!(answers.len() > 1000, "there are only {} programs", answers.len());
    let runtime = runtime()?;
    let deployment = deploy(&runtime, &folder(FOLDER), Language::TypeScript)?;
    let mut db = database(&deployment)?;
    let mut wrong = Vec::new();
    for (name, nodes) in &answers {
        let ours = call(&mut db, "intl:run", serde_json::json!({ "name": name }).to_string())
            .with_context(|| format!("in `{name}`"))?;
        match different.get(name) {
            None if ours != *nodes => {
                wrong.push(format!(
                    "{name}:\n  Node …{}\n  host …{}",
                    around(nodes, &ours),
                    around(&ours, nodes)
                ));
            }
            Some(_) if ours == *nodes => wrong.push(format!("{name}: they agree, and it is listed")),
            Some(Difference { engine: Some(engine), why }) if ours != *engine => {
                wrong.push(format!("{name}: {ours} is not as listed ({why})"));
            }
            _ => {}
        }
    }
    for name in different.keys().filter(|name| !answers.contains_key(*name)) {
        wrong.push(format!("{name}: it is listed, and there is no such program"));
    }
    ensure!(wrong.is_empty(), "{} of {} programs:\n{}", wrong.len(), answers.len(), wrong.join("\n"));
    Ok(())
}

#[test]
fn a_format_that_was_made_while_the_module_was_built_is_there_in_a_call() -> Result<()> {
    let runtime = runtime()?;
    let deployment = deploy(&runtime, &folder(FOLDER), Language::TypeScript)?;
    let mut db = database(&deployment)?;
    assert_eq!(call(&mut db, "intl:atTheTop", "{}".to_owned())?, "1.234,50\u{a0}€");
    Ok(())
}

/// How long it takes is printed.
#[test]
fn a_sort_asks_the_host_once_for_each_text() -> Result<()> {
    let runtime = runtime()?;
    let deployment = deploy(&runtime, &folder(FOLDER), Language::TypeScript)?;
    let mut db = database(&deployment)?;
    let mut sort = |count: usize, kind: &str| {
        let args = serde_json::json!({ "count": count, "kind": kind }).to_string();
        let began = std::time::Instant::now();
        let sorted = call(&mut db, "intl:sort", args)?;
        println!("{count} texts of {kind}: {:?}", began.elapsed());
        anyhow::Ok(sorted)
    };
    // 20,000 texts take 300,000 comparisons; a call may ask the host 100,000 times.
    for kind in ["ascii", "accents"] {
        ensure!(sort(20_000, kind)? == "in order", "{kind}");
        sort(1000, kind)?;
    }
    Ok(())
}
