//! The text of `host.toml`. Unknown keys and languages are errors that name
//! their line; nothing is guessed.

mod components;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::auth::{AuthProvider, ProviderTable};
use crate::project::{Instances, Language, Module, Project};
use components::ComponentTable;

/// What is wrong in a `host.toml`, and where: `line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct ConfigError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    project: Option<ProjectTable>,
    web: Option<WebTable>,
    #[serde(default)]
    modules: BTreeMap<Spanned<String>, ModuleTable>,
    #[serde(default)]
    components: BTreeMap<Spanned<String>, ComponentTable>,
    auth: Option<AuthTable>,
    outbound: Option<OutboundTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboundTable {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthTable {
    providers: Vec<Spanned<ProviderTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectTable {
    name: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebTable {
    dir: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleTable {
    language: Spanned<String>,
    path: Option<Spanned<String>>,
    instances: Option<Spanned<String>>,
}

pub(crate) fn parse(root: &Path, text: &str) -> Result<Project, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        error_at(text, error.span().unwrap_or(0..0), message)
    })?;
    let root = clean(root);
    let name = match file.project.and_then(|project| project.name) {
        Some(name) => checked_name(text, &name, "a project's name")?,
        None => {
            root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned())
        }
    };
    let web = file.web.map(|web| folder(text, &root, &web.dir)).transpose()?;
    let modules = file.modules.iter().map(|(name, table)| module(text, &root, name, table));
    let modules = modules.collect::<Result<Vec<_>, _>>()?;
    if modules.is_empty() {
        let message = "there are no modules; add one:\n\n[modules.NAME]\nlanguage = \"rust\"\npath = \".\"\n";
        return Err(error_at(text, text.len()..text.len(), message.to_owned()));
    }
    let auth = file.auth.map(|auth| providers(text, &root, auth)).transpose()?.unwrap_or_default();
    let outbound = file.outbound.map(|outbound| outbound.allow).unwrap_or_default();
    let components = components::mounted(text, &root, &file.components)?;
    Ok(Project { root, name, web, modules, components, found: Vec::new(), auth, outbound })
}

fn module(
    text: &str,
    root: &Path,
    name: &Spanned<String>,
    table: &ModuleTable,
) -> Result<Module, ConfigError> {
    let path = match &table.path {
        Some(path) => folder(text, root, path)?,
        None => root.to_path_buf(),
    };
    let name = checked_name(text, name, "a module's name")?;
    let language = language(text, &table.language)?;
    let instances = match &table.instances {
        Some(name) => instances(text, name, language)?,
        None => Instances::default(),
    };
    Ok(Module { name, language, path, instances })
}

fn providers(text: &str, root: &Path, auth: AuthTable) -> Result<Vec<AuthProvider>, ConfigError> {
    let read = |table: Spanned<ProviderTable>| {
        let span = table.span();
        table.into_inner().read(root).map_err(|message| error_at(text, span, message))
    };
    auth.providers.into_iter().map(read).collect()
}

fn language(text: &str, name: &Spanned<String>) -> Result<Language, ConfigError> {
    if let Some(language) = Language::named(name.get_ref()) {
        return Ok(language);
    }
    let names = Language::ALL.map(|language| format!("{:?}", language.name())).join(", ");
    let message = format!("there is no language {:?}; use one of {names}", name.get_ref());
    Err(error_at(text, name.span(), message))
}

fn instances(text: &str, name: &Spanned<String>, language: Language) -> Result<Instances, ConfigError> {
    let found = Instances::ALL.into_iter().find(|instances| instances.name() == name.get_ref());
    let message = match found {
        Some(Instances::Reused) if !language.may_reuse_instances() => format!(
            "instances of a module in {} cannot be reused: its SDK keeps there what belongs to one call, such as its time \
             and its random numbers; leave the line out",
            language.name()
        ),
        Some(instances) => return Ok(instances),
        None => {
            let names = Instances::ALL.map(|instances| format!("{:?}", instances.name())).join(" or ");
            format!("a module's instances are {names}, not {:?}", name.get_ref())
        }
    };
    Err(error_at(text, name.span(), message))
}

fn checked_name(text: &str, name: &Spanned<String>, what: &str) -> Result<String, ConfigError> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let value = name.get_ref();
    if !value.is_empty() && value.chars().all(is_allowed) {
        return Ok(value.clone());
    }
    let message = format!("{what} is made of letters, digits, `-` and `_`, which {value:?} is not");
    Err(error_at(text, name.span(), message))
}

fn folder(text: &str, root: &Path, path: &Spanned<String>) -> Result<PathBuf, ConfigError> {
    if path.get_ref().is_empty() {
        return Err(error_at(text, path.span(), "name a folder; `.` is that of host.toml".to_owned()));
    }
    Ok(clean(&root.join(path.get_ref())))
}

/// The path without `.`, and without `..` where it can be done without looking
/// at the disk.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match (part, clean.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                clean.pop();
            }
            (part, _) => clean.push(part),
        }
    }
    if clean.as_os_str().is_empty() { PathBuf::from(".") } else { clean }
}

