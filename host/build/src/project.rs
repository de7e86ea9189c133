//! A project: the folder of a `host.toml`, its modules and its web files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weir_value::component::{DeclaredVariable, SentBinding};

use crate::auth::AuthProvider;
use crate::config::{self, ConfigError};

/// The name of the file that makes a folder a project.
const FILE_NAME: &str = "host.toml";

/// Folders that tools fill, and whose changes must not start another build.
const UNWATCHED_FOLDERS: [&str; 5] = ["target", "node_modules", "dist", "out", "_generated"];

/// A project as its `host.toml` describes it. The paths of one that was loaded
/// are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder that holds `host.toml`.
    pub root: PathBuf,
    /// The project's name; by default its folder's.
    pub name: String,
    /// The folder of static files that the host serves at `/`, if any. It need
    /// not exist yet.
    pub web: Option<PathBuf>,
    /// The modules, sorted by name; never empty.
    pub modules: Vec<Module>,
    /// What it mounts in the app, besides what a `convex.config.ts` does.
    pub components: Vec<MountedComponent>,
    /// Folders of components that a `convex.config.ts` mounts, as far as a build has found them: `Built::folders`.
    pub found: Vec<PathBuf>,
    /// Whose tokens are trusted.
    pub auth: Vec<AuthProvider>,
    /// The hosts, addresses and ranges that its actions may connect to besides the internet.
    pub outbound: Vec<String>,
}

/// One guest of a project: a source folder that becomes one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its name in `host.toml`, and of the component's file.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// Its source folder.
    pub path: PathBuf,
    /// What its calls run in.
    pub instances: Instances,
}

impl Module {
    /// One whose calls each have a fresh instance.
    pub fn new(name: impl Into<String>, language: Language, path: impl Into<PathBuf>) -> Module {
        Module { name: name.into(), language, path: path.into(), instances: Instances::Fresh }
    }
}

/// What the calls of a module run in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Instances {
    /// Each in an instance that is as it was when it was made: nothing is left of the call before.
    #[default]
    Fresh,
    /// Many in the same instance, one after another: what one leaves in the module's memory the next one finds.
    Reused,
}

impl Instances {
    /// All of them.
    pub(crate) const ALL: [Instances; 2] = [Instances::Fresh, Instances::Reused];

    /// Its name in `host.toml`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Instances::Fresh => "fresh",
            Instances::Reused => "reused",
        }
    }
}

/// A component that `host.toml` mounts in the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedComponent {
    /// Its name in the app.
    pub name: String,
    /// Where it comes from. Two of one source are mounts of one definition.
    pub source: ComponentSource,
    /// What the paths of its HTTP routes begin with, `/mail/`.
    pub http_prefix: Option<String>,
    /// What its variables are.
    pub variables: BTreeMap<String, SentBinding>,
    /// The variables that it declares; one in TypeScript says that itself.
    pub declared: BTreeMap<String, DeclaredVariable>,
    /// Where it is mounted, for errors: `host.toml:3:13`.
    pub place: String,
}

/// Where a component of `host.toml` comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComponentSource {
    /// A module's folder; in TypeScript one with a `convex.config.ts`, or with `convex/convex.config.ts`.
    Folder(Language, PathBuf),
    /// One that is built, a `.wasm` file.
    File(PathBuf),
    /// A package of npm.
    Package(String),
}

impl ComponentSource {
    /// Whether a `convex.config.ts` says what it is.
    pub(crate) fn is_typescript(&self) -> bool {
        matches!(self, ComponentSource::Folder(Language::TypeScript, _) | ComponentSource::Package(_))
    }
}

/// The languages a module can be built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A Cargo package with `crate-type = ["cdylib"]`.
    Rust,
    /// A Go package `main`, in a Go module.
    Go,
    /// An npm package with `assembly/index.ts`.
    AssemblyScript,
    /// An npm package with a folder `convex/`.
    TypeScript,
}

impl Language {
    /// All of them, in the order in which they are named to people.
    pub const ALL: [Language; 4] =
        [Language::Rust, Language::Go, Language::AssemblyScript, Language::TypeScript];

    /// Its name in `host.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Go => "go",
            Language::AssemblyScript => "assemblyscript",
            Language::TypeScript => "typescript",
        }
    }

    /// Whether one instance of a module can serve several calls as they leave it: whether the SDK keeps nothing of a call
    /// in the instance. Conformance tries it.
    pub(crate) fn may_reuse_instances(self) -> bool {
        match self {
            Language::Rust | Language::Go => true,
            Language::AssemblyScript | Language::TypeScript => false,
        }
    }

    /// The language of this name.
    pub fn named(name: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.name() == name)
    }
}

/// Why a project could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no `host.toml` where one was looked for.
    #[error("there is no host.toml in {folder}; a project is a folder with a host.toml, name one: host dev PROJECT", folder = folder.display())]
    Missing {
        /// The folder that was looked in.
        folder: PathBuf,
    },
    /// The file is there and could not be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file says something that it must not.
    #[error("{path}:{error}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and on which line.
        error: ConfigError,
    },
}

