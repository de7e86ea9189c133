//! `host key`: prints the admin key of a data folder.

use weir_server::admin_key::AdminKey;

use crate::arguments::Key;
use crate::output::print_line;

/// Prints it.
pub fn key(arguments: &Key) -> anyhow::Result<()> {
    let key = AdminKey::read(&arguments.data.data)?;
    print_line(key.as_str())
}
