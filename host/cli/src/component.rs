//! `host component`: the components of a running server, and what they have.

use anyhow::Context;
use serde_json::Value;
use weir_value::ComponentPath;

use crate::arguments::{Component, ComponentCommand, ServerAddress};
use crate::client::Server;
use crate::output::print_line;

/// Where a server tells of its components.
const ROUTE: &str = "/api/weir/components";

/// Lists or drops.
pub async fn component(arguments: Component) -> anyhow::Result<()> {
    match arguments.command {
        ComponentCommand::List { server } => list(&server).await,
        ComponentCommand::Drop { path, server } => drop(&path, &server).await,
    }
}

async fn list(server: &ServerAddress) -> anyhow::Result<()> {
    let server = Server::find_with_key(server, "listing components")?;
    let answer = server.get(ROUTE).await?;
    let components =
        answer["components"].as_array().context("the server's answer has no components in it")?;
    components.iter().try_for_each(|component| print_line(&describe(component)))
}

async fn drop(path: &ComponentPath, server: &ServerAddress) -> anyhow::Result<()> {
    let server = Server::find_with_key(server, "dropping a component")?;
    server.delete(&format!("{ROUTE}/{path}")).await?;
    eprintln!("the data of `{path}` are being removed");
    Ok(())
}

/// `waitlist/mail: mounted, 3 tables, 120 documents, 0 files, 2 scheduled functions`
fn describe(component: &Value) -> String {
    let text = |name: &str| component[name].as_str().unwrap_or("?").to_owned();
    let number = |name: &str, one: &str| {
        let count = component[name].as_u64().unwrap_or_default();
        format!("{count} {one}{}", if count == 1 { "" } else { "s" })
    };
    let parts = [
        number("tables", "table"),
        number("documents", "document"),
        number("files", "file"),
        number("scheduledFunctions", "scheduled function"),
    ];
    format!("{}: {}, {}", text("path"), text("state"), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_component_is_described_in_a_line() {
        let component = json!({ "path": "waitlist/mail", "state": "unmounted", "tables": 1, "documents": 120, "files": 0,
            "scheduledFunctions": 2 });
        assert_eq!(
            describe(&component),
            "waitlist/mail: unmounted, 1 table, 120 documents, 0 files, 2 scheduled functions"
        );
    }
}
