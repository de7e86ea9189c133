//! Stored files.

use futures::future::try_join_all;
use weir::prelude::*;

use crate::told;

type FileId = Id<StoredFile>;

/// A piece of a file that is written piece by piece.
const PIECE_BYTES: usize = 100_000;

#[mutation]
fn upload_url(ctx: &MutationCtx) -> Result<String> {
    ctx.storage.generate_upload_url()
}

#[query]
fn url(ctx: &QueryCtx, id: String) -> Result<Option<String>> {
    ctx.storage.get_url(&Id::from_text(id))
}

#[query]
fn metadata(ctx: &QueryCtx, id: String) -> Result<Option<FileMetadata>> {
    ctx.storage.get_metadata(&Id::from_text(id))
}

/// The document of a file.
#[query]
fn document(ctx: &QueryCtx, id: FileId) -> Result<Option<Doc<StoredFile>>> {
    ctx.db.system().get(&id)
}

#[query]
fn all(ctx: &QueryCtx) -> Result<Vec<Doc<StoredFile>>> {
    ctx.db.system().query("_storage").collect()
}

/// What a query is told of a file that is none.
#[query]
fn tell(ctx: &QueryCtx, id: String) -> Vec<String> {
    let id = Id::from_text(id);
    vec![
        told(ctx.storage.get_url(&id), |url| url.map_or("none", |_| "a URL").to_owned()),
        told(ctx.storage.get_metadata(&id), |known| known.map_or("none", |_| "metadata").to_owned()),
    ]
}

/// Tries it in a query, past what the types allow; tells what the host says.
#[query]
fn from_query(_ctx: &QueryCtx, id: String) -> Vec<String> {
    let storage = MutationCtx::new().storage;
    vec![
        told(storage.generate_upload_url(), |_| "a URL".to_owned()),
        told(storage.delete(&Id::from_text(id)), |()| "deleted".to_owned()),
    ]
}

/// Keeps a file's id in a document.
#[mutation]
fn keep(ctx: &MutationCtx, name: String, file: FileId) -> Result<()> {
    ctx.db.insert("kept", &fields! { name: name, file: file })?;
    Ok(())
}

#[mutation]
fn remove(ctx: &MutationCtx, id: String) -> Result<()> {
    ctx.storage.delete(&Id::from_text(id))
}

#[mutation]
fn try_remove(ctx: &MutationCtx, id: String) -> String {
    told(ctx.storage.delete(&Id::from_text(id)), |()| "deleted".to_owned())
}

/// Deletes a file, sees that it is gone, and fails.
#[mutation]
fn remove_and_fail(ctx: &MutationCtx, id: String) -> Result<()> {
    let id = Id::from_text(id);
    ctx.storage.delete(&id)?;
    ensure!(ctx.storage.get_url(&id)?.is_none(), "it is still there");
    bail!("after all not")
}

fn new_file(body: impl Into<Body>, content_type: Option<String>, sha256: Option<String>) -> NewFile {
    let mut file = NewFile::new(body);
    if let Some(content_type) = content_type {
        file = file.content_type(content_type);
    }
    if let Some(sha256) = sha256 {
        file = file.sha256(sha256);
    }
    file
}

#[action]
async fn store(
    ctx: &ActionCtx,
    text: String,
    content_type: Option<String>,
    sha256: Option<String>,
) -> Result<FileId> {
    ctx.storage.store(new_file(text.into_bytes(), content_type, sha256)).await
}

#[action]
async fn try_store(
    ctx: &ActionCtx,
    text: String,
    content_type: Option<String>,
    sha256: Option<String>,
) -> String {
    told(ctx.storage.store(new_file(text.into_bytes(), content_type, sha256)).await, |_| "stored".to_owned())
}

/// Stores so many bytes, piece by piece.
#[action]
async fn store_large(ctx: &ActionCtx, size: u32) -> Result<FileId> {
    let body = Body::stream(move |mut out| async move {
        let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        for piece in bytes.chunks(PIECE_BYTES) {
            out.write(piece).await?;
        }
        Ok(())
    });
    ctx.storage.store(NewFile::new(body).content_type("application/octet-stream")).await
}

