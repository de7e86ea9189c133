//! Stored files through the real routes, in each language: a client uploads, functions know and read the file, and what
//! is too much is refused.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::{HostProcess, host, http, project};

const MIB: usize = 1 << 20;
/// More than the memory of a call.
const LARGE_BYTES: usize = 72 * MIB;
/// More than a guest may hand over at once, and little enough for the arrays of JavaScript.
const WHOLE_BYTES: usize = 17 * MIB;
/// The limits of the host, in MiB.
const FILE_MIB_MAX: &str = "80";
const FILES_MIB_MAX: &str = "100";
/// An upload of so much may take a while on a busy machine.
const WAIT: Duration = Duration::from_secs(120);
const HELLO_HEX: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[test]
fn rust() -> Result<()> {
    check("rust", Large::IsRead)
}

#[test]
fn go() -> Result<()> {
    check("go", Large::IsRead)
}

#[test]
fn assemblyscript() -> Result<()> {
    check("assemblyscript", Large::IsRead)
}

#[test]
fn typescript() -> Result<()> {
    check("typescript", Large::IsTooLarge)
}

/// What becomes of a file that is larger than a call's memory, when it is read piece by piece.
enum Large {
    IsRead,
    /// The language has files as a whole, as npm `convex` does.
    IsTooLarge,
}

/// Functions of one language behind a host.
struct Files {
    address: SocketAddr,
    _host: HostProcess,
}

impl Files {
    fn start(language: &str, data: &std::path::Path) -> Result<Files> {
        let mut command = Command::new(host::host_binary());
        command.arg("dev").arg(project::repository().join("tests/conformance").join(language));
        command.arg("--no-watch").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
        command.args(["--file-size-max", FILE_MIB_MAX, "--files-size-max", FILES_MIB_MAX]);
        command.args(["--files-count-max", "3"]);
        let host = HostProcess::start(command)?;
        Ok(Files { address: host.address(), _host: host })
    }

    fn ask(&self, kind: &str, path: &str, args: Value) -> Result<Value> {
        http::value(self.address, kind, path, &args)
    }

    /// Why a call fails.
    fn refusal(&self, kind: &str, path: &str, args: Value) -> Result<String> {
        let answer = http::call(self.address, kind, path, &args)?;
        ensure!(answer["status"] == "error", "{path} gave {answer}");
        Ok(answer["errorMessage"].as_str().unwrap_or_default().to_owned())
    }

    /// The path of a new upload URL.
    fn upload_path(&self) -> Result<String> {
        let url = self.ask("mutation", "files:uploadUrl", json!({}))?;
        self.path_of(&url)
    }

    fn path_of(&self, url: &Value) -> Result<String> {
        let origin = format!("http://{}", self.address);
        let url = url.as_str().and_then(|url| url.strip_prefix(&origin));
        Ok(url.with_context(|| format!("a URL of {origin}"))?.to_owned())
    }

    fn post(&self, path: &str, headers: &str, body: &[u8]) -> Result<http::Answer> {
        http::request_within(WAIT, self.address, "POST", path, headers, body)
    }

    fn upload(&self, headers: &str, body: &[u8]) -> Result<Value> {
        let answer = self.post(&self.upload_path()?, headers, body)?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(answer.json()["storageId"].clone())
    }
}

fn check(language: &str, large: Large) -> Result<()> {
    let data = tempfile::tempdir()?;
    let files = Files::start(language, data.path())?;
    a_file_goes_its_way(&files).context("a small file")?;
    what_is_too_much_is_refused(&files, large).context("a large file")
}

