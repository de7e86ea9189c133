//! Identity providers on the real binary: from `convex/auth.config.ts` and `host.toml` to the users of functions, over
//! HTTP and sockets.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]

mod issuer;

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_test_support::command::{host, set, set_well};
use weir_test_support::{HostProcess, SyncClient, http, project};

use issuer::{Key, publish};

const FUNCTIONS: &str = "import { query } from \"./_generated/server\";\n\
    export const me = query({ args: {}, handler: async (ctx) =>\n  \
      (await ctx.auth.getUserIdentity())?.tokenIdentifier ?? null });\n";

/// A project in TypeScript with the query `who:me`, these lines in its `host.toml`, and this `auth.config.ts`.
fn write(folder: &Path, host_toml: &str, auth_config: Option<&str>) -> Result<()> {
    let packages = folder.join("node_modules");
    if !packages.exists() {
        std::os::unix::fs::symlink(project::repository().join("node_modules"), packages)?;
    }
    fs::create_dir_all(folder.join("convex"))?;
    fs::write(
        folder.join("host.toml"),
        format!("[modules.app]\nlanguage = \"typescript\"\npath = \".\"\n{host_toml}"),
    )?;
    fs::write(folder.join("convex/who.ts"), FUNCTIONS)?;
    let file = folder.join("convex/auth.config.ts");
    match auth_config {
        Some(text) => fs::write(file, text)?,
        None if file.exists() => fs::remove_file(file)?,
        None => {}
    }
    Ok(())
}

/// Deploys, or says why not.
fn deploy(server: &HostProcess, data: &Path, folder: &Path) -> Result<std::result::Result<(), String>> {
    let finished = host(server, data, &["deploy", &folder.display().to_string()], "")?;
    Ok(if finished.is_success { Ok(()) } else { Err(finished.stderr) })
}

fn deploy_well(server: &HostProcess, data: &Path, folder: &Path) -> Result<()> {
    deploy(server, data, folder)?.map_err(anyhow::Error::msg)
}

/// Whose a token is over HTTP, or the code of its refusal.
fn who(server: &HostProcess, token: &str) -> Result<Value> {
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let body = json!({"path": "who:me", "args": {}}).to_string();
    let answer = http::request(server.address(), "POST", "/api/query", &headers, body.as_bytes())?.json();
    Ok(answer.get("value").or(answer.get("code")).cloned().unwrap_or(answer))
}

fn expect(server: &HostProcess, token: &str, expected: &str) -> Result<()> {
    let found = who(server, token)?;
    ensure!(found == expected, "{found} instead of {expected}; the host says:\n{}", server.errors());
    Ok(())
}

/// A socket that is a token's user's, and watches who that is.
fn signed_in(server: &HostProcess, token: &str) -> Result<(SyncClient, Value)> {
    let mut client = SyncClient::connect(server.address(), "00000000-0000-4000-8000-000000000001", 0)?;
    client.send(&json!({"type": "Authenticate", "baseVersion": 0, "tokenType": "User", "value": token}))?;
    client.subscribe(0, 0, "who:me", &json!({}))?;
    let shown = client.receive_value(0)?;
    Ok((client, shown))
}

