//! What `deploy/Dockerfile` builds, in what an image of it has: nothing but the binary, a folder for its data, and the
//! kernel's own files. `make static` builds the binary, and names it here; without it there is nothing to test.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, http, project};

/// The user that the image runs as.
const USER: u32 = 65_532;

/// Starts the host as a container would: as process 1, as a user without rights, with `/` as its file system.
const CONTAINER: &str =
    r#"mount -t proc proc "$0/proc" && exec chroot --userspec=65532:65532 "$0" /host "$@""#;

fn deploy_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

/// The arguments of the image's own command, at a free port.
fn arguments() -> Result<Vec<String>> {
    let dockerfile = fs::read_to_string(deploy_folder().join("Dockerfile"))?;
    let command = dockerfile.lines().find_map(|line| line.strip_prefix("CMD ")).context("no CMD")?;
    let words: Vec<String> = serde_json::from_str(command)?;
    Ok(words.into_iter().map(|word| word.replace("[::]:3210", "127.0.0.1:0")).collect())
}

/// A file system with nothing in it but what the Dockerfile copies.
fn image(root: &Path, binary: &Path) -> Result<()> {
    fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
    fs::copy(binary, root.join("host"))?;
    fs::set_permissions(root.join("host"), fs::Permissions::from_mode(0o755))?;
    fs::create_dir(root.join("proc"))?;
    let data = root.join("data");
    fs::create_dir(&data)?;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700))?;
    chown(&data, Some(USER), Some(USER))?;
    Ok(())
}

fn start(root: &Path) -> Result<HostProcess> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "sh", "-c", CONTAINER]).arg(root).args(arguments()?);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    HostProcess::start(command)
}

fn deploy(root: &Path, host: &HostProcess) -> Result<()> {
    let url = format!("http://{}", host.address());
    let mut command = Command::new(host_binary());
    command.arg("deploy").arg(project::chat()).args(["--url", &url]).arg("--admin-key-file");
    let deployed = command.arg(root.join("data/admin-key")).env_remove("CARGO_TARGET_DIR").output()?;
    ensure!(deployed.status.success(), "{}", String::from_utf8_lossy(&deployed.stderr));
    Ok(())
}

#[test]
fn a_static_host_deploys_serves_and_stops_with_nothing_around_it() -> Result<()> {
    let Some(binary) = std::env::var_os("WEIR_STATIC_HOST").map(PathBuf::from) else {
        eprintln!("skipped: WEIR_STATIC_HOST names no static binary (`make static` builds one)");
        return Ok(());
    };
    let linked = Command::new("ldd").arg(&binary).output()?;
    let said = String::from_utf8_lossy(&[linked.stdout, linked.stderr].concat()).into_owned();
    ensure!(said.contains("statically linked") || said.contains("not a dynamic executable"), "{said}");
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    image(root, &binary)?;
    let mut host = start(root)?;
    deploy(root, &host)?;
    let send = |n: u32| {
        let args = json!({"user": "ada", "body": format!("message {n}")});
        http::call(host.address(), "mutation", "chat:sendMessage", &args)
    };
    for n in 0..10 {
        let answer = send(n)?;
        ensure!(answer["status"] == "success", "{answer}");
    }
    let child = fs::read_to_string(format!("/proc/{0}/task/{0}/children", host.pid()))?;
    let status = fs::read_to_string(format!("/proc/{}/status", child.trim()))?;
    let user = format!("Uid:\t{USER}\t{USER}\t{USER}\t{USER}");
    ensure!(status.contains(&user) && status.contains("CapEff:\t0000000000000000"), "{status}");
    ensure!(host.stop_traced()?, "SIGTERM ends it in order, also as process 1: {}", host.errors());
    // A container that is made anew finds what the volume has.
    let mut host = start(root)?;
    let answer = http::call(host.address(), "query", "chat:getMessages", &json!({}))?;
    ensure!(answer["value"].as_array().is_some_and(|messages| messages.len() == 10), "{answer}");
    ensure!(host.stop_traced()?, "it ends in order");
    Ok(())
}