fn a_file_goes_its_way(files: &Files) -> Result<()> {
    let path = files.upload_path()?;
    let answer = files.post(&path, "Content-Type: image/png\r\n", b"hello")?;
    ensure!(answer.status == 200, "{answer:?}");
    let id = answer.json()["storageId"].clone();
    let again = files.post(&path, "", b"other")?;
    ensure!((again.status, &again.json()["code"]) == (409, &json!("UploadTokenUsed")), "{again:?}");

    let known = files.ask("query", "files:metadata", json!({ "id": id }))?;
    ensure!(known["sha256"] == HELLO_HEX && known["size"] == 5.0, "{known}");
    ensure!(known["contentType"] == "image/png", "{known}");
    let document = files.ask("query", "files:document", json!({ "id": id }))?;
    ensure!(document["_id"] == id && document["sha256"] == HELLO_HEX, "{document}");
    let read = files.ask("action", "files:read", json!({ "id": id }))?;
    ensure!(read == json!({"text": "hello", "size": 5, "contentType": "image/png"}), "{read}");
    files.ask("mutation", "files:keep", json!({"name": "greeting", "file": id}))?;

    let url = files.path_of(&files.ask("query", "files:url", json!({ "id": id }))?)?;
    let found = http::get(files.address, &url)?;
    ensure!((found.status, found.body.as_str()) == (200, "hello"), "{found:?}");
    ensure!(found.head.to_ascii_lowercase().contains("content-type: image/png"), "{found:?}");
    let stored =
        files.ask("action", "files:store", json!({"text": "by an action", "contentType": "text/plain"}))?;
    let stored_url = files.path_of(&files.ask("query", "files:url", json!({ "id": stored }))?)?;
    let part = http::request(files.address, "GET", &stored_url, "Range: bytes=3-5\r\n", b"")?;
    ensure!((part.status, part.body.as_str()) == (206, "an "), "{part:?}");

    for id in [id, stored] {
        files.ask("mutation", "files:remove", json!({ "id": id }))?;
        ensure!(files.ask("query", "files:url", json!({ "id": id }))?.is_null());
        ensure!(files.ask("action", "files:read", json!({ "id": id }))?.is_null());
    }
    for url in [url, stored_url] {
        let gone = http::get(files.address, &url)?;
        ensure!((gone.status, &gone.json()["code"]) == (404, &json!("NotFound")), "{gone:?}");
    }
    Ok(())
}

fn what_is_too_much_is_refused(files: &Files, large: Large) -> Result<()> {
    let content: Vec<u8> = (0..LARGE_BYTES).map(|at| (at % 251) as u8).collect();
    let whole = files.ask("action", "files:storeWhole", json!({ "size": WHOLE_BYTES }))?;
    let known = files.ask("query", "files:metadata", json!({ "id": whole }))?;
    ensure!(known["size"] == WHOLE_BYTES, "{known}");
    files.ask("mutation", "files:remove", json!({ "id": whole }))?;
    let sum: u64 = content.iter().map(|&byte| u64::from(byte)).sum();
    let id = files.upload("Content-Type: application/octet-stream\r\n", &content)?;
    let whole = files.refusal("action", "files:read", json!({ "id": id }))?;
    ensure!(whole.contains("64 MiB of memory"), "{whole}");
    match large {
        Large::IsRead => {
            let read = files.ask("action", "files:sum", json!({ "id": id }))?;
            ensure!(read == json!([LARGE_BYTES, sum]), "{read}");
            let full = files.refusal("action", "files:copy", json!({ "id": id }))?;
            ensure!(full.contains("more than the 104857600 bytes in all"), "{full}");
        }
        Large::IsTooLarge => {
            let read = files.refusal("action", "files:sum", json!({ "id": id }))?;
            ensure!(read.contains("64 MiB of memory"), "{read}");
        }
    }
    let full = files.post(&files.upload_path()?, "", &content[..30 * MIB])?;
    ensure!((full.status, &full.json()["code"]) == (507, &json!("StorageFull")), "{full:?}");
    let too_large =
        files.post(&files.upload_path()?, "", &[content.as_slice(), &content[..9 * MIB]].concat())?;
    ensure!((too_large.status, &too_large.json()["code"]) == (413, &json!("FileTooLarge")), "{too_large:?}");

    for text in ["one", "two"] {
        files.ask("action", "files:store", json!({ "text": text }))?;
    }
    let told = files.ask("action", "files:tryStore", json!({"text": "three"}))?;
    ensure!(told.as_str().is_some_and(|told| told.starts_with("TooManyFiles: ")), "{told}");
    files.ask("mutation", "files:remove", json!({ "id": id }))?;
    let told = files.ask("action", "files:tryStore", json!({"text": "three"}))?;
    ensure!(told == "stored", "{told}");
    Ok(())
}
