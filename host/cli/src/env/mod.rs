//! `host env`: a running server's variables.
//!
//! A value is given on the command line where it is no secret, and otherwise on standard input or in a file; it appears
//! in no message.

pub mod file;
mod input;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Usage;
use crate::arguments::{Env, EnvCommand, ServerAddress, SetVariables};
use crate::client::Server;
use crate::output::print_line;

#[derive(Deserialize)]
struct Listed {
    variables: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    value: String,
}

/// Sets, prints or removes variables.
pub async fn env(arguments: Env) -> anyhow::Result<()> {
    match arguments.command {
        EnvCommand::Set(arguments) => set(arguments).await,
        EnvCommand::Get { name, server } => get(&name, &find(&server)?).await,
        EnvCommand::List { server } => list(&find(&server)?).await,
        EnvCommand::Remove { names, server } => remove(&names, &find(&server)?).await,
    }
}

async fn set(arguments: SetVariables) -> anyhow::Result<()> {
    let SetVariables { name, value, from_file, server } = arguments;
    let server = find(&server)?;
    let variables = values(name, value, from_file.as_deref())?;
    if variables.is_empty() {
        bail!("the file has no variables; a line of it is NAME=value");
    }
    let changes: Vec<Value> =
        variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    update(&server, &changes).await?;
    let names: Vec<&str> = variables.keys().map(String::as_str).collect();
    eprintln!("set {}", names.join(", "));
    Ok(())
}

/// What is to be set, from wherever it is given.
fn values(
    name: Option<String>,
    value: Option<String>,
    from_file: Option<&Path>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (name, value) = match (name, value, from_file) {
        (None, None, Some(path)) => {
            let text = read(path)?;
            return file::parse(&text).with_context(|| format!("{} is not as expected", path.display()));
        }
        (None, ..) => {
            return Err(
                Usage("name the variable to set, or give --from-file a file of variables".into()).into()
            );
        }
        (Some(_), Some(_), Some(_)) => {
            return Err(Usage("give the value once: on the command line, or with --from-file".into()).into());
        }
        (Some(name), Some(value), None) => (name, value),
        (Some(name), None, Some(path)) => (name, input::without_line_end(read(path)?)),
        (Some(name), None, None) => match name.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => {
                let value = input::read_value(&name)?;
                (name, value)
            }
        },
    };
    Ok(BTreeMap::from([(name, value)]))
}

async fn get(name: &str, server: &Server) -> anyhow::Result<()> {
    let variables = listed(server).await?;
    match variables.into_iter().find(|variable| variable.name == name) {
        Some(variable) => print_line(&variable.value),
        None => bail!("there is no variable `{name}`; `host env set {name}` sets it"),
    }
}

/// Prints all of them, as a file that `host env set --from-file` reads.
async fn list(server: &Server) -> anyhow::Result<()> {
    for Variable { name, value } in listed(server).await? {
        print_line(&file::line(&name, &value))?;
    }
    Ok(())
}

async fn remove(names: &[String], server: &Server) -> anyhow::Result<()> {
    let set = listed(server).await?;
    for name in names {
        if !set.iter().any(|variable| variable.name == *name) {
            bail!("there is no variable `{name}`; `host env list` shows those that there are");
        }
    }
    let changes: Vec<Value> = names.iter().map(|name| json!({"name": name, "value": null})).collect();
    update(server, &changes).await?;
    eprintln!("removed {}", names.join(", "));
    Ok(())
}

fn find(arguments: &ServerAddress) -> anyhow::Result<Server> {
    Server::find_with_key(arguments, "access to variables")
}

async fn update(server: &Server, changes: &[Value]) -> anyhow::Result<()> {
    let body = serde_json::to_vec(&json!({ "changes": changes })).context("cannot form the request")?;
    server.post("/api/update_environment_variables", body).await.map(drop)
}

async fn listed(server: &Server) -> anyhow::Result<Vec<Variable>> {
    let answer = server.get("/api/weir/variables").await?;
    // The parser's own words may hold what it has read.
    let listed: Result<Listed, _> = serde_json::from_value(answer);
    let Ok(listed) = listed else { bail!("the server's answer is not as expected: is it a Weir server?") };
    Ok(listed.variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn a_value_comes_from_where_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        std::fs::write(&path, "A=1\n").unwrap();
        let of = |name: Option<&str>, value: Option<&str>, file: Option<&Path>| {
            values(name.map(str::to_owned), value.map(str::to_owned), file)
        };
        assert_eq!(of(Some("KEY"), Some("a=b"), None).unwrap(), pair("KEY", "a=b"));
        assert_eq!(of(Some("KEY=a=b"), None, None).unwrap(), pair("KEY", "a=b"));
        assert_eq!(of(Some("KEY"), None, Some(&path)).unwrap(), pair("KEY", "A=1"));
        assert_eq!(of(None, None, Some(&path)).unwrap(), pair("A", "1"));
        for (name, value, file) in [(None, None, None), (Some("KEY"), Some("v"), Some(path.as_path()))] {
            assert!(of(name, value, file).unwrap_err().downcast_ref::<Usage>().is_some());
        }
        let absent = of(None, None, Some(&folder.path().join("absent"))).unwrap_err();
        assert!(format!("{absent:#}").contains("cannot read"), "{absent:#}");
    }
}
