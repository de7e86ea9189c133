//! What a client may try, who sees the app's public functions and nothing else: over HTTP, and on a socket.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::{SyncClient, http};

use crate::world::{LOOT, PARTS, World};

/// A function of each kind that every part has, and its arguments.
fn functions() -> [(&'static str, &'static str, Value); 3] {
    [
        ("query", "things:list", json!({ "table": "vault" })),
        ("mutation", "things:insert", json!({ "table": "vault", "value": { "label": "planted" } })),
        ("action", "act:relay", json!({ "text": "planted" })),
    ]
}

/// Nothing of what is answered is anybody's, and it says that it is an error.
fn check_refused(what: &str, body: &str, is_error: bool) -> Result<()> {
    ensure!(is_error && !body.contains(LOOT), "{what}: {body}");
    Ok(())
}

/// Every route that calls functions, without a key and with one that is none.
pub fn over_http(world: &World) -> Result<()> {
    for mount in &PARTS[1..] {
        for (kind, path, args) in functions() {
            for key in ["", "Authorization: Convex weir|0000\r\n"] {
                let call = json!({ "path": path, "args": [args], "componentPath": mount, "format": "json" });
                let batch = json!({ "queries": [call] });
                for (route, body) in [
                    (format!("/api/{kind}"), &call),
                    ("/api/query_batch".to_owned(), &batch),
                    ("/api/function".to_owned(), &call),
                    (format!("/api/run/{}", path.replace(':', "/")), &call),
                    (format!("/api/run/{mount};{}", path.replace(':', "/")), &call),
                    (format!("/api/run/{mount}/{}", path.replace(':', "/")), &json!({ "args": args })),
                ] {
                    refused(world, &route, body, key)?;
                }
            }
            for name in names(world, mount, path)? {
                let call = json!({ "path": name, "args": [args], "format": "json" });
                refused(world, &format!("/api/{kind}"), &call, "")?;
            }
        }
        let url = format!("/api/query?path=things:list&args={{\"table\":\"vault\"}}&componentPath={mount}");
        let answer = http::get(world.address(), &url)?;
        // The parameter is no part of this route: it is the app's own function, and no more.
        ensure!(answer.status != 200 || answer.json()["value"].as_array().is_some_and(|all| all.len() == 1));
    }
    Ok(())
}

/// Spellings of a mount's function in the place of a path, a handle of one among them.
fn names(world: &World, mount: &str, path: &str) -> Result<Vec<String>> {
    let part = world.parts.iter().find(|part| part.path == mount).context("the mount")?;
    Ok(vec![
        format!("{mount};{path}"),
        format!("{mount}/{path}"),
        format!("_reference/childComponent/{mount}/{}", path.replace(':', "/")),
        part.handle.clone(),
    ])
}

fn refused(world: &World, route: &str, body: &Value, key: &str) -> Result<()> {
    let headers = format!("Content-Type: application/json\r\n{key}");
    let answer = http::request(world.address(), "POST", route, &headers, body.to_string().as_bytes())?;
    let json = answer.json();
    let is_error =
        answer.status >= 400 || json["status"] == "error" || json["results"][0]["status"] == "error";
    check_refused(&format!("{route} {body} {key:?}"), &answer.body, is_error)
}

/// Queries, mutations and actions of a socket that has said nothing of a key.
pub fn on_a_socket(world: &World) -> Result<()> {
    let mut socket = SyncClient::connect(world.address(), "00000000-0000-4000-8000-000000000001", 0)?;
    let mut request = 0;
    for mount in &PARTS[1..] {
        for (kind, path, args) in functions() {
            let named = names(world, mount, path)?.into_iter().map(|name| (name, Value::Null));
            for (name, component) in std::iter::once((path.to_owned(), json!(mount))).chain(named) {
                let mut call = json!({ "udfPath": name, "args": [args] });
                if !component.is_null() {
                    call["componentPath"] = component;
                }
                let answer = ask(&mut socket, kind, request, call.clone())?;
                request += 1;
                let is_error =
                    answer["success"] == false || answer["modifications"][0]["type"] == "QueryFailed";
                check_refused(&format!("{kind} {call}"), &answer.to_string(), is_error)?;
            }
        }
    }
    Ok(())
}

/// Sends one, and waits for what is answered to it.
fn ask(socket: &mut SyncClient, kind: &str, request: u32, mut call: Value) -> Result<Value> {
    if kind == "query" {
        (call["type"], call["queryId"]) = (json!("Add"), json!(request));
        // Versions of the set of queries go on by one with each.
        let version = query_version(request);
        socket.send(&json!({ "type": "ModifyQuerySet", "baseVersion": version, "newVersion": version + 1,
            "modifications": [call] }))?;
        // Others come in between, after what is answered.
        return loop {
            let transition = socket.receive_type("Transition")?;
            if transition["modifications"][0]["queryId"] == request {
                break Ok(transition);
            }
        };
    }
    let (sent, answered) =
        if kind == "mutation" { ("Mutation", "MutationResponse") } else { ("Action", "ActionResponse") };
    (call["type"], call["requestId"]) = (json!(sent), json!(request));
    socket.send(&call)?;
    socket.receive_type(answered)
}

/// How many queries were added before this request: of each mount's fifteen requests the first five.
fn query_version(request: u32) -> u32 {
    request / 15 * 5 + request % 15
}

/// What a key of each scope may call in a mount: kinds of functions.
const SCOPES: [(&str, &[&str]); 4] = [
    ("everything", &["query", "mutation", "action"]),
    ("functions", &["query", "mutation", "action"]),
    ("read-only", &["query"]),
    ("deploy", &[]),
];

/// Holders of keys call what their keys are good for, and no more.
pub fn with_keys(world: &World) -> Result<()> {
    for (scope, allowed) in SCOPES {
        let body = json!({ "name": scope, "scope": scope }).to_string();
        let headers = format!("{}Content-Type: application/json\r\n", world.admin);
        let made =
            http::request(world.address(), "POST", "/api/weir/keys", &headers, body.as_bytes())?.json();
        let key = made["key"].as_str().with_context(|| made.to_string())?;
        let header = format!("Authorization: Convex {key}\r\n");
        for mount in &PARTS[1..] {
            for (kind, path, args) in functions() {
                let (path, args) =
                    if kind == "mutation" { ("things:attempt", harmless()) } else { (path, args) };
                let answer = http::call_of(world.address(), mount, kind, path, &args, &header);
                let text = match &answer {
                    Ok(answer) => answer.to_string(),
                    Err(error) => error.to_string(),
                };
                let is_success = answer.is_ok_and(|answer| answer["status"] == "success");
                ensure!(is_success == allowed.contains(&kind), "{scope} {mount} {kind}: {text}");
                ensure!(is_success || !text.contains(LOOT), "{scope} {mount} {kind}: {text}");
            }
        }
    }
    Ok(())
}

/// Arguments of a mutation that changes nothing.
fn harmless() -> Value {
    json!({ "operation": "query", "table": "vault", "id": "", "value": {} })
}
