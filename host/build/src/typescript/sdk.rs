//! Where the SDK's build scripts are: in the project's packages, or, laid out
//! from what this program carries, in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::build::{BuildError, Progress};
use crate::hex::hex;
use crate::{Module, claim, process};

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../guest-sdk/typescript/", $name)))
    };
}

/// The SDK's files that a build needs, as this program was built with them.
const FILES: &[(&str, &str)] = &[
    file!("package.json"),
    file!("build/bundle.mjs"),
    file!("build/checks.mjs"),
    file!("build/components.mjs"),
    file!("build/config.mjs"),
    file!("build/contexts.mjs"),
    file!("build/convex.mjs"),
    file!("build/describe_config.mjs"),
    file!("build/describe_node.mjs"),
    file!("build/files.mjs"),
    file!("build/node.mjs"),
    file!("build/report.mjs"),
    file!("build/runtime.mjs"),
    file!("build/scrypt.mjs"),
    file!("build/source_map.mjs"),
    file!("src/index.d.ts"),
    file!("src/index.js"),
    file!("src/runtime/auth_config.js"),
    file!("src/runtime/call.js"),
    file!("src/runtime/clock.js"),
    file!("src/runtime/console.js"),
    file!("src/runtime/crons.js"),
    file!("src/runtime/crypto.js"),
    file!("src/runtime/documents.js"),
    file!("src/runtime/environment.js"),
    file!("src/runtime/failure.js"),
    file!("src/runtime/format.js"),
    file!("src/runtime/function_paths.js"),
    file!("src/runtime/functions.js"),
    file!("src/runtime/host.js"),
    file!("src/runtime/host_errors.js"),
    file!("src/runtime/intl/collator.js"),
    file!("src/runtime/intl/date.js"),
    file!("src/runtime/intl/digits.js"),
    file!("src/runtime/intl/formats.js"),
    file!("src/runtime/intl/host.js"),
    file!("src/runtime/intl/install.js"),
    file!("src/runtime/intl/list.js"),
    file!("src/runtime/intl/locale.js"),
    file!("src/runtime/intl/methods.js"),
    file!("src/runtime/intl/names.js"),
    file!("src/runtime/intl/number.js"),
    file!("src/runtime/intl/options.js"),
    file!("src/runtime/intl/plural.js"),
    file!("src/runtime/intl/relative.js"),
    file!("src/runtime/intl/segmenter.js"),
    file!("src/runtime/intl/units.js"),
    file!("src/runtime/main.js"),
    file!("src/runtime/plan.js"),
    file!("src/runtime/queries.js"),
    file!("src/runtime/routes.js"),
    file!("src/runtime/source_map.js"),
    file!("src/runtime/stack.js"),
    file!("src/runtime/storage.js"),
    file!("src/runtime/syscalls.js"),
    file!("src/runtime/tasks.js"),
    file!("src/runtime/warm_up.js"),
    file!("src/runtime/web.js"),
    file!("src/runtime/web/abort.js"),
    file!("src/runtime/web/clone.js"),
    file!("src/runtime/web/crypto_arguments.js"),
    file!("src/runtime/web/define.js"),
    file!("src/runtime/web/events.js"),
    file!("src/runtime/web/late/answer.js"),
    file!("src/runtime/web/late/blob.js"),
    file!("src/runtime/web/late/bodies.js"),
    file!("src/runtime/web/late/body.js"),
    file!("src/runtime/web/late/connection.js"),
    file!("src/runtime/web/late/domain.js"),
    file!("src/runtime/web/late/fetch.js"),
    file!("src/runtime/web/late/files.js"),
    file!("src/runtime/web/late/form_data.js"),
    file!("src/runtime/web/late/headers.js"),
    file!("src/runtime/web/late/incoming.js"),
    file!("src/runtime/web/late/intl.js"),
    file!("src/runtime/web/late/messages.js"),
    file!("src/runtime/web/late/streams.js"),
    file!("src/runtime/web/late/subtle.js"),
    file!("src/runtime/web/late/subtle/algorithms.js"),
    file!("src/runtime/web/late/subtle/derivation.js"),
    file!("src/runtime/web/late/subtle/encryption.js"),
    file!("src/runtime/web/late/subtle/errors.js"),
    file!("src/runtime/web/late/subtle/formats.js"),
    file!("src/runtime/web/late/subtle/generation.js"),
    file!("src/runtime/web/late/subtle/host.js"),
    file!("src/runtime/web/late/subtle/jwk.js"),
    file!("src/runtime/web/late/subtle/keys.js"),
    file!("src/runtime/web/late/subtle/signatures.js"),
    file!("src/runtime/web/late/subtle/wrapping.js"),
    file!("src/runtime/web/late/url.js"),
    file!("src/runtime/web/on_demand.js"),
    file!("src/runtime/web/text.js"),
    file!("src/runtime/web/timers.js"),
];

