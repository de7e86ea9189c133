//! `host deploy`: build a project and put it in place on a running server.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use weir_build::Memory;
use weir_server::deploy::{Module, NewDeployment, Summary};

use crate::arguments::Deploy;
use crate::client::Server;
use crate::output::print_line;
use crate::{build, progress};

/// Builds, deploys, and prints the deployed functions.
pub async fn deploy(arguments: Deploy) -> anyhow::Result<()> {
    let Deploy { project, server } = arguments;
    let server = Server::find_with_key(&server, "deploying")?;
    let project = build::load(&project.project)?;
    let built =
        tokio::task::spawn_blocking(move || build::deployment(&project, &mut Memory::default())).await;
    let NewDeployment { modules, auth, outbound, components } =
        built.context("the build panicked")??.deployment;
    let sent =
        |module: &Module| json!({"name": module.name, "component": STANDARD.encode(&module.component)});
    let modules: Vec<_> = modules.iter().map(sent).collect();
    let mut request = json!({ "modules": modules });
    if let Some(auth) = auth {
        request["auth"] = auth;
    }
    // An older server does not know the field.
    if !outbound.is_empty() {
        request["outbound"] = json!({ "allow": outbound });
    }
    if !components.is_empty() {
        request["components"] = serde_json::to_value(components).context("cannot form the request")?;
    }
    let body = serde_json::to_vec(&request).context("cannot form the request")?;
    let work = server.post("/api/weir/deploy", body);
    // A look that fails says nothing: the deployment itself will.
    let look = async || {
        let mut answer = server.get("/api/weir/deployment").await.ok()?;
        serde_json::from_value(answer["preparing"].take()).ok()
    };
    let answer = progress::report(work, look).await?;
    let summary: Summary = serde_json::from_value(answer).context("the server's answer")?;
    for function in summary.app_functions() {
        print_line(&format!("{} {} {}", function.visibility, function.kind, function.path))?;
    }
    for mount in &summary.components {
        print_line(&format!("component {} ({})", mount.path, mount.definition))?;
    }
    for path in &summary.unmounted {
        eprintln!(
            "`{path}` is mounted no longer; its data are kept, and are there again when it is. `host component drop \
             {path}` removes them"
        );
    }
    Ok(())
}
