//! The tables `[components.NAME]` of `host.toml`: what of other languages, or from npm, the app mounts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use weir_value::component::{DeclaredVariable, SentBinding, check_component_name};

use super::{ConfigError, error_at, folder, language, line_and_column};
use crate::project::{ComponentSource, Language, MountedComponent};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComponentTable {
    language: Option<Spanned<String>>,
    path: Option<Spanned<String>>,
    file: Option<Spanned<String>>,
    package: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    http_prefix: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, Spanned<toml::Value>>,
    variables: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
}

/// All of them, in the order of their names.
pub(super) fn mounted(
    text: &str,
    root: &Path,
    tables: &BTreeMap<Spanned<String>, ComponentTable>,
) -> Result<Vec<MountedComponent>, ConfigError> {
    let mut mounted: Vec<MountedComponent> = Vec::new();
    for (key, table) in tables {
        let component = one(text, root, key, table)?;
        let same = mounted.iter().find(|other| other.source == component.source);
        if let Some(other) = same.filter(|other| other.declared != component.declared) {
            let message = format!(
                "`{}` is the same component and declares other variables; declare the same for both",
                other.name
            );
            return Err(error_at(text, key.span(), message));
        }
        mounted.push(component);
    }
    Ok(mounted)
}

fn one(
    text: &str,
    root: &Path,
    key: &Spanned<String>,
    table: &ComponentTable,
) -> Result<MountedComponent, ConfigError> {
    let name = table.name.as_ref().unwrap_or(key);
    check_component_name(name.get_ref()).map_err(|error| {
        let advice = match table.name {
            Some(_) => "",
            None => "; give it another: name = \"...\"",
        };
        error_at(text, name.span(), format!("{error}{advice}"))
    })?;
    let source = source(text, root, key, table)?;
    let (line, column) = line_and_column(text, key.span());
    Ok(MountedComponent {
        name: name.get_ref().clone(),
        declared: declared(text, table, &source)?,
        variables: bindings(text, &table.env)?,
        source,
        http_prefix: table.http_prefix.clone(),
        place: format!("host.toml:{line}:{column}"),
    })
}

fn source(
    text: &str,
    root: &Path,
    key: &Spanned<String>,
    table: &ComponentTable,
) -> Result<ComponentSource, ConfigError> {
    let language = table.language.as_ref().map(|name| language(text, name).map(|found| (found, name.span())));
    let language = language.transpose()?;
    match (&table.path, &table.file, &table.package) {
        (Some(path), None, None) => match language {
            Some((language, _)) => Ok(ComponentSource::Folder(language, folder(text, root, path)?)),
            None => {
                let message = "say in which language it is: language = \"rust\"".to_owned();
                Err(error_at(text, path.span(), message))
            }
        },
        (None, Some(file), None) => match language {
            None => Ok(ComponentSource::File(folder(text, root, file)?)),
            Some((_, span)) => {
                let message = "a file that is built already has no `language`; leave it out".to_owned();
                Err(error_at(text, span, message))
            }
        },
        (None, None, Some(package)) => match language {
            None | Some((Language::TypeScript, _)) => Ok(ComponentSource::Package(package.get_ref().clone())),
            Some((_, span)) => {
                let message = "a package of npm is in TypeScript; leave `language` out".to_owned();
                Err(error_at(text, span, message))
            }
        },
        _ => {
            let message = "say where the component is, by one of `path` (a folder, with `language`), `file` (one \
                           that is built) and `package` (of npm)";
            Err(error_at(text, key.span(), message.to_owned()))
        }
    }
}

/// `KEY = "value"`, `KEY = { variable = "NAME" }`.
fn bindings(
    text: &str,
    env: &BTreeMap<String, Spanned<toml::Value>>,
) -> Result<BTreeMap<String, SentBinding>, ConfigError> {
    let binding = |(name, bound): (&String, &Spanned<toml::Value>)| {
        let of_app = |table: &toml::Table| match table.get("variable") {
            Some(toml::Value::String(variable)) if table.len() == 1 => Some(variable.clone()),
            _ => None,
        };
        let bound = match bound.get_ref() {
            toml::Value::String(value) => SentBinding::Value(value.clone()),
            toml::Value::Table(table) if of_app(table).is_some() => {
                SentBinding::Variable(of_app(table).unwrap_or_default())
            }
            _ => {
                let message = format!(
                    "`{name}` must be a text, or a variable of the app: {name} = {{ variable = \"NAME\" }}"
                );
                return Err(error_at(text, bound.span(), message));
            }
        };
        Ok((name.clone(), bound))
    };
    env.iter().map(binding).collect()
}

/// `KEY = "string"`, `KEY = "optional string"`.
fn declared(
    text: &str,
    table: &ComponentTable,
    source: &ComponentSource,
) -> Result<BTreeMap<String, DeclaredVariable>, ConfigError> {
    let Some(variables) = &table.variables else { return Ok(BTreeMap::new()) };
    if source.is_typescript() {
        let message = "a component in TypeScript declares its variables in its convex.config.ts: \
                       defineComponent(NAME, { env: { KEY: v.string() } })";
        return Err(error_at(text, variables.span(), message.to_owned()));
    }
    let variable = |(name, kind): (&String, &Spanned<String>)| {
        let optional = match kind.get_ref().as_str() {
            "string" => false,
            "optional string" => true,
            other => {
                let message = format!("`{name}` must be \"string\" or \"optional string\", not {other:?}");
                return Err(error_at(text, kind.span(), message));
            }
        };
        let validator = serde_json::json!({ "type": "string" });
        Ok((name.clone(), DeclaredVariable { validator, optional }))
    };
    variables.get_ref().iter().map(variable).collect()
}