/// The SDK's name among npm packages.
const PACKAGE: &str = "@weir/typescript";

/// Those that make a project's bundle, and nothing of the runtime.
const PROJECT_FILES: [&str; 15] = [
    "build/bundle.mjs",
    "build/checks.mjs",
    "build/components.mjs",
    "build/config.mjs",
    "build/contexts.mjs",
    "build/convex.mjs",
    "build/describe_config.mjs",
    "build/describe_node.mjs",
    "build/files.mjs",
    "build/node.mjs",
    "build/report.mjs",
    "build/scrypt.mjs",
    "build/source_map.mjs",
    "src/index.d.ts",
    "src/index.js",
];

/// The SDK with the packages that it needs.
pub(crate) struct Sdk {
    pub(crate) folder: PathBuf,
}

impl Sdk {
    /// All that the runtime is made of.
    pub(crate) fn runtime_text(&self) -> String {
        let texts = FILES.iter().filter(|(name, _)| !PROJECT_FILES.contains(name));
        texts.map(|(name, text)| format!("{name}\n{text}\n")).collect()
    }
}

/// Finds the SDK for a module.
pub(crate) fn obtain(
    module: &Module,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Sdk, BuildError> {
    match installed(&module.path) {
        Some(folder) => Ok(Sdk { folder }),
        None => laid_out(module, cache, progress),
    }
}

/// The package among the project's own, if it is this program's, file by file.
fn installed(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|folder| folder.join("node_modules").join(PACKAGE))
        .find(|folder| folder.is_dir())
        // Its dependencies are found from where it really lies.
        .and_then(|folder| folder.canonicalize().ok())
        .filter(|folder| {
            FILES
                .iter()
                .all(|(name, text)| fs::read_to_string(folder.join(name)).is_ok_and(|found| found == *text))
        })
}

/// The SDK in the cache, with its packages, which npm installs there.
fn laid_out(
    module: &Module,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Sdk, BuildError> {
    let mut hash = Sha256::new();
    for (name, text) in FILES {
        hash.update(name);
        hash.update(text);
    }
    let key = hex(&hash.finalize()[..8]);
    let folder = cache.join(format!("sdk-{key}"));
    let _lock = claim::lock(&folder).map_err(|source| BuildError::file("lock", &folder, source))?;
    let done = folder.join(".installed");
    if done.exists() {
        return Ok(Sdk { folder });
    }
    let line = "installing the compiler's npm packages (once)";
    progress(Progress::Output { module: &module.name, line });
    for (name, text) in FILES {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(&folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|source| BuildError::file("write", &path, source))?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&folder).args([
        "install",
        "--omit=dev",
        "--omit=peer",
        "--ignore-scripts",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]);
    process::run(module, &mut npm, progress)?;
    fs::write(&done, "").map_err(|source| BuildError::file("write", &done, source))?;
    Ok(Sdk { folder })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files_below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn no_file_of_the_sdk_is_left_out() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk/typescript");
        let mut there: Vec<String> = ["build", "src"]
            .iter()
            .flat_map(|folder| files_below(&sdk.join(folder)))
            .map(|path| path.strip_prefix(&sdk).unwrap().to_str().unwrap().to_owned())
            .collect();
        there.push("package.json".to_owned());
        there.sort();
        let mut carried: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
        carried.sort_unstable();
        assert_eq!(carried, there);
    }
}