#[test]
fn a_project_says_with_variables_who_vouches_for_its_users() -> Result<()> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (folder, data) = (folder.path(), data.path());
    let (custom, oidc) = (Key::es256()?, Key::rs256()?);
    let domain = publish(&oidc)?;
    let config = "import { AuthConfig } from \"convex/server\";\n\
        export default {\n  providers: [\n    \
          { domain: process.env.AUTH_DOMAIN!, applicationID: \"app\" },\n    \
          { type: \"customJwt\", issuer: process.env.AUTH_ISSUER!, algorithm: \"ES256\",\n      \
            jwks: `data:application/json,${encodeURIComponent(process.env.AUTH_KEYS!)}` },\n  \
        ],\n} satisfies AuthConfig;\n";
    write(folder, "", Some(config))?;
    let mut server = HostProcess::serve(data)?;
    let refused = deploy(&server, data, folder)?.expect_err("AUTH_DOMAIN is not set");
    for part in [
        "module `app`, convex/auth.config.ts: ",
        "process.env.AUTH_DOMAIN",
        "`host env set AUTH_DOMAIN VALUE`",
    ] {
        ensure!(refused.contains(part), "{part} is not said: {refused}");
    }
    ensure!(refused.contains("convex/auth.config.ts:4:"), "the line is not said: {refused}");
    let keys = custom.set().to_string();
    let variables = [
        ("AUTH_DOMAIN", Some(&*domain)),
        ("AUTH_ISSUER", Some("https://me.test")),
        ("AUTH_KEYS", Some(&*keys)),
    ];
    set_well(&server, data, &variables)?;
    deploy_well(&server, data, folder)?;

    let by_oidc = oidc.token(&domain, Some("app"))?;
    let by_custom = custom.token("https://me.test", None)?;
    let ada_of_oidc = format!("{domain}|ada");
    expect(&server, &by_oidc, &ada_of_oidc)?;
    expect(&server, &by_custom, "https://me.test|ada")?;
    expect(&server, &oidc.token(&domain, Some("another"))?, "InvalidToken")?;
    expect(&server, &oidc.token("https://me.test", None)?, "InvalidToken")?;
    ensure!(signed_in(&server, &by_oidc)?.1 == ada_of_oidc);

    server.kill();
    server = HostProcess::serve(data)?;
    expect(&server, &by_oidc, &ada_of_oidc)?;
    let (mut client, shown) = signed_in(&server, &by_custom)?;
    ensure!(shown == "https://me.test|ada", "{shown}");

    // Another value is another provider; the users of the one that is gone are told.
    set_well(&server, data, &[("UNREAD", Some("1"))])?;
    set_well(&server, data, &[("AUTH_ISSUER", Some("https://other.test"))])?;
    let error = client.receive_type("AuthError")?;
    ensure!(error["error"].as_str().is_some_and(|why| why.starts_with("AuthProviderRemoved")), "{error}");
    expect(&server, &by_custom, "InvalidToken")?;
    expect(&server, &custom.token("https://other.test", None)?, "https://other.test|ada")?;
    expect(&server, &by_oidc, &ada_of_oidc)?;

    let refused = set(&server, data, &[("AUTH_KEYS", None)])?;
    ensure!(refused.status == 400 && refused.body.contains("process.env.AUTH_KEYS"), "{}", refused.body);
    let refused = set(&server, data, &[("AUTH_DOMAIN", Some("ftp://no-such-scheme"))])?;
    ensure!(refused.status == 400 && refused.body.contains("neither https nor http"), "{}", refused.body);
    ensure!(!refused.body.contains("no-such-scheme"), "a value is told: {}", refused.body);
    expect(&server, &by_oidc, &ada_of_oidc)?;

    refuses_what_makes_no_sense(&server, data, folder)?;
    expect(&server, &by_oidc, &ada_of_oidc)?;
    write(folder, "", None)?;
    deploy_well(&server, data, folder)?;
    expect(&server, &by_oidc, "NoAuthProvider")
}

/// Each `auth.config.ts` that is not one is refused, by its name and with what is wrong.
fn refuses_what_makes_no_sense(server: &HostProcess, data: &Path, folder: &Path) -> Result<()> {
    for (config, said) in [
        ("export default { providers: [{ domain: 7 }] };", "`providers[0].domain` is a number"),
        ("export default [];", "its default export is an array"),
        ("export const providers = [];", "it has no default export"),
        ("export default { providers: [{ domain: \"a.example\" }] };", "`applicationID` is missing"),
        ("throw new Error(\"no providers today\");", "no providers today"),
    ] {
        write(folder, "", Some(config))?;
        let refused = deploy(server, data, folder)?.expect_err(config);
        ensure!(refused.contains(said), "{said} is not said: {refused}");
        ensure!(
            refused.contains("module `app`, convex/auth.config.ts: "),
            "the file is not named: {refused}"
        );
    }
    Ok(())
}

#[test]
fn host_toml_says_who_vouches_for_users() -> Result<()> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (folder, data) = (folder.path(), data.path());
    let key = Key::rs256()?;
    let host_toml = "\n[[auth.providers]]\ntype = \"customJwt\"\nissuer = \"https://me.test\"\njwks = \"keys.json\"\n\
        algorithm = \"RS256\"\n\n[[auth.providers]]\ntype = \"host\"\n";
    write(folder, host_toml, None)?;
    let server = HostProcess::serve(data)?;
    let refused = deploy(&server, data, folder)?.expect_err("there is no keys.json");
    ensure!(refused.contains("cannot read the key set") && refused.contains("keys.json"), "{refused}");
    fs::write(folder.join("keys.json"), key.set().to_string())?;
    deploy_well(&server, data, folder)?;
    expect(&server, &key.token("https://me.test", None)?, "https://me.test|ada")?;

    // Nobody but the host can sign in its name, whose keys are public.
    let own = format!("http://{}", server.address());
    expect(&server, &key.token(&own, None)?, "InvalidToken")?;
    let discovery = http::get(server.address(), "/.well-known/openid-configuration")?.json();
    ensure!(discovery["issuer"] == own, "{discovery}");
    let path = discovery["jwks_uri"].as_str().and_then(|url| url.strip_prefix(&own)).unwrap_or_default();
    ensure!(http::get(server.address(), path)?.json()["keys"][0]["alg"] == "ES256", "{discovery}");
    drop(server);

    let fresh = tempfile::tempdir()?;
    let server = HostProcess::dev(folder, fresh.path())?;
    expect(&server, &key.token("https://me.test", None)?, "https://me.test|ada")
}
