//! Nobody reaches what is a component's, and no component what is another's or the app's, but through functions: attempts,
//! by components in TypeScript and in Rust in a real host, by clients, and by holders of keys. Each is refused.

mod attempts;
mod clients;
mod world;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::http;

use attempts::{Attempt, End};
use world::{LOOT, PARTS, Part, World};

#[test]
fn every_attempt_is_refused_and_changes_nothing() -> Result<()> {
    let world = World::open()?;
    for attacker in &PARTS[1..] {
        for victim in world.parts.iter().filter(|part| part.path != *attacker) {
            for attempt in attempts::all(victim) {
                check(&world, attacker, &attempt).with_context(|| {
                    let Attempt { by, path, args, .. } = &attempt;
                    format!("`{attacker}` tries `{}` by {by}: {path} {args}", victim.path)
                })?;
            }
        }
    }
    clients::over_http(&world)?;
    clients::on_a_socket(&world)?;
    for part in &world.parts {
        untouched(&world, part).with_context(|| format!("what `{}` has", part.path))?;
    }
    Ok(())
}

fn check(world: &World, attacker: &str, attempt: &Attempt) -> Result<()> {
    let answer = world.call(attacker, attempt.kind, attempt.path, &attempt.args)?;
    match &attempt.end {
        End::Nothing(value) => {
            ensure!(answer["status"] == "success" && answer["value"] == *value, "{answer}");
        }
        End::Refused(why) => {
            let told = answer["errorMessage"].as_str().or_else(|| answer["value"].as_str());
            ensure!(told.is_some_and(|told| told.contains(why)), "no {why:?} in {answer}");
        }
    }
    ensure!(!answer.to_string().contains(LOOT), "{answer}");
    Ok(())
}

/// All that a part was given is as it was.
fn untouched(world: &World, part: &Part) -> Result<()> {
    let ask = |path: &str, args: Value| world.value(part.path, "query", path, &args);
    let vault = ask("things:list", json!({ "table": "vault" }))?;
    ensure!(vault.as_array().is_some_and(|all| all.len() == 1) && vault[0]["label"] == LOOT, "{vault}");
    let note = ask("docs:get", json!({ "id": part.note }))?;
    ensure!(note["title"] == LOOT && note["tags"] == json!([]), "{note}");
    let file = ask("files:metadata", json!({ "id": part.file }))?;
    ensure!(file["size"].as_f64() == Some(LOOT.len() as f64), "{file}");
    let jobs = ask("scheduled:all", json!({}))?;
    ensure!(jobs.as_array().is_some_and(|all| all.len() == 1) && jobs[0]["state"] == "pending", "{jobs}");
    ensure!(ask("act:notes", json!({}))? == json!([]));
    Ok(())
}

/// What was given away works: the refusals above are not those of something that never works.
#[test]
fn a_part_uses_what_is_its_own_and_what_it_was_given() -> Result<()> {
    let world = World::open()?;
    for part in &world.parts {
        let ask = |kind: &str, path: &str, args: Value| world.value(part.path, kind, path, &args);
        let page = json!({ "team": "red", "paginationOpts": { "cursor": part.cursor, "numItems": 1 } });
        ensure!(ask("query", "tasks:page", page)?["page"][0]["title"] == LOOT);
        ensure!(ask("query", "things:get", json!({ "id": part.note }))?["title"] == LOOT);
        ensure!(ask("action", "files:tryRead", json!({ "id": part.file }))?.is_string());
        // The handle of an internal function of anybody's.
        for other in &world.parts {
            let told = ask("query", "calls:byHandle", json!({ "path": other.handle }))?;
            ensure!(told == json!([true, "inside", "inside"]), "{} of {}: {told}", part.path, other.path);
        }
        ensure!(ask("mutation", "scheduled:tryCancel", json!({ "id": part.job }))? == "fine");
    }
    clients::with_keys(&world)
}

#[test]
fn http_routes_are_their_components_and_write_what_is_theirs() -> Result<()> {
    let world = World::open()?;
    for (path, status) in [
        ("/hello", 200),
        ("/ts/hello", 200),
        ("/rust/hello", 200),
        ("/ts/rust/hello", 404),
        ("/rust/ts/hello", 404),
        ("/rust/../hello", 404),
        ("/rust;hello", 404),
        ("/other/hello", 404),
    ] {
        let answer = http::get(world.address(), &format!("/http{path}"))?;
        ensure!(answer.status == status, "{path}: {} {}", answer.status, answer.body);
    }
    for mount in &PARTS[1..] {
        let (path, body) = (format!("/http/{mount}/note"), json!({ "text": mount }).to_string());
        let answer = http::request(world.address(), "POST", &path, "", body.as_bytes())?;
        ensure!(answer.status < 300, "{} {}", answer.status, answer.body);
    }
    for part in PARTS {
        let notes = world.value(part, "query", "act:notes", &json!({}))?;
        let own = if part.is_empty() { json!([]) } else { json!([part]) };
        ensure!(notes == own, "{part}: {notes}");
    }
    Ok(())
}
