//! `host key`: the admin key of a data folder, and the other keys of a running server.

mod lifetime;

use anyhow::Context;
use serde_json::{Value, json};
use weir_server::admin_key::AdminKey;
use weir_value::date_time;

use crate::arguments::{CreateKey, DataFolder, Key, KeyCommand, RevokeKey, ServerAddress};
use crate::client::Server;
use crate::output::print_line;

pub use lifetime::parse_lifetime;

/// Where a server manages its keys.
const ROUTE: &str = "/api/weir/keys";

/// Prints, makes, lists or revokes.
pub async fn key(arguments: Key) -> anyhow::Result<()> {
    match arguments.command {
        None => show(&arguments.data),
        Some(KeyCommand::Show { data }) => show(&data),
        Some(KeyCommand::Create(arguments)) => create(&arguments).await,
        Some(KeyCommand::List { server }) => list(&server).await,
        Some(KeyCommand::Revoke(arguments)) => revoke(&arguments).await,
    }
}

fn show(data: &DataFolder) -> anyhow::Result<()> {
    print_line(AdminKey::read(&data.data)?.as_str())
}

/// The key alone goes to standard output, so that it can go into a file.
async fn create(arguments: &CreateKey) -> anyhow::Result<()> {
    let CreateKey { name, scope, expires, server } = arguments;
    let server = Server::find_with_key(server, "making a key")?;
    let lifetime = expires.map(|lifetime| lifetime.as_secs());
    let body = json!({"name": name, "scope": scope.as_str(), "expiresInSeconds": lifetime});
    let made = server.post(ROUTE, body.to_string().into_bytes()).await?;
    let key = made["key"].as_str().context("the server's answer has no key in it")?;
    print_line(key)?;
    eprintln!("{}; keep it now: nobody can show it again", describe(&made));
    Ok(())
}

async fn list(server: &ServerAddress) -> anyhow::Result<()> {
    let server = Server::find_with_key(server, "listing keys")?;
    let answer = server.get(ROUTE).await?;
    let keys = answer["keys"].as_array().context("the server's answer has no keys in it")?;
    keys.iter().try_for_each(|key| print_line(&describe(key)))
}

async fn revoke(arguments: &RevokeKey) -> anyhow::Result<()> {
    let RevokeKey { name, server } = arguments;
    let server = Server::find_with_key(server, "revoking a key")?;
    // What no key is called is not made a part of the path.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || !name.bytes().all(is_name) {
        anyhow::bail!("there is no admin key `{}`", name.escape_debug());
    }
    server.delete(&format!("{ROUTE}/{name}")).await?;
    Ok(())
}

/// `ci: deploy, made 2026-11-29T02:45:07Z, expires 2026-12-29T02:45:07Z`
fn describe(key: &Value) -> String {
    let text = |name: &str| key[name].as_str().unwrap_or("?").to_owned();
    let mut described = format!("{}: {}", text("name"), text("scope"));
    if let Some(at) = key["createdAt"].as_u64() {
        described += &format!(", made {}", date_time::to_seconds(at));
    }
    if let Some(at) = key["expiresAt"].as_u64() {
        let verb = if key["isExpired"] == true { "expired" } else { "expires" };
        described += &format!(", {verb} {}", date_time::to_seconds(at));
    }
    described
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_described_in_a_line() {
        for (key, expected) in [
            (
                json!({"name": "admin-key", "scope": "everything", "createdAt": null, "expiresAt": null}),
                "admin-key: everything",
            ),
            (
                json!({"name": "ci", "scope": "deploy", "createdAt": 1_795_920_307_123_u64, "expiresAt": 1_798_512_307_123_u64, "isExpired": false}),
                "ci: deploy, made 2026-11-29T02:45:07Z, expires 2026-12-29T02:45:07Z",
            ),
            (
                json!({"name": "old", "scope": "read-only", "createdAt": 0, "expiresAt": 1000, "isExpired": true}),
                "old: read-only, made 1970-01-01T00:00:00Z, expired 1970-01-01T00:00:01Z",
            ),
        ] {
            assert_eq!(describe(&key), expected);
        }
    }
}
