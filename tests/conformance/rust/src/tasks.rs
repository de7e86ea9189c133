//! A table with indexes: ranges, pages, counts, many documents at once, and what is wrong with a query.

use weir::prelude::*;

#[document(
    "tasks",
    index(by_team_rank = [team, rank], by_owner = [meta.owner]),
    staged_index(by_title = [title])
)]
struct Task {
    team: String,
    rank: f64,
    title: String,
    done: bool,
    meta: Option<Meta>,
}

#[value]
struct Meta {
    owner: Option<String>,
}

fn task(team: String, rank: f64, title: String, done: bool, owner: Option<String>) -> Task {
    let meta = owner.map(|owner| Meta { owner: Some(owner) });
    Task { team, rank, title, done, meta }
}

#[mutation]
fn insert(
    ctx: &MutationCtx,
    team: String,
    rank: f64,
    title: String,
    done: bool,
    owner: Option<String>,
) -> Result<Id<Task>> {
    ctx.db.insert("tasks", &task(team, rank, title, done, owner))
}

/// Changes a field that is in no index that can be read.
#[mutation]
fn rename(ctx: &MutationCtx, id: Id<Task>, title: String) -> Result<()> {
    ctx.db.patch(&id, fields! { title: title })
}

#[mutation(name = "move")]
fn move_to(ctx: &MutationCtx, id: Id<Task>, team: String, rank: f64) -> Result<()> {
    ctx.db.patch_in("tasks", &id, fields! { team: team, rank: rank })
}

#[mutation]
fn remove(ctx: &MutationCtx, id: Id<Task>) -> Result<()> {
    ctx.db.delete_in("tasks", &id)
}

/// Those of a team whose rank is at least `from` and below `to`.
#[query]
fn range(
    ctx: &QueryCtx,
    team: String,
    from: Option<f64>,
    to: Option<f64>,
    order: String,
    take: Option<u32>,
) -> Result<Vec<Doc<Task>>> {
    let tasks = ctx.db.query("tasks");
    let tasks = match (from, to) {
        (None, None) => tasks.with_index(Task::BY_TEAM_RANK, |range| range.eq(team)),
        (Some(from), None) => tasks.with_index(Task::BY_TEAM_RANK, |range| range.eq(team).gte(from)),
        (None, Some(to)) => tasks.with_index(Task::BY_TEAM_RANK, |range| range.eq(team).lt(to)),
        (Some(from), Some(to)) => {
            tasks.with_index(Task::BY_TEAM_RANK, |range| range.eq(team).gte(from).lt(to))
        }
    };
    let tasks = tasks.order(if order == "desc" { Desc } else { Asc });
    match take {
        Some(limit) => tasks.take(limit),
        None => tasks.collect(),
    }
}

/// Those of an owner, or of nobody.
#[query]
fn by_owner(ctx: &QueryCtx, owner: Option<String>) -> Result<Vec<Doc<Task>>> {
    ctx.db.query("tasks").with_index(Task::BY_OWNER, |range| range.eq(owner)).collect()
}

/// The one of a team with the highest rank.
#[query]
fn first(ctx: &QueryCtx, team: String) -> Result<Option<Doc<Task>>> {
    ctx.db.query("tasks").with_index(Task::BY_TEAM_RANK, |range| range.eq(team)).order(Desc).first()
}

#[query]
fn unique(ctx: &QueryCtx, team: String, rank: f64) -> Result<Option<Doc<Task>>> {
    ctx.db.query("tasks").with_index(Task::BY_TEAM_RANK, |range| range.eq(team).eq(rank)).unique()
}

#[query]
fn page(ctx: &QueryCtx, team: String, pagination_opts: PaginationOptions) -> Result<PaginationResult<Task>> {
    let tasks = ctx.db.query("tasks").with_index(Task::BY_TEAM_RANK, |range| range.eq(team));
    tasks.paginate(&pagination_opts)
}

/// Those that are not done, the newest first.
#[query]
fn open_page(ctx: &QueryCtx, pagination_opts: PaginationOptions) -> Result<PaginationResult<Task>> {
    let tasks = ctx.db.query("tasks").order(Desc).filter(|task| task.field("done").eq(false));
    tasks.paginate(&pagination_opts)
}

#[query]
fn two_pages(ctx: &QueryCtx) -> Result<()> {
    let options = PaginationOptions::first(1);
    ctx.db.query::<Task>("tasks").paginate(&options)?;
    ctx.db.query::<Task>("tasks").paginate(&options)?;
    Ok(())
}

#[query]
fn count_all(ctx: &QueryCtx) -> Result<f64> {
    Ok(ctx.db.query::<Task>("tasks").count()? as f64)
}

#[query]
fn count_team(ctx: &QueryCtx, team: String) -> Result<f64> {
    let tasks = ctx.db.query("tasks").with_index(Task::BY_TEAM_RANK, |range| range.eq(team));
    Ok(tasks.count()? as f64)
}

/// Inserts one into a team, and counts.
#[mutation]
fn count_inside(ctx: &MutationCtx, team: String) -> Result<Vec<f64>> {
    ctx.db.insert("tasks", &task(team.clone(), 0.0, "counted".to_owned(), false, None))?;
    Ok(vec![count_all(ctx)?, count_team(ctx, team)?])
}

#[query]
fn many(ctx: &QueryCtx, ids: Vec<String>) -> Result<Vec<Option<Doc<Task>>>> {
    let ids: Vec<Id<Task>> = ids.into_iter().map(Id::from_text).collect();
    ctx.db.get_many(&ids)
}

/// Does something that is wrong, whose error ends the call.
#[query]
fn wrong(ctx: &QueryCtx, kind: String) -> Result<()> {
    let tasks = ctx.db.query::<Value>("tasks");
    let by_team_rank = "by_team_rank";
    let query =
        match kind.as_str() {
            "unknown" => tasks.with_index("by_nothing", |range| range),
            "staged" => tasks.with_index("by_title", |range| range),
            "order" => tasks.with_index(by_team_rank, |range| range.eq("rank", 1.0)),
            "twice" => tasks
                .with_index(by_team_rank, |range| range.eq("team", "red").gt("rank", 1.0).gt("rank", 2.0)),
            "field" => tasks.with_index(by_team_rank, |range| range.eq("title", "t")),
            "afterRange" => tasks
                .with_index(by_team_rank, |range| range.eq("team", "red").gt("rank", 1.0).eq("rank", 2.0)),
            "system" => ctx.db.query("_indexes"),
            "noItems" => return tasks.paginate(&PaginationOptions::first(0)).map(|_| ()),
            other => bail!("nothing wrong is called {other}"),
        };
    query.collect().map(|_| ())
}

#[value]
struct IndexState {
    name: String,
    state: String,
    staged: bool,
}

/// What the database says of its indexes.
#[query]
fn indexes(ctx: &QueryCtx) -> Result<Vec<IndexState>> {
    let indexes = ctx.db.system().query("_indexes").collect()?;
    Ok(indexes.into_iter().map(Doc::into_value).collect())
}
