//! The snippets that the SDK's page shows.

use std::time::Duration;

use weir::prelude::*;

#[document("notes", index(by_author = [author, stars]))]
pub struct Note {
    pub author: String,
    pub text: String,
    pub stars: f64,
    pub pinned: Option<bool>,
}

/// What a client gets when a note is not its own.
#[value]
pub struct NotYours {
    pub code: String,
    pub author: String,
}

#[query]
pub fn latest(ctx: &QueryCtx) -> Result<Vec<Doc<Note>>> {
    ctx.db.query("notes").order(Desc).take(10)
}

#[mutation]
pub fn write(ctx: &MutationCtx, author: String, text: String) -> Result<Id<Note>> {
    ctx.db.insert("notes", &Note { author, text, stars: 0.0, pinned: None })
}

#[query]
pub fn read(ctx: &QueryCtx, id: Id<Note>) -> Result<Option<Doc<Note>>> {
    ctx.db.get(&id)
}

#[query]
pub fn starred(ctx: &QueryCtx, least: f64) -> Result<Vec<Doc<Note>>> {
    ctx.db.query("notes").order(Desc).filter(|note| note.field("stars").gte(least)).take(20)
}

#[query]
pub fn by(ctx: &QueryCtx, author: String, least: f64) -> Result<Vec<Doc<Note>>> {
    ctx.db.query("notes").with_index(Note::BY_AUTHOR, |range| range.eq(author).gte(least)).collect()
}

#[query]
pub fn count_by(ctx: &QueryCtx, author: String) -> Result<f64> {
    Ok(ctx.db.query("notes").with_index(Note::BY_AUTHOR, |range| range.eq(author)).count()? as f64)
}

#[query]
pub fn page(ctx: &QueryCtx, pagination_opts: PaginationOptions) -> Result<PaginationResult<Note>> {
    ctx.db.query("notes").order(Desc).paginate(&pagination_opts)
}

#[mutation]
pub fn star(ctx: &MutationCtx, id: Id<Note>) -> Result<()> {
    let note = ctx.db.get(&id)?.context("there is no such note")?;
    ctx.db.patch(&id, fields! { stars: note.stars + 1.0 })
}

#[mutation]
pub fn rewrite(ctx: &MutationCtx, id: Id<Note>, author: String, text: String) -> Result<()> {
    ctx.db.replace(&id, &Note { author, text, stars: 0.0, pinned: None })
}

#[mutation]
pub fn remove(ctx: &MutationCtx, id: Id<Note>) -> Result<()> {
    ctx.db.delete(&id)
}

#[mutation]
pub fn pin(ctx: &MutationCtx, id: Id<Note>, author: String) -> Result<()> {
    let note = ctx.db.get(&id)?.context("there is no such note")?;
    if note.author != author {
        bail_with!(NotYours { code: "NotYours".to_owned(), author: note.author.clone() });
    }
    ctx.db.patch(&id, fields! { pinned: true })
}

#[mutation]
pub fn write_and_star(ctx: &MutationCtx, author: String, text: String) -> Result<Id<Note>> {
    let id: Id<Note> = ctx.run_mutation("notes:write", fields! { author: author, text: text })?;
    ctx.run_mutation::<()>("notes:star", fields! { id: id })?;
    Ok(id)
}

#[mutation]
pub fn write_fortune(ctx: &MutationCtx) -> Result<Id<Note>> {
    let number = (ctx.random() * 100.0).floor();
    log!("fortune {number} at {}", ctx.now());
    let text = format!("Your number is {number}.");
    ctx.db.insert("notes", &Note { author: "fortune".to_owned(), text, stars: 0.0, pinned: None })
}

#[query]
pub fn motto(ctx: &QueryCtx) -> String {
    ctx.env("MOTTO").unwrap_or_else(|| "Write it down.".to_owned())
}

#[query]
pub fn mine(ctx: &QueryCtx) -> Result<Vec<Doc<Note>>> {
    let Some(user) = ctx.identity() else { return Ok(Vec::new()) };
    ctx.db.query("notes").with_index(Note::BY_AUTHOR, |range| range.eq(user.subject())).collect()
}

#[mutation]
pub fn badge(ctx: &MutationCtx, room: String) -> Result<String> {
    let user = ctx.identity().context("sign in first")?;
    ctx.sign_jwt(fields! { sub: user.subject(), room: room }, Duration::from_secs(300))
}

#[mutation]
pub fn change_password(ctx: &MutationCtx, hash: String, old: String, next: String) -> Result<String> {
    ensure!(ctx.verify_password(&old, &hash)?, "this is not the password");
    ctx.hash_password(&next)
}

#[mutation]
pub fn remove_later(ctx: &MutationCtx, id: Id<Note>) -> Result<Id<ScheduledFunction>> {
    ctx.scheduler.run_after(Duration::from_secs(3600), "notes:remove", fields! { id: id })
}

#[mutation]
pub fn keep(ctx: &MutationCtx, job: Id<ScheduledFunction>) -> Result<()> {
    ctx.scheduler.cancel(&job)
}

crons!(|crons| {
    let morning = Daily { hour_utc: 6, minute_utc: 30 };
    crons.daily("fortune of the day", morning, "notes:writeFortune", fields! {});
    let note = fields! { author: "clock", text: "A new week." };
    crons.cron("new week", "0 9 * * mon", "notes:write", note);
});

#[action]
pub async fn clip(ctx: &ActionCtx, url: String) -> Result<Id<Note>> {
    let page = ctx.fetch(Request::get(&url)).await?;
    ensure!(page.is_success(), "{url} answers {}", page.status());
    let text = page.text().await?;
    ctx.run_mutation("notes:write", fields! { author: url, text: text }).await
}

#[action]
pub async fn clip_both(ctx: &ActionCtx, first: String, second: String) -> Result<Vec<Id<Note>>> {
    let (first, second) = futures::try_join!(clip(ctx, first), clip(ctx, second))?;
    Ok(vec![first, second])
}

/// What comes as JSON.
#[value]
struct Sent {
    author: String,
    text: String,
}

#[http_action(method = "POST", path = "/notes")]
pub async fn receive(ctx: &ActionCtx, request: Request) -> Result<Response> {
    let Ok(note) = request.json::<Sent>().await else {
        return Ok(Response::new(400).body("send an author and a text as JSON"));
    };
    let id: Id<Note> = ctx.run_mutation("notes:write", note).await?;
    Ok(Response::new(201).body(Body::json(fields! { id: id })?))
}

#[mutation]
pub fn upload(ctx: &MutationCtx) -> Result<String> {
    ctx.storage.generate_upload_url()
}

#[query]
pub fn picture(ctx: &QueryCtx, file: Id<StoredFile>) -> Result<Option<String>> {
    ctx.storage.get_url(&file)
}

#[action]
pub async fn save_page(ctx: &ActionCtx, url: String) -> Result<Id<StoredFile>> {
    let page = ctx.fetch(Request::get(url)).await?;
    ctx.storage.store(NewFile::new(page.into_body()).content_type("text/html")).await
}
