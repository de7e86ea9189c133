//! Stored files.

use std::collections::BTreeMap;

use weir::prelude::*;

#[mutation]
fn upload_url(ctx: &MutationCtx) -> Result<String> {
    ctx.storage.generate_upload_url()
}

#[query]
fn url(ctx: &QueryCtx, id: Id<StoredFile>) -> Result<Option<String>> {
    ctx.storage.get_url(&id)
}

#[mutation]
fn remove(ctx: &MutationCtx, id: Id<StoredFile>) -> Result<()> {
    ctx.storage.delete(&id)
}

/// The URLs of all files that there are, by their ids.
#[query]
fn all(ctx: &QueryCtx) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for file in ctx.db.system().query::<StoredFile>("_storage").iter() {
        let id = file?.id;
        let url = ctx.storage.get_url(&id)?.context("a file that is there has a URL")?;
        all.insert(id.to_string(), url);
    }
    Ok(all)
}