fn error_at(text: &str, span: Range<usize>, message: String) -> ConfigError {
    let (line, column) = line_and_column(text, span);
    ConfigError { line, column, message }
}

fn line_and_column(text: &str, span: Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&letter| letter != '\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use weir_value::component::{DeclaredVariable, SentBinding};

    use super::*;
    use crate::project::{ComponentSource, MountedComponent};

    fn parse_in_root(text: &str) -> Result<Project, ConfigError> {
        parse(Path::new("/projects/chat"), text)
    }

    #[test]
    fn a_project_says_its_modules_and_web_folder() {
        let text = r#"
[project]
name = "my-chat"

[web]
dir = "../web/dist"

[modules.users]
language = "rust"
path = "users/./src/.."

[outbound]
allow = ["printer.lan"]

[modules.chat]
language = "rust"
"#;
        let module = |name: &str, path: &str| Module::new(name, Language::Rust, path);
        let expected = Project {
            root: PathBuf::from("/projects/chat"),
            name: "my-chat".to_owned(),
            web: Some(PathBuf::from("/projects/web/dist")),
            modules: vec![module("chat", "/projects/chat"), module("users", "/projects/chat/users")],
            components: Vec::new(),
            found: Vec::new(),
            auth: Vec::new(),
            outbound: vec!["printer.lan".to_owned()],
        };
        assert_eq!(parse_in_root(text).unwrap(), expected);
    }

    #[test]
    fn a_project_is_named_after_its_folder() {
        let project = parse_in_root("[modules.a]\nlanguage = \"rust\"").unwrap();
        assert_eq!((project.name.as_str(), project.web), ("chat", None));
    }

    #[test]
    fn paths_are_cleaned() {
        let cases = [
            ("/a/./b/../c", "/a/c"),
            ("a/..", "."),
            ("../a", "../a"),
            ("../../a/b/..", "../../a"),
            ("/", "/"),
            ("", "."),
        ];
        for (path, expected) in cases {
            assert_eq!(clean(Path::new(path)), PathBuf::from(expected), "{path}");
        }
    }

    #[test]
    fn components_are_mounted_from_folders_files_and_packages() {
        let text = r#"
[modules.chat]
language = "go"

[components.limits]
language = "rust"
path = "../limits"
http_prefix = "/limits/"
env = { KEY = "k", OTHER = { variable = "APP_KEY" } }
variables = { KEY = "string", OTHER = "optional string" }

[components.mail-file]
file = "built/mail.wasm"
name = "mail"

[components.rate]
package = "@convex-dev/rate-limiter"
"#;
        let components = parse_in_root(text).unwrap().components;
        let string = serde_json::json!({ "type": "string" });
        let declared = |optional| DeclaredVariable { validator: string.clone(), optional };
        let component = |name: &str, source, place: &str| MountedComponent {
            name: name.to_owned(),
            source,
            http_prefix: None,
            variables: BTreeMap::new(),
            declared: BTreeMap::new(),
            place: place.to_owned(),
        };
        let limits = MountedComponent {
            http_prefix: Some("/limits/".to_owned()),
            variables: BTreeMap::from([
                ("KEY".to_owned(), SentBinding::Value("k".to_owned())),
                ("OTHER".to_owned(), SentBinding::Variable("APP_KEY".to_owned())),
            ]),
            declared: BTreeMap::from([
                ("KEY".to_owned(), declared(false)),
                ("OTHER".to_owned(), declared(true)),
            ]),
            ..component(
                "limits",
                ComponentSource::Folder(Language::Rust, PathBuf::from("/projects/limits")),
                "host.toml:5:13",
            )
        };
        let file = ComponentSource::File(PathBuf::from("/projects/chat/built/mail.wasm"));
        let package = ComponentSource::Package("@convex-dev/rate-limiter".to_owned());
        let expected = [
            limits,
            component("mail", file, "host.toml:12:13"),
            component("rate", package, "host.toml:16:13"),
        ];
        assert_eq!(components, expected);
    }

    #[test]
    fn instances_are_fresh_where_nothing_else_is_said() {
        let rust = "[modules.a]\nlanguage = \"rust\"\n";
        for (line, expected) in [
            ("", Instances::Fresh),
            ("instances = \"fresh\"\n", Instances::Fresh),
            ("instances = \"reused\"\n", Instances::Reused),
        ] {
            let project = parse_in_root(&format!("{rust}{line}")).unwrap();
            assert_eq!(project.modules[0].instances, expected, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_component_is_said_with_its_line() {
        let rust = "language = \"rust\"\npath = \"a\"\n";
        let cases = [
            (String::new(), 3, 13, "say where the component is"),
            (format!("{rust}file = \"a.wasm\"\n"), 3, 13, "say where the component is"),
            ("path = \"a\"\n".into(), 4, 8, "language = \"rust\""),
            ("path = \"\"\nlanguage = \"go\"\n".into(), 4, 8, "name a folder"),
            ("language = \"cobol\"\npath = \"a\"\n".into(), 4, 12, "there is no language"),
            ("language = \"go\"\nfile = \"a\"\n".into(), 4, 12, "leave it out"),
            ("language = \"go\"\npackage = \"a\"\n".into(), 4, 12, "is in TypeScript"),
            (format!("{rust}name = \"a-b\"\n"), 6, 8, "a name is made of letters, digits and underscores"),
            (format!("{rust}prefix = \"/a\"\n"), 6, 1, "unknown field `prefix`"),
            (format!("{rust}env = {{ A = 1 }}\n"), 6, 13, "`A` must be a text"),
            (format!("{rust}env = {{ A = {{ name = \"B\" }} }}\n"), 6, 13, "variable of the app"),
            (
                format!("{rust}variables = {{ A = \"number\" }}\n"),
                6,
                19,
                "\"optional string\", not \"number\"",
            ),
            ("package = \"a\"\nvariables = {}\n".into(), 5, 13, "in its convex.config.ts"),
            (
                format!("{rust}[components.y]\n{rust}variables = {{ A = \"string\" }}\n"),
                6,
                13,
                "`x` is the same component and declares other variables",
            ),
        ];
        for (table, line, column, expected) in cases {
            let text = format!("[modules.a]\nlanguage = \"rust\"\n[components.x]\n{table}");
            let error = parse_in_root(&text).unwrap_err();
            assert!(error.message.contains(expected), "{table:?}: {error}");
            assert_eq!((error.line, error.column), (line, column), "{table:?}: {error}");
        }
        let odd = "[modules.a]\nlanguage = \"rust\"\n[components.\"x-y\"]\nfile = \"a\"\n";
        let error = parse_in_root(odd).unwrap_err();
        assert!(error.message.contains("give it another: name"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let rust = "[modules.a]\nlanguage = \"rust\"\n";
        let cases = [
            (String::new(), 1, 1, "there are no modules"),
            ("[project]\nname = \"x\"\n".into(), 3, 1, "[modules.NAME]"),
            (format!("[server]\nport = 1\n{rust}"), 1, 2, "unknown field `server`"),
            (format!("[project]\nversion = \"1\"\n{rust}"), 2, 1, "unknown field `version`"),
            (format!("[project]\nname = 5\n{rust}"), 2, 8, "expected a string"),
            (format!("[project]\nname = \"a b\"\n{rust}"), 2, 8, "a project's name"),
            (format!("[web]\n{rust}"), 1, 1, "missing field `dir`"),
            (format!("[web]\ndir = \"x\"\nbuild = \"npm run build\"\n{rust}"), 3, 1, "unknown field `build`"),
            (format!("[web]\ndir = \"\"\n{rust}"), 2, 7, "name a folder"),
            (format!("{rust}kind = \"x\"\n"), 3, 1, "unknown field `kind`"),
            (format!("{rust}path = \"\"\n"), 3, 8, "name a folder"),
            (
                format!("{rust}instances = \"Reused\"\n"),
                3,
                13,
                "a module's instances are \"fresh\" or \"reused\", not \"Reused\"",
            ),
            (
                "[modules.a]\nlanguage = \"typescript\"\ninstances = \"reused\"\n".into(),
                3,
                13,
                "in typescript cannot be reused",
            ),
            (format!("{rust}{rust}"), 3, 10, "duplicate"),
            ("[modules.a]\npath = \".\"\n".into(), 1, 1, "missing field `language`"),
            ("[modules.a]\nlanguage = \"cobol\"\n".into(), 2, 12, "there is no language \"cobol\""),
            (
                "[modules.a]\nlanguage = \"Go\"\n".into(),
                2,
                12,
                "\"rust\", \"go\", \"assemblyscript\", \"typescript\"",
            ),
            ("[modules.\"a/b\"]\nlanguage = \"rust\"\n".into(), 1, 10, "a module's name"),
            ("[modules.\"\"]\nlanguage = \"rust\"\n".into(), 1, 10, "a module's name"),
            ("[modules]\na = 1\n".into(), 2, 5, "invalid type"),
            (format!("{rust}[auth]\n"), 3, 1, "missing field `providers`"),
            (format!("{rust}[[auth.providers]]\ndomain = \"d\"\n"), 3, 1, "needs `application_id`"),
            (format!("{rust}[[auth.providers]]\nurl = \"d\"\n"), 4, 1, "unknown field `url`"),
            ("[modules.a\n".into(), 1, 11, ""),
            ("é = [\n".into(), 1, 6, "unclosed array"),
        ];
        for (text, line, column, expected) in cases {
            let error = parse_in_root(&text).unwrap_err();
            assert!(error.message.contains(expected), "{text:?}: {error}");
            assert_eq!((error.line, error.column), (line, column), "{text:?}: {error}");
            assert!(!error.message.trim_end().is_empty());
        }
    }
}
