//! Hostile guests and broken components: each ends its own call, or its own deployment, and nothing else.

use std::fs;

use anyhow::{Result, ensure};
use base64::Engine as _;
use serde_json::{Value, json};
use weir_test_support::{HostProcess, http, project};

use crate::{Report, expect_alive, expect_all};

/// A name, kind and path of the function, its arguments as JSON, what the answer says.
pub struct Case(&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

pub const CASES: &[Case] = &[
    Case("an endless loop", "query", "hostile:spin", "{}", &["error", "hostile:spin", "1 s"]),
    Case(
        "an endless loop of host calls",
        "query",
        "hostile:spinOnHost",
        "{}",
        &["error", "TooManyHostCalls"],
    ),
    Case("memory without end", "query", "hostile:hoard", "{}", &["error", "hostile:hoard", "memory"]),
    Case(
        "a call stack without end",
        "query",
        "hostile:overflow",
        "{}",
        &["error", "hostile:overflow", "stack"],
    ),
    Case("a panic", "query", "hostile:panic", r#"{"message":"out of ideas"}"#, &["error", "hostile:panic"]),
    Case(
        "a panic after a write",
        "mutation",
        "hostile:writeAndPanic",
        r#"{"table":"left"}"#,
        &["error", "writeAndPanic"],
    ),
    Case(
        "an error after a write",
        "mutation",
        "hostile:writeAndFail",
        r#"{"table":"left"}"#,
        &["error", "after the write"],
    ),
    Case(
        "a huge result",
        "query",
        "hostile:hugeResult",
        r#"{"bytes":17825792}"#,
        &["error", "hostile:hugeResult", "ResultTooLarge"],
    ),
    Case("a result nested too deeply", "query", "hostile:deepResult", r#"{"depth":100}"#, &["error", "nest"]),
    Case(
        "a result nested very deeply",
        "query",
        "hostile:deepResult",
        r#"{"depth":1000000}"#,
        &["error", "nest"],
    ),
    Case(
        "a result that is not valid JSON",
        "query",
        "hostile:rawResult",
        r#"{"text":"{nope"}"#,
        &["error", "hostile:rawResult"],
    ),
    Case(
        "a result that is not a valid value",
        "query",
        "hostile:rawResult",
        r#"{"text":"{\"$integer\":7}"}"#,
        &["error", "$integer"],
    ),
    Case(
        "a result that is not UTF-8",
        "query",
        "hostile:invalidUtf8",
        "{}",
        &["error", "hostile:invalidUtf8"],
    ),
    Case(
        "a result of another type",
        "query",
        "hostile:wrongResult",
        "{}",
        &["error", "ReturnsValidationError"],
    ),
    Case("a write in a query", "query", "hostile:writeInQuery", r#"{"table":"left"}"#, &["ReadOnly"]),
    Case(
        "an application error",
        "query",
        "hostile:failWithData",
        r#"{"data":{"left":3}}"#,
        &["error", "errorData", "left"],
    ),
    Case(
        "too many writes",
        "mutation",
        "hostile:insertStubbornly",
        r#"{"table":"left","count":16001}"#,
        &["error", "TooManyWrites"],
    ),
    Case(
        "too many bytes",
        "mutation",
        "hostile:insertMany",
        r#"{"table":"left","count":20,"bytes":900000}"#,
        &["error", "TooManyBytesWritten"],
    ),
    Case(
        "a document too large",
        "mutation",
        "hostile:insertMany",
        r#"{"table":"left","count":1,"bytes":1100000}"#,
        &["error", "1"],
    ),
    Case(
        "an invalid table name",
        "mutation",
        "hostile:insertMany",
        r#"{"table":"_users","count":1,"bytes":1}"#,
        &["error", "_users"],
    ),
    Case("a log flood", "query", "hostile:floodLog", r#"{"lines":100000,"bytes":10000}"#, &["success"]),
    Case("a global that counts", "query", "hostile:count", "{}", &["success", "1"]),
    Case("a global that counts, again", "query", "hostile:count", "{}", &["success", "1"]),
];

/// A call that any host answers well.
const FINE: &str = "hostile:count";

#[test]
fn hostile_guests() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::guest("hostile"), data.path())?;
    let mut report = Report::default();
    for case in CASES {
        report.add(case.0, check(&host, case));
    }
    report.end()?;
    // The table of the mutations that failed was never made, so nothing can have been written to it.
    let next = http::call(
        host.address(),
        "mutation",
        "hostile:insertMany",
        &json!({"table": "left", "count": 1, "bytes": 1}),
    )?;
    ensure!(next["status"] == "success", "a good mutation after the bad ones: {next}");
    Ok(())
}

fn check(host: &HostProcess, Case(_, kind, path, args, wanted): &Case) -> Result<()> {
    let answer = http::call(host.address(), kind, path, &serde_json::from_str(args)?)?.to_string();
    expect_all(&answer, wanted)?;
    ensure!(answer.len() < 2_000_000, "the answer has {} bytes", answer.len());
    expect_alive(host.address(), FINE)
}

/// What is not a component is refused with the module's name, and the deployment before it goes on.
#[test]
fn broken_components() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::guest("hostile"), data.path())?;
    let key = fs::read_to_string(data.path().join("admin-key"))?;
    let good = fs::read(newest_component(data.path())?)?;
    let cases: [(&str, Vec<u8>, &[&str]); 5] = [
        ("empty", Vec::new(), &["broken"]),
        ("no WebAssembly", b"#!/bin/sh".to_vec(), &["broken"]),
        ("a core module", b"\0asm\x01\0\0\0".to_vec(), &["broken", "component"]),
        ("a truncated component", good[..good.len() / 2].to_vec(), &["broken"]),
        ("an empty component", b"\0asm\x0d\0\x01\0".to_vec(), &["broken", "describe"]),
    ];
    for (name, bytes, wanted) in cases {
        let component = base64::engine::general_purpose::STANDARD.encode(bytes);
        let body = json!({"modules": [{"name": "broken", "component": component}]}).to_string();
        let headers = format!("Authorization: Convex {}\r\nContent-Type: application/json\r\n", key.trim());
        let answer = http::request(host.address(), "POST", "/api/weir/deploy", &headers, body.as_bytes())?;
        ensure!(answer.status == 400, "{name}: {} {}", answer.status, answer.body);
        let code: Value = answer.json()["code"].clone();
        ensure!(code.is_string(), "{name}: {}", answer.body);
        expect_all(&answer.body, wanted)?;
        expect_alive(host.address(), FINE)?;
    }
    Ok(())
}

fn newest_component(data: &std::path::Path) -> Result<std::path::PathBuf> {
    let mut entries =
        fs::read_dir(data.join("components"))?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    ensure!(!entries.is_empty(), "no component was stored");
    entries.sort();
    Ok(entries.remove(0))
}
