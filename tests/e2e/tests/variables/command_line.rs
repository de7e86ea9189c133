//! `host env`.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::json;
use weir_test_support::HostProcess;
use weir_test_support::host::host_binary;

use super::{functions, get, host, host_well};

#[test]
fn variables_are_set_printed_listed_and_removed() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = HostProcess::dev(&functions(), data.path())?;
    let data = data.path();
    host_well(&server, data, &["env", "set", "PLAIN", "one two"])?;
    host_well(&server, data, &["env", "set", "PAIR=a=b"])?;
    let from_input = host(&server, data, &["env", "set", "PIPED"], "first\nsecond\n")?;
    ensure!(from_input.is_success && from_input.stderr.contains("set PIPED"), "{}", from_input.stderr);
    let file = data.join("more.env");
    fs::write(&file, "# settings\nexport FROM_FILE='quoted $value'\nEMPTY=\n")?;
    host_well(&server, data, &["env", "set", "--from-file", &file.display().to_string()])?;
    fs::write(&file, "a value in a file\n")?;
    host_well(&server, data, &["env", "set", "SECRET", "--from-file", &file.display().to_string()])?;

    let cases = [
        ("PLAIN", json!("one two")),
        ("PAIR", json!("a=b")),
        ("PIPED", json!("first\nsecond")),
        ("FROM_FILE", json!("quoted $value")),
        ("EMPTY", json!("")),
        ("SECRET", json!("a value in a file")),
        ("CONVEX_CLOUD_URL", json!(format!("http://{}", server.address()))),
        ("ABSENT", json!(null)),
    ];
    for (name, expected) in cases {
        ensure!(get(&server, name)? == expected, "{name}: {}", get(&server, name)?);
    }
    // `host dev` gives HTTP actions a port of their own.
    let site = get(&server, "CONVEX_SITE_URL")?;
    let is_beside = site.as_str().is_some_and(|url| {
        url.starts_with("http://127.0.0.1:") && !url.ends_with(&format!(":{}", server.address().port()))
    });
    ensure!(is_beside, "CONVEX_SITE_URL: {site}");
    ensure!(host_well(&server, data, &["env", "get", "PIPED"])? == "first\nsecond\n");
    let listed = host_well(&server, data, &["env", "list"])?;
    let expected = "EMPTY=\nFROM_FILE=\"quoted \\$value\"\nPAIR=a=b\nPIPED=\"first\\nsecond\"\nPLAIN=\"one two\"\nSECRET=\"a \
                    value in a file\"\n";
    ensure!(listed == expected, "{listed}");

    host_well(&server, data, &["env", "remove", "PLAIN", "PAIR"])?;
    host_well(&server, data, &["env", "rm", "EMPTY"])?;
    ensure!(get(&server, "PLAIN")? == json!(null));
    fs::write(&file, &listed)?;
    host_well(&server, data, &["env", "set", "--from-file", &file.display().to_string()])?;
    ensure!(host_well(&server, data, &["env", "list"])? == listed, "what was listed is set again");
    Ok(())
}

#[test]
fn what_is_wrong_is_told_without_the_value() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = HostProcess::serve(data.path())?;
    let data = data.path();
    let file = data.join("wrong.env");
    fs::write(&file, "GOOD=1\nhidden\n")?;
    let file = file.display().to_string();
    let large = "hidden".repeat(2_000);
    let cases: [(&[&str], &str, &str); 10] = [
        (&["env", "set"], "", "name the variable to set"),
        (&["env", "set", "9A", "hidden"], "", "begin with"),
        (&["env", "set", "A-B=hidden"], "", "contains '-'"),
        (&["env", "set", "CONVEX_SITE_URL", "hidden"], "", "`CONVEX_SITE_URL` is built in"),
        (&["env", "set", "LARGE"], &large, "the value of the variable `LARGE` is too large: 12000 bytes"),
        (&["env", "set", "--from-file", &file], "", "line 2: it has no `=`"),
        (&["env", "set", "A", "hidden", "--from-file", &file], "", "give the value once"),
        (&["env", "get", "ABSENT"], "", "there is no variable `ABSENT`"),
        (&["env", "remove", "ABSENT"], "", "there is no variable `ABSENT`"),
        (&["env", "remove"], "", "required"),
    ];
    for (arguments, input, expected) in cases {
        let finished = host(&server, data, arguments, input)?;
        ensure!(!finished.is_success, "{arguments:?} succeeded");
        ensure!(finished.stderr.contains(expected), "{arguments:?}: {}", finished.stderr);
        ensure!(!finished.stderr.contains("hidden"), "{arguments:?}: {}", finished.stderr);
    }
    ensure!(host_well(&server, data, &["env", "list"])?.is_empty(), "nothing was set");
    let elsewhere = Command::new(host_binary())
        .args(["env", "list", "--url", &format!("http://{}", server.address())])
        .env_remove("HOST_ADMIN_KEY")
        .current_dir(tempfile::tempdir()?.path())
        .output()?;
    let told = String::from_utf8_lossy(&elsewhere.stderr).into_owned();
    ensure!(
        !elsewhere.status.success() && told.contains("access to variables needs the server's admin key"),
        "{told}"
    );
    Ok(())
}
