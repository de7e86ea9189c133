//! `host convert`: moves a data folder to another base.

use anyhow::bail;

use crate::arguments::Convert;
use crate::output::print_line;

/// Converts, and says how much that was.
pub fn convert(arguments: &Convert) -> anyhow::Result<()> {
    let folder = weir_server::store_folder(&arguments.data.data);
    if !folder.is_dir() {
        bail!("{} has no store in it: is it the folder that --data names?", arguments.data.data.display());
    }
    let to = arguments.base;
    let converted = weir_store::convert(&folder, to)?;
    if converted.from == to {
        return print_line(&format!("the base is {to} already"));
    }
    print_line(&format!("converted from {} to {to}: {} rows", converted.from, converted.rows))
}
