//! `host init`: a new project.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use weir_build::{Language, Template};

use crate::arguments::Init;
use crate::output::print_line;

/// Makes the project, installs its npm packages if it has any, and says what comes next.
pub fn init(arguments: &Init) -> anyhow::Result<()> {
    let folder = std::path::absolute(&arguments.folder)
        .with_context(|| format!("cannot find the folder {}", arguments.folder.display()))?;
    let template = if arguments.auth { Template::SignIn } else { Template::Todos };
    for name in weir_build::init(&folder, arguments.language, template)? {
        print_line(&name)?;
    }
    eprintln!("the SDK is in {}", weir_build::sdk_folder(&folder, arguments.language).display());
    let installed = folder.join("package.json").exists() && !arguments.no_install && install(&folder)?;
    eprintln!("\n{}", next_steps(arguments, installed));
    Ok(())
}

/// Runs `npm install`, if there is an npm.
fn install(folder: &Path) -> anyhow::Result<bool> {
    eprintln!("running: npm install");
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund"]).current_dir(folder).stdin(Stdio::null());
    // What npm says is not part of this command's result.
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("npm cannot be run ({error}); install Node 20 or later, then run `npm install` there");
            return Ok(false);
        }
    };
    if !output.status.success() {
        bail!(
            "npm install ended with {}:\n{}the project is made; mend this and run `npm install` there",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(true)
}

fn next_steps(arguments: &Init, installed: bool) -> String {
    let mut steps = String::from("Next:\n");
    let mut step = |text: &str| {
        steps.push_str("  ");
        steps.push_str(text);
        steps.push('\n');
    };
    if arguments.folder != Path::new(".") {
        step(&format!("cd {}", arguments.folder.display()));
    }
    let needs_npm = matches!(arguments.language, Language::AssemblyScript | Language::TypeScript);
    if needs_npm && !installed {
        step("npm install");
    }
    step("host dev .            # build, serve, and build again on every change");
    step("open http://127.0.0.1:3210 in two windows");
    step(match arguments.language {
        Language::Rust => "cargo test",
        Language::Go => "go test ./...",
        Language::AssemblyScript | Language::TypeScript => "npm test",
    });
    steps
}