impl Project {
    /// Reads the project at `path`: its folder, or its `host.toml`.
    ///
    /// # Errors
    /// See [`ProjectError`]; each names the file and what to do.
    pub fn load(path: &Path) -> Result<Project, ProjectError> {
        let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
        let text = std::fs::read_to_string(&file).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ProjectError::Missing { folder: path.to_path_buf() },
            _ => ProjectError::Unreadable { path: file.clone(), source },
        })?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = folder
            .canonicalize()
            .map_err(|source| ProjectError::Unreadable { path: file.clone(), source })?;
        Project::parse(&root, &text).map_err(|error| ProjectError::Invalid { path: file, error })
    }

    /// Reads a `host.toml`'s text as that of the project in `root`.
    ///
    /// # Errors
    /// The first thing in it that is wrong, with its line.
    pub fn parse(root: &Path, text: &str) -> Result<Project, ConfigError> {
        config::parse(root, text)
    }

    /// The files and folders whose changes call for another build: `host.toml`, key
    /// sets, and the folder of each module and component, without repetition. Folders are to be watched
    /// with all that is in them, except where [`Project::is_watched`] says no.
    pub fn watch_paths(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.root.join(FILE_NAME)];
        paths.extend(self.single_files().cloned());
        for folder in self.folders() {
            // Most components are in their app's folder.
            if !paths.iter().any(|path| folder.starts_with(path)) {
                paths.push(folder.clone());
            }
        }
        paths
    }

    /// The folders of its modules and components.
    fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        let components = self.components.iter().filter_map(|component| match &component.source {
            ComponentSource::Folder(_, path) => Some(path),
            ComponentSource::File(_) | ComponentSource::Package(_) => None,
        });
        self.modules.iter().map(|module| &module.path).chain(components).chain(&self.found)
    }

    /// Files that count wherever they are: key sets, and components that are built.
    fn single_files(&self) -> impl Iterator<Item = &PathBuf> {
        let components = self.components.iter().filter_map(|component| match &component.source {
            ComponentSource::File(path) => Some(path),
            ComponentSource::Folder(..) | ComponentSource::Package(_) => None,
        });
        self.key_sets().chain(components)
    }

    fn key_sets(&self) -> impl Iterator<Item = &PathBuf> {
        self.auth.iter().filter_map(|provider| provider.jwks_file.as_ref())
    }

    /// Whether a change of this file calls for another build. Hidden files and
    /// folders, build output and installed packages do not.
    pub fn is_watched(&self, path: &Path) -> bool {
        if path == self.root.join(FILE_NAME) || self.single_files().any(|file| file == path) {
            return true;
        }
        self.folders().any(|folder| {
            path.strip_prefix(folder).is_ok_and(|inner| {
                inner.components().all(|part| {
                    let part = part.as_os_str().to_string_lossy();
                    !part.starts_with('.') && !UNWATCHED_FOLDERS.contains(&part.as_ref())
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[modules.chat]\nlanguage = \"rust\"\npath = \"functions\"\n";

    #[test]
    fn a_project_is_found_by_its_folder_or_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_NAME);
        std::fs::write(&file, TEXT).unwrap();
        let project = Project::load(folder.path()).unwrap();
        assert_eq!(project, Project::load(&file).unwrap());
        assert_eq!(project.modules[0].path, folder.path().canonicalize().unwrap().join("functions"));
    }

    #[test]
    fn errors_name_the_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let load = || Project::load(folder.path()).unwrap_err().to_string();
        assert!(load().contains("there is no host.toml"), "{}", load());
        std::fs::write(folder.path().join(FILE_NAME), format!("{TEXT}colour = 1\n")).unwrap();
        assert!(load().contains("host.toml:4:1: unknown field `colour`"), "{}", load());
        std::fs::write(folder.path().join(FILE_NAME), b"\xff").unwrap();
        assert!(load().contains("cannot read"), "{}", load());
    }

    #[test]
    fn what_tools_write_is_not_watched() {
        let project = Project::parse(Path::new("/p"), TEXT).unwrap();
        assert_eq!(project.watch_paths(), [PathBuf::from("/p/host.toml"), PathBuf::from("/p/functions")]);
        let cases = [
            ("/p/host.toml", true),
            ("/p/functions/src/lib.rs", true),
            ("/p/functions/Cargo.toml", true),
            ("/p/functions/target/release/x", false),
            ("/p/functions/src/.lib.rs.swp", false),
            ("/p/functions/.git/index", false),
            ("/p/functions/node_modules/a/index.js", false),
            ("/p/functions/convex/_generated", false),
            ("/p/functions/convex/_generated/api.d.ts", false),
            ("/p/web/src/main.ts", false),
            ("/p/README.md", false),
        ];
        for (path, expected) in cases {
            assert_eq!(project.is_watched(Path::new(path)), expected, "{path}");
        }
        let components =
            "[components.a]\nlanguage = \"go\"\npath = \"../a\"\n[components.b]\nfile = \"b.wasm\"\n";
        let project = Project::parse(Path::new("/p"), &format!("{TEXT}{components}")).unwrap();
        assert_eq!(project.watch_paths()[1..], ["/p/b.wasm", "/p/functions", "/a"].map(PathBuf::from));
        assert!(["/p/b.wasm", "/a/main.go"].iter().all(|path| project.is_watched(Path::new(path))));
        let found = ["/p/functions/counter", "/shared/mail"].map(PathBuf::from).to_vec();
        let project = Project { found, ..Project::parse(Path::new("/p"), TEXT).unwrap() };
        assert_eq!(project.watch_paths()[1..], ["/p/functions", "/shared/mail"].map(PathBuf::from));
        assert!(project.is_watched(Path::new("/shared/mail/letters.ts")));
        assert!(!project.is_watched(Path::new("/shared/mail/_generated/api.ts")));
    }
}
