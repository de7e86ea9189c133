//! `host audit`: what the holders of a server's admin keys have done.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;
use weir_server::{audit_folder, read_audit};

use crate::arguments::Audit;
use crate::client::Server;
use crate::output::print_line;

/// Prints the newest entries, the oldest of them first.
pub async fn audit(arguments: Audit) -> anyhow::Result<()> {
    let entries = match &arguments.folder {
        Some(data) => of_folder(data, arguments.lines)?,
        None => {
            let server = Server::find_with_key(&arguments.server, "reading the audit log")?;
            let mut answer = server.get(&format!("/api/weir/audit?lines={}", arguments.lines)).await?;
            match answer["entries"].take() {
                Value::Array(entries) => entries,
                _ => bail!("the server's answer has no entries in it"),
            }
        }
    };
    entries.iter().try_for_each(|entry| match arguments.json {
        true => print_line(&entry.to_string()),
        false => print_line(&describe(entry)),
    })
}

fn of_folder(data: &Path, lines: usize) -> anyhow::Result<Vec<Value>> {
    let folder = audit_folder(data);
    let lines =
        read_audit(&folder, lines).with_context(|| format!("the audit log in {}", folder.display()))?;
    lines.iter().map(|line| serde_json::from_str(line).context("a line of the audit log")).collect()
}

/// `2026-11-30T01:30:50.123Z ci@203.0.113.7 deploy ok {"modules":[...]}`
fn describe(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or("?").to_owned();
    let address = entry["address"].as_str().map(|address| format!("@{address}")).unwrap_or_default();
    let detail = match &entry["detail"] {
        Value::Null => String::new(),
        detail => format!(" {detail}"),
    };
    format!("{} {}{address} {} {}{detail}", text("time"), text("key"), text("action"), text("outcome"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_is_a_line() {
        let mut entry = json!({"time": "2026-11-30T01:30:50.123Z", "request": "a", "key": "ci", "address": "203.0.113.7",
            "action": "setVariables", "outcome": "ok", "detail": {"names": ["A"]}});
        assert_eq!(
            describe(&entry),
            "2026-11-30T01:30:50.123Z ci@203.0.113.7 setVariables ok {\"names\":[\"A\"]}"
        );
        entry["address"] = Value::Null;
        entry["detail"] = Value::Null;
        assert_eq!(describe(&entry), "2026-11-30T01:30:50.123Z ci setVariables ok");
    }
}
