//! `host run`: call a function and print its result.

use anyhow::{Context, bail};
use serde_json::{Value, json};
use weir_value::FunctionPath;

use crate::arguments::Run;
use crate::client::Server;
use crate::output::print_line;
use crate::{Usage, watch};

/// Calls the function once, or follows it.
pub async fn run(arguments: Run) -> anyhow::Result<()> {
    let Run { function, arguments, component, server, watch } = arguments;
    let path: FunctionPath = function
        .parse()
        .map_err(|error| Usage(format!("`{function}` is not a valid function path: {error}")))?;
    let path = path.of(component);
    let arguments = parse_arguments(&arguments)?;
    let server = match path.component().is_app() {
        true => Server::find(&server)?,
        false => Server::find_with_key(&server, "calling a component's function")?,
    };
    if watch {
        return watch::watch(&server, &path, &arguments).await;
    }
    let mut request = json!({"args": arguments, "format": "json"});
    if !path.component().is_app() {
        request["componentPath"] = path.component().as_str().into();
    }
    let body = serde_json::to_vec(&request);
    let route = format!("/api/run/{}", path.local().replace(':', "/"));
    let body = body.context("cannot form the request")?;
    let answer = server.post(&route, body).await?;
    print_log_lines(&answer["logLines"]);
    print_answer(&answer)
}

/// Writes what the function logged to standard error.
pub fn print_log_lines(lines: &Value) {
    for line in lines.as_array().into_iter().flatten().filter_map(Value::as_str) {
        eprintln!("{line}");
    }
}

fn print_answer(answer: &Value) -> anyhow::Result<()> {
    if answer["status"] == "success" {
        return print_line(&answer["value"].to_string());
    }
    let message = answer["errorMessage"].as_str().unwrap_or("the server's answer is not as expected");
    match answer.get("errorData") {
        Some(data) => bail!("{message}\n{data}"),
        None => bail!("{message}"),
    }
}

fn parse_arguments(text: &str) -> Result<Value, Usage> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Usage(format!("the arguments are not valid JSON: {error}")))?;
    match value {
        Value::Object(_) => Ok(value),
        _ => Err(Usage("the arguments must be a JSON object, such as '{\"name\": \"ada\"}'".into())),
    }
}
