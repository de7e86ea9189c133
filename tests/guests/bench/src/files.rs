//! Stored files.

use weir::prelude::*;

#[mutation]
fn upload_url(ctx: &MutationCtx) -> Result<String> {
    ctx.storage.generate_upload_url()
}

#[query]
fn file_url(ctx: &QueryCtx, id: Id<StoredFile>) -> Result<Option<String>> {
    ctx.storage.get_url(&id)
}
