//! Node, which runs the bundler.

use std::io;
use std::process::Command;

use crate::Module;
use crate::build::BuildError;

/// The oldest Node that the bundler and our scripts run on.
const OLDEST: (u32, u32) = (20, 19);

/// Checks that there is a Node, and that it is new enough; gives its version.
pub(crate) fn check(module: &Module) -> Result<String, BuildError> {
    let (major, minor) = OLDEST;
    let install = format!("install Node {major}.{minor} or later, with npm (https://nodejs.org)");
    let output = Command::new("node").arg("--version").output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BuildError::source(module, format!("there is no node; {install}")),
        _ => BuildError::source(module, format!("node does not run: {error}; {install}")),
    })?;
    let version = String::from_utf8_lossy(&output.stdout).trim().trim_start_matches('v').to_owned();
    if is_enough(&version) {
        return Ok(version);
    }
    Err(BuildError::source(module, format!("this is Node {version}; {install}")))
}

fn is_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    numbers.next().zip(numbers.next()).is_some_and(|found| found >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_told_from_new_ones() {
        let cases = [
            ("20.19.0", true),
            ("22.1.0", true),
            ("20.18.3", false),
            ("18.20.1", false),
            ("", false),
            ("x", false),
        ];
        for (version, expected) in cases {
            assert_eq!(is_enough(version), expected, "{version}");
        }
    }
}
