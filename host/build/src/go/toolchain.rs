//! The Go compiler of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Go that can export functions to a host of WebAssembly, as (major, minor).
const OLDEST: (u32, u32) = (1, 24);

/// Where Go's own installer puts it, which need not be in the search path.
const INSTALLED: &str = "/usr/local/go/bin/go";

const INSTALL: &str = "Install Go 1.24 or later: https://go.dev/dl, or on Debian 13 and later\n  \
                       apt-get install golang-go";

/// A Go compiler that is new enough.
#[derive(Debug, PartialEq)]
pub(super) struct Go {
    pub(super) program: PathBuf,
    /// As Go says it: `go1.26.8`.
    pub(super) version: String,
}

/// Finds the compiler of the search path, else the one that Go's installer put
/// in its place.
///
/// # Errors
/// What is wrong, and what to install.
pub(super) fn find() -> Result<Go, String> {
    let mut lacks = Vec::new();
    for program in [Path::new("go"), Path::new(INSTALLED)] {
        match version_of(program).and_then(|version| checked(&version)) {
            Ok(version) => return Ok(Go { program: program.to_path_buf(), version }),
            Err(lack) => lacks.push(lack),
        }
    }
    // The second is told only where the first is missing, or too old.
    Err(format!("{}.\n{INSTALL}", lacks.swap_remove(0)))
}

fn version_of(program: &Path) -> Result<String, String> {
    let mut command = Command::new(program);
    // Which version is here; not which one some go.mod asks to be downloaded.
    command.args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local").current_dir("/");
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no Go compiler (`go`) here".to_owned(),
        _ => format!("{} does not run: {error}", program.display()),
    })?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("{} does not run: {complaint}", program.display()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn checked(version: &str) -> Result<String, String> {
    if number(version).is_some_and(|number| number < OLDEST) {
        let (major, minor) = OLDEST;
        return Err(format!("Go {major}.{minor} or later is needed, this is {version}"));
    }
    Ok(version.to_owned())
}

/// `go1.26.8` as (1, 26); nothing for a version in development, which is taken to be new.
fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix("go")?.split('.');
    let digits = |part: &str| part.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    Some((digits(parts.next()?)?, digits(parts.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for version in ["go1.24", "go1.24rc1", "go1.26.8", "go2.0", "devel go1.27-abcdef"] {
            assert_eq!(checked(version).as_deref(), Ok(version));
        }
        for version in ["go1.9", "go1.23.12", "go1.4"] {
            assert_eq!(checked(version), Err(format!("Go 1.24 or later is needed, this is {version}")));
        }
    }

    #[test]
    fn a_program_that_is_no_compiler_is_told() {
        assert!(version_of(Path::new("/nowhere/go")).unwrap_err().contains("there is no Go compiler"));
        assert!(version_of(Path::new("/bin/false")).unwrap_err().contains("does not run"));
    }
}