/// Stores so many bytes at once.
#[action]
async fn store_whole(ctx: &ActionCtx, size: u32) -> Result<FileId> {
    let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    ctx.storage.store(NewFile::new(bytes)).await
}

/// A file with its text.
#[value]
#[serde(rename_all = "camelCase")]
struct Content {
    text: String,
    size: f64,
    content_type: Option<String>,
}

#[action]
async fn read(ctx: &ActionCtx, id: String) -> Result<Option<Content>> {
    let Some(file) = ctx.storage.get(&Id::from_text(id)).await? else { return Ok(None) };
    let FileMetadata { size, content_type, .. } = file.metadata().clone();
    Ok(Some(Content { text: file.text().await?, size, content_type }))
}

#[action]
async fn try_read(ctx: &ActionCtx, id: String) -> String {
    told(ctx.storage.get(&Id::from_text(id)).await, |file| file.map_or("none", |_| "a file").to_owned())
}

/// How many bytes a file has, and what they come to, read piece by piece.
#[action]
async fn sum(ctx: &ActionCtx, id: FileId) -> Result<Vec<f64>> {
    let mut file = ctx.storage.get(&id).await?.context("there is no such file")?;
    let (mut size, mut sum) = (0.0, 0.0);
    while let Some(piece) = file.body_mut().next().await? {
        size += piece.len() as f64;
        sum += piece.iter().map(|&byte| f64::from(byte)).sum::<f64>();
    }
    Ok(vec![size, sum])
}

/// Stores what a file holds once more.
#[action]
async fn copy(ctx: &ActionCtx, id: FileId) -> Result<FileId> {
    let file = ctx.storage.get(&id).await?.context("there is no such file")?;
    let content_type = file.metadata().content_type.clone();
    ctx.storage.store(new_file(file.into_body(), content_type, None)).await
}

/// Stores what a page gives.
#[action]
async fn store_fetched(ctx: &ActionCtx, url: String) -> Result<FileId> {
    let page = ctx.fetch(Request::get(url)).await?;
    ctx.storage.store(NewFile::new(page.into_body()).content_type("text/plain")).await
}

/// Whether what a page gives is stored.
#[action]
async fn try_store_fetched(ctx: &ActionCtx, url: String) -> Result<bool> {
    let page = ctx.fetch(Request::get(url)).await?;
    Ok(ctx.storage.store(NewFile::new(page.into_body())).await.is_ok())
}

/// Everything that there is to do with a file, in one action.
#[action]
async fn life(ctx: &ActionCtx, text: String) -> Result<Vec<Value>> {
    let upload_url = ctx.storage.generate_upload_url()?;
    let id = ctx.storage.store(NewFile::new(text.into_bytes())).await?;
    let url = ctx.storage.get_url(&id)?.context("a URL")?;
    let known = ctx.storage.get_metadata(&id)?.context("metadata")?;
    ctx.storage.delete(&id)?;
    Ok(vec![
        upload_url.contains("/api/storage/upload?token=").into(),
        url.ends_with(&known.storage_id).into(),
        known.size.into(),
        ctx.storage.get_url(&id)?.is_none().into(),
        ctx.storage.get_metadata(&id)?.is_none().into(),
        ctx.storage.get(&id).await?.is_none().into(),
    ])
}

/// Stores texts at the same time, and reads them at the same time.
#[action]
async fn many(ctx: &ActionCtx, texts: Vec<String>) -> Result<Vec<String>> {
    let stores = texts.into_iter().map(|text| ctx.storage.store(NewFile::new(text.into_bytes())));
    let ids = try_join_all(stores).await?;
    try_join_all(
        ids.iter().map(async |id| ctx.storage.get(id).await?.context("it was just stored")?.text().await),
    )
    .await
}
