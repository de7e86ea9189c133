//! Where the admin key comes from that goes with a server, and where it may be sent.

use std::fs;
use std::path::Path;

use anyhow::Context;
use weir_server::admin_key::AdminKey;

use crate::Usage;
use crate::arguments::{DATA_DIR, ServerAddress};
use crate::url::ServerUrl;

/// The variable of the environment that holds a key.
pub const KEY_VARIABLE: &str = "HOST_ADMIN_KEY";

/// How a key is given, for messages.
pub const HOW_TO_GIVE: &str =
    "give it with --admin-key-file, in the environment variable HOST_ADMIN_KEY, or with --data";

/// The admin key for a server: what a flag names, the environment's, or, for a server on this machine, that of the
/// default data folder. None at all is no error: not everything needs one.
///
/// # Errors
/// What was named is no key; or the key would be sent where others can read it.
pub fn find_key(arguments: &ServerAddress, url: &ServerUrl) -> anyhow::Result<Option<String>> {
    let Some(key) = given_key(arguments, url)? else { return Ok(None) };
    if !url.is_private() && !arguments.allow_plain_http {
        let origin = url.origin();
        return Err(Usage(format!(
            "the admin key is not sent to {origin} over plain http, where others can read it: use https, or a tunnel; \
             --allow-plain-http sends it all the same"
        ))
        .into());
    }
    Ok(Some(key))
}

fn given_key(arguments: &ServerAddress, url: &ServerUrl) -> anyhow::Result<Option<String>> {
    if let Some(key) = &arguments.admin_key {
        tracing::warn!(
            "--admin-key shows the key to everybody on this machine who lists its processes: use --admin-key-file or \
             {KEY_VARIABLE}"
        );
        return Ok(Some(key.clone()));
    }
    if let Some(file) = &arguments.admin_key_file {
        return read_key_file(file).map(Some);
    }
    if let Some(data) = &arguments.data {
        return Ok(Some(AdminKey::read(data)?.as_str().to_owned()));
    }
    if let Some(key) = std::env::var_os(KEY_VARIABLE).filter(|key| !key.is_empty()) {
        let key = key.into_string();
        return key.map(Some).map_err(|_| Usage(format!("{KEY_VARIABLE} is not text")).into());
    }
    if !url.is_local() {
        return Ok(None);
    }
    Ok(AdminKey::read(Path::new(DATA_DIR)).ok().map(|key| key.as_str().to_owned()))
}

fn read_key_file(file: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("--admin-key-file {}", file.display()))?;
    let key = text.trim();
    match key.is_empty() || key.contains(char::is_whitespace) {
        true => Err(Usage(format!("--admin-key-file {}: it does not hold one key", file.display())).into()),
        false => Ok(key.to_owned()),
    }
}
