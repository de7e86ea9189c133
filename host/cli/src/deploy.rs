//! `host deploy`: build a project and put it in place on a running server.

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use weir_server::deploy::Summary;

use crate::arguments::Deploy;
use crate::output::print_line;
use crate::url::{ServerUrl, find_key};
use crate::{build, client, progress};

/// Builds, deploys, and prints the deployed functions.
pub async fn deploy(arguments: Deploy) -> anyhow::Result<()> {
    let Deploy { project, server } = arguments;
    let url = ServerUrl::parse(&server.url)?;
    let Some(key) = find_key(&server, &url)? else {
        bail!(
            "deploying needs the server's admin key (`host key` prints it there): \
             give it with --admin-key, HOST_ADMIN_KEY, or --data"
        );
    };
    let project = build::load(&project.project)?;
    let built = tokio::task::spawn_blocking(move || build::compile(&project, None)).await;
    let modules: Vec<_> = built
        .context("the build panicked")??
        .iter()
        .map(|module| json!({"name": module.name, "component": STANDARD.encode(&module.component)}))
        .collect();
    let body = serde_json::to_vec(&json!({ "modules": modules })).context("cannot form the request")?;
    let work = client::post(&url, "/api/weir/deploy", Some(&key), body);
    // A look that fails says nothing: the deployment itself will.
    let look = async || {
        let mut answer = client::get(&url, "/api/weir/deployment", Some(&key)).await.ok()?;
        serde_json::from_value(answer["preparing"].take()).ok()
    };
    let answer = progress::report(work, look).await?;
    let summary: Summary = serde_json::from_value(answer).context("the server's answer")?;
    for function in summary.functions {
        print_line(&format!("{} {} {}", function.visibility, function.kind, function.path))?;
    }
    Ok(())
}
