//! What a developer waits for: from the save of a file to the first answer of the new function, with `host dev`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, http, project};

use crate::table::{Line, quantile};

/// Changes that are made, one after another.
const CHANGES: u64 = 10;
const GOAL: Duration = Duration::from_millis(500);

/// A project in TypeScript, with a file that changes.
///
/// # Errors
/// When the host does not start, or a change is not served.
pub fn measure(show: &mut impl FnMut(Line)) -> Result<()> {
    let folder = tempfile::tempdir()?;
    write_project(folder.path())?;
    let data = tempfile::tempdir()?;
    let mut command = Command::new(host_binary());
    command.arg("dev").arg(folder.path()).arg("--data").arg(data.path()).args(["--listen", "127.0.0.1:0"]);
    let host = HostProcess::start(command)?;
    let mut times = Vec::new();
    for version in 1..=CHANGES {
        // The watcher takes changes that follow each other for one.
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        write_function(folder.path(), version)?;
        let served = || http::value(host.address(), "query", "notes:version", &json!({}));
        while served()?.as_f64() != Some(version as f64) {
            ensure!(
                began.elapsed() < Duration::from_secs(30),
                "the change is not served:\n{}",
                host.errors()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        times.push(began.elapsed().as_millis() as u64);
    }
    let (median, longest) = (quantile(&mut times, 0.5), quantile(&mut times, 1.0));
    let met = u128::from(median) <= GOAL.as_millis();
    let goal = format!("<= {} ms", GOAL.as_millis());
    let line = Line::goal("TypeScript: host dev, from change to served", format!("{median} ms"), goal, met);
    show(line.note(format!("{longest} ms at most")));
    Ok(())
}

fn write_project(folder: &Path) -> Result<()> {
    let toml = "[project]\nname = \"dev\"\n\n[modules.dev]\nlanguage = \"typescript\"\npath = \".\"\n";
    fs::write(folder.join("host.toml"), toml)?;
    symlink(project::repository().join("node_modules"), folder.join("node_modules"))?;
    fs::create_dir(folder.join("convex"))?;
    write_function(folder, 0)
}

fn write_function(folder: &Path, version: u64) -> Result<()> {
    let text = format!(
        "import {{ query }} from \"./_generated/server\";\n\nexport const version = query({{ handler: () => {version} }});\n"
    );
    Ok(fs::write(folder.join("convex/notes.ts"), text)?)
}
