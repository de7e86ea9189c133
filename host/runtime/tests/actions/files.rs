//! Stored files, as functions in TypeScript have them.

use anyhow::{Result, ensure};
use serde_json::{Value as Json, json};

use crate::WORLD;

#[test]
fn blobs_are_stored_and_read_whatever_their_size() -> Result<()> {
    // Nothing, less than a piece, and more than what is handed over in one go.
    let sizes = [0, 5, 70_000, 5_000_000];
    let found = WORLD.ask("files:there", &json!({ "sizes": sizes }))?;
    let expected: Vec<Json> = sizes.iter().map(|_| json!(["string", "image/png", true, true])).collect();
    ensure!(found == json!(expected), "{found}");
    Ok(())
}

#[test]
fn an_action_does_all_that_there_is_to_do_with_a_file() -> Result<()> {
    let found = WORLD.ask("files:life", &json!({}))?;
    let name = found["found"]["storageId"].as_str().unwrap_or_default().to_owned();
    ensure!(name.len() == 36, "{found}");
    let expected = json!({
        "found": {
            "storageId": name,
            "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "size": 5,
            "contentType": null,
        },
        "again": true,
        "uploadUrl": "/api/storage/upload?token",
        "gone": [null, null, null],
    });
    ensure!(found == expected, "{found}");
    Ok(())
}

#[test]
fn what_goes_wrong_is_said() -> Result<()> {
    let found = WORLD.ask("files:failures", &json!({}))?;
    let said = |at: usize| found[at].as_str().unwrap_or_default().to_owned();
    let expected = [
        "string",
        "not the one of its checksum",
        "not a SHA-256",
        "expects a Blob",
        "not the id of a stored file",
        "not the id of a stored file",
    ];
    for (at, part) in expected.iter().enumerate() {
        ensure!(said(at).contains(part), "{part}: {found}");
    }
    Ok(())
}

#[test]
fn queries_and_mutations_know_files() -> Result<()> {
    let id = WORLD.store_file(b"hello", Some("text/plain"))?;
    let args = json!({ "id": id });
    let known = WORLD.query("files:known", &args).map_err(|error| anyhow::anyhow!(error.message))?;
    let (document, metadata) = (&known[0], &known[1]);
    ensure!(document["_id"] == id.as_str() && document["contentType"] == "text/plain", "{known}");
    ensure!(document["sha256"] == metadata["sha256"] && metadata["size"] == 5, "{known}");
    let url = WORLD.query("files:url", &args).map_err(|error| anyhow::anyhow!(error.message))?;
    let name = metadata["storageId"].as_str().unwrap_or_default();
    ensure!(url == format!("/api/storage/{name}"), "{url}");
    let upload = WORLD.mutate("files:uploadUrl", &json!({}))?;
    ensure!(upload.as_str().is_some_and(|url| url.starts_with("/api/storage/upload?token=")), "{upload}");
    let not_here = WORLD.mutate("files:notHere", &json!({}))?;
    ensure!(not_here.as_str().is_some_and(|text| text.contains("use an action")), "{not_here}");
    WORLD.mutate("files:remove", &args)?;
    let url = WORLD.query("files:url", &args).map_err(|error| anyhow::anyhow!(error.message))?;
    ensure!(url.is_null(), "{url}");
    let again = WORLD.mutate("files:remove", &args).unwrap_err().to_string();
    ensure!(again.contains("it was deleted, or never was"), "{again}");
    Ok(())
}
