//! `deploy/`: what is in its files exists, and systemd and the host take it, where this machine can tell.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use serde_json::Value;
use weir_test_support::HostProcess;
use weir_test_support::host::{free_port, host_binary};

fn deploy_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn read(name: &str) -> Result<String> {
    fs::read_to_string(deploy_folder().join(name)).with_context(|| name.to_owned())
}

/// The words of `host serve` in a file that begin with `--`, without values.
fn flags(text: &str) -> BTreeSet<String> {
    let words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(|line| {
        line.split([' ', '"', ',', '[', ']', '=', '\\'])
            .filter(|word| word.starts_with("--") && word.len() > 2)
    });
    words.map(str::to_owned).collect()
}

/// The command that the unit starts, without the program.
fn command_of(unit: &str) -> Vec<String> {
    let start = unit.split("ExecStart=").nth(1).unwrap_or_default();
    let mut words = Vec::new();
    for line in start.lines() {
        words.extend(line.trim_end_matches('\\').split_whitespace().map(str::to_owned));
        if !line.ends_with('\\') {
            break;
        }
    }
    words.split_off(1)
}

#[test]
fn every_flag_exists() -> Result<()> {
    let help = Command::new(host_binary()).args(["serve", "--help"]).output()?;
    let known = flags(&String::from_utf8(help.stdout)?);
    ensure!(known.contains("--listen"), "the help has flags in it: {known:?}");
    let unit = command_of(&read("weir.service")?).join(" ");
    let dockerfile = read("Dockerfile")?;
    let command = dockerfile.lines().find(|line| line.starts_with("CMD")).context("no CMD")?.to_owned();
    let kubernetes = read("kubernetes.yaml")?;
    let arguments = kubernetes.split("args:").nth(1).and_then(|rest| rest.split("ports:").next());
    let arguments = arguments.context("no args")?.to_owned();
    for (file, text) in [("weir.service", unit), ("Dockerfile", command), ("kubernetes.yaml", arguments)] {
        let used = flags(&text);
        ensure!(used.contains("--data") && used.contains("--listen"), "{file}: {used:?}");
        let unknown: Vec<_> = used.difference(&known).collect();
        ensure!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    Ok(())
}

/// What compiles the host is in the image that it is compiled in: `scripts/setup` installs nothing there, or not the same.
#[test]
fn the_image_is_built_with_what_a_build_needs() -> Result<()> {
    let folder = deploy_folder();
    let setup = fs::read_to_string(folder.join("../scripts/setup"))?;
    let packages = setup.split("ENGINE_PACKAGES=(").nth(1).and_then(|rest| rest.split(')').next());
    let dockerfile = read("Dockerfile")?;
    let missing = |package: &&str| !dockerfile.contains(&format!(" {package} "));
    let missing: Vec<_> = packages.context("no packages")?.split_whitespace().filter(missing).collect();
    ensure!(missing.is_empty(), "{missing:?}");
    let package: Value = serde_json::from_str(&fs::read_to_string(folder.join("../package.json"))?)?;
    let wanted =
        package["engines"]["node"].as_str().and_then(|node| node.trim_start_matches(">=").split('.').next());
    let node = dockerfile.split("FROM node:").nth(1).and_then(|rest| rest.split('-').next());
    let (wanted, node): (u32, u32) =
        (wanted.context("no version")?.parse()?, node.context("no Node")?.parse()?);
    ensure!(node >= wanted, "Node {node}, and {wanted} is needed");
    Ok(())
}

/// The unit as it is installed on this machine; it names a program that is there.
fn installed(folder: &Path) -> Result<PathBuf> {
    let unit = read("weir.service")?.replace("/usr/local/bin/host", &host_binary().display().to_string());
    let path = folder.join("weir.service");
    fs::write(&path, unit)?;
    Ok(path)
}

#[test]
fn systemd_takes_the_unit_and_finds_it_closed() -> Result<()> {
    let has_systemd = Command::new("systemd-analyze").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has_systemd {
        eprintln!("skipped: systemd-analyze is not on this machine");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let unit = installed(folder.path())?;
    let verified = Command::new("systemd-analyze").arg("verify").arg("--man=no").arg(&unit).output()?;
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    ensure!(verified.status.success() && !said.contains("weir.service:"), "{said}");
    // From 0, closed, to 100, open: 2.0 is what a program that opens low ports and makes code can come to.
    let rated = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
        .arg(&unit)
        .output()?;
    ensure!(rated.status.success(), "{}{}", text(&rated.stdout), text(&rated.stderr));
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files of a certificate and its key.
fn certificate(folder: &Path) -> Result<(String, String)> {
    let made = rcgen::generate_simple_self_signed(vec!["weir.test".to_owned()])?;
    let write = |name: &str, kind: &str, der: &[u8]| -> Result<String> {
        let path = folder.join(name);
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        fs::write(&path, format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n"))?;
        Ok(path.display().to_string())
    };
    let key = made.signing_key.serialize_der();
    Ok((write("chain.pem", "CERTIFICATE", made.cert.der())?, write("key.pem", "PRIVATE KEY", &key)?))
}

/// The unit's own command line, with this test's folder, ports and name: it starts, and tells systemd when it is ready.
#[test]
fn the_units_command_starts_a_host_that_tells_when_it_is_ready() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("notify");
    let told = UnixDatagram::bind(&socket)?;
    told.set_read_timeout(Some(Duration::from_secs(60)))?;
    let data = folder.path().join("data").display().to_string();
    let (chain, key) = certificate(folder.path())?;
    let (listen, redirect) = (format!("127.0.0.1:{}", free_port()?), format!("127.0.0.1:{}", free_port()?));
    let arguments = command_of(&read("weir.service")?).into_iter().map(|word| match word.as_str() {
        "/var/lib/weir" => data.clone(),
        "[::]:443" => listen.clone(),
        "[::]:80" => redirect.clone(),
        "${WEIR_URL}" => "https://weir.test".to_owned(),
        "/etc/weir/chain.pem" => chain.clone(),
        "/etc/weir/key.pem" => key.clone(),
        _ => word,
    });
    let mut command = Command::new(host_binary());
    command.args(arguments).env("NOTIFY_SOCKET", &socket);
    let mut host = HostProcess::start(command)?;
    let mut state = [0; 64];
    let length = told.recv(&mut state)?;
    ensure!(&state[..length] == b"READY=1", "{}", text(&state[..length]));
    ensure!(host.stop()?, "it ends in order");
    let length = told.recv(&mut state)?;
    ensure!(&state[..length] == b"STOPPING=1", "{}", text(&state[..length]));
    Ok(())
}

/// As an API server would read it, as far as that can be told without one.
#[test]
fn the_clusters_objects_fit_each_other() -> Result<()> {
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let read =
        Command::new("python3").args(["-c", script]).arg(deploy_folder().join("kubernetes.yaml")).output();
    let Some(read) = read.ok().filter(|read| !text(&read.stderr).contains("No module named")) else {
        eprintln!("skipped: there is no Python with a YAML parser on this machine");
        return Ok(());
    };
    ensure!(read.status.success(), "{}", text(&read.stderr));
    let objects: Vec<Value> = serde_json::from_slice(&read.stdout)?;
    let of_kind = |kind: &str| objects.iter().find(|object| object["kind"] == kind).context(kind.to_owned());
    let (service, set, ingress) = (of_kind("Service")?, of_kind("StatefulSet")?, of_kind("Ingress")?);
    let pod = &set["spec"]["template"];
    ensure!(set["spec"]["replicas"] == 1, "two hosts never share a data folder");
    ensure!(set["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"], "the set finds its pods");
    ensure!(service["spec"]["selector"] == pod["metadata"]["labels"], "the service finds them too");
    ensure!(set["spec"]["serviceName"] == service["metadata"]["name"], "the set's service is there");
    let backend = &ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
    ensure!(backend["name"] == service["metadata"]["name"], "the ingress leads to it");
    let container = &pod["spec"]["containers"][0];
    ensure!(
        container["ports"][0]["name"] == service["spec"]["ports"][0]["targetPort"],
        "ports have one name"
    );
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        ensure!(container[probe]["httpGet"]["port"] == "http", "{probe}");
    }
    ensure!(
        container["securityContext"]["readOnlyRootFilesystem"] == true,
        "nothing but the data is written"
    );
    let mount = &container["volumeMounts"][0];
    ensure!(
        mount["name"] == set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"],
        "the disk is mounted"
    );
    let data = container["args"]
        .as_array()
        .and_then(|args| args.iter().find_map(|it| it.as_str()?.strip_prefix("--data=")));
    let path = mount["mountPath"].as_str().context("a path")?;
    ensure!(data.is_some_and(|data| data.starts_with(path)), "the data lie on it");
    Ok(())
}
