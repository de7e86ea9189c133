//! New projects: a small app with a test of its own, a page to open, and its SDK beside it.

use std::io;
use std::path::{Path, PathBuf};

use crate::build::BuildError;
use crate::project::Language;
use crate::{embedded, sdk};

/// The name that templates have where a project has its own.
const TEMPLATE_NAME: &str = "name = \"todos\"";

/// What a new project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// A list of things to do, the same for everybody; in every language.
    Todos,
    /// Notes of users who sign in with e-mail and password; in Rust and TypeScript.
    SignIn,
}

impl Template {
    /// The folders that it is made of in a language: what one has of a file stands in none of the others.
    fn folders(self, language: Language) -> Option<[String; 3]> {
        let name = language.name();
        let (functions, page) = match (self, language) {
            (Template::Todos, _) => (name.to_owned(), "todos"),
            (Template::SignIn, Language::Rust | Language::TypeScript) => {
                (format!("{name}-sign-in"), "sign-in")
            }
            (Template::SignIn, Language::Go | Language::AssemblyScript) => return None,
        };
        Some([functions, page.to_owned(), "shared".to_owned()].map(|folder| format!("templates/{folder}")))
    }
}

/// Why a project could not be made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder holds something already; nothing in it was touched.
    #[error("{folder} is not empty (it holds {found}); name a new folder: host init --lang {language} DIR", folder = folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
        /// Something that is in it.
        found: String,
        /// The language that was asked for.
        language: &'static str,
    },
    /// There is no sign-in in this language.
    #[error(
        "there is a project with a sign-in in rust and in typescript, and none in {language}; a module in {language} can \
         stand beside it, in the same host.toml"
    )]
    NoSignIn {
        /// The language that was asked for.
        language: &'static str,
    },
    /// A file could not be written.
    #[error("cannot make the project in {folder}: {source}", folder = folder.display())]
    File {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The SDK could not be laid out.
    #[error(transparent)]
    Sdk(#[from] BuildError),
}

/// Makes a project in a folder that is new or empty (a `.git` may be there), and gives the files that it wrote,
/// relative to it, the SDK's left out.
///
/// # Errors
/// See [`InitError`].
pub fn init(folder: &Path, language: Language, template: Template) -> Result<Vec<String>, InitError> {
    let failed = |source| InitError::File { folder: folder.to_path_buf(), source };
    let folders = template.folders(language).ok_or(InitError::NoSignIn { language: language.name() })?;
    std::fs::create_dir_all(folder).map_err(failed)?;
    if let Some(found) = first_file(folder).map_err(failed)? {
        return Err(InitError::NotEmpty { folder: folder.to_path_buf(), found, language: language.name() });
    }
    let mut written = Vec::new();
    for (name, content) in folders.iter().flat_map(|folder| embedded::below(folder)) {
        let content = match name {
            "host.toml" => named(content, folder),
            _ => content.to_vec(),
        };
        embedded::write(folder, name, &content).map_err(failed)?;
        written.push(name.to_owned());
    }
    if language == Language::Rust {
        // The versions that this host was built with: a box whose cache holds them needs no network.
        let lock = embedded::below("sdk/rust").find(|(name, _)| *name == "Cargo.lock");
        let lock = lock.map(|(_, content)| content).unwrap_or_default();
        embedded::write(folder, "Cargo.lock", lock).map_err(failed)?;
    }
    sdk::lay_out(folder, language)?;
    written.sort();
    Ok(written)
}

/// Where the SDK of a project of this language was laid out.
pub fn sdk_folder(folder: &Path, language: Language) -> PathBuf {
    sdk::place(folder, language)
}

fn first_file(folder: &Path) -> io::Result<Option<String>> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != ".git" {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A `host.toml` with the folder's name, as far as a name may have its letters.
fn named(content: &[u8], folder: &Path) -> Vec<u8> {
    let text = String::from_utf8_lossy(content);
    let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = folder
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' })
        .collect();
    let name = if name.is_empty() { "todos" } else { &name };
    text.replacen(TEMPLATE_NAME, &format!("name = \"{name}\""), 1).into_bytes()
}
