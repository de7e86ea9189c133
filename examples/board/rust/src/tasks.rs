//! Tasks: read column by column and page by page, and moved, edited, assigned and removed.

use weir::prelude::*;

use crate::columns::{column, rank_behind, rank_on_top};
use crate::comments::{self, Said};
use crate::schema::{Member, Status, Task, Team};
use crate::teams::{Person, check_member, person};
use crate::text;

const TITLE_CHARS_MAX: usize = 200;
/// How many comments a task shows: the latest.
const COMMENTS_SHOWN: u32 = 100;

/// What of a task stands on the board.
#[document("tasks", undeclared)]
struct Card {
    status: Status,
    title: String,
    assignee: Option<Person>,
    comments: f64,
}

/// A page of a column, from the top: each task with whom it is assigned to, and how many comments it has.
#[query]
fn list(
    ctx: &QueryCtx,
    team: Id<Team>,
    status: Status,
    pagination_opts: PaginationOptions,
) -> Result<PaginationResult<Card>> {
    let result = column(ctx, &team, status).paginate(&pagination_opts)?;
    let page = result.page.into_iter().map(|task| card(ctx, task)).collect::<Result<_>>()?;
    Ok(PaginationResult {
        page,
        is_done: result.is_done,
        continue_cursor: result.continue_cursor,
        split_cursor: result.split_cursor,
        page_status: result.page_status,
    })
}

fn card(ctx: &QueryCtx, Doc { id, creation_time, value: task }: Doc<Task>) -> Result<Doc<Card>> {
    let value = Card {
        status: task.status,
        title: task.title,
        assignee: assignee(ctx, task.assignee.as_ref())?,
        comments: comments::of(ctx, &id).count()? as f64,
    };
    Ok(Doc { id: id.cast(), creation_time, value })
}

fn assignee(ctx: &QueryCtx, id: Option<&Id<Member>>) -> Result<Option<Person>> {
    id.map_or(Ok(None), |id| person(ctx, id))
}

/// How many tasks each column has.
#[value]
struct Counts {
    todo: f64,
    doing: f64,
    done: f64,
}

#[query]
fn counts(ctx: &QueryCtx, team: Id<Team>) -> Result<Counts> {
    let count = |status| column(ctx, &team, status).count().map(|count| count as f64);
    Ok(Counts { todo: count(Status::Todo)?, doing: count(Status::Doing)?, done: count(Status::Done)? })
}

/// A task with its people and its latest comments, the oldest of them first.
#[document("tasks", undeclared)]
struct Details {
    status: Status,
    title: String,
    author: Option<Person>,
    assignee: Option<Person>,
    comments: Vec<Said>,
}

/// A task; `null` when it is gone.
#[query]
fn get(ctx: &QueryCtx, task: Id<Task>) -> Result<Option<Doc<Details>>> {
    let Some(Doc { id, creation_time, value: task }) = ctx.db.get(&task)? else {
        return Ok(None);
    };
    let value = Details {
        status: task.status,
        title: task.title,
        author: person(ctx, &task.author)?,
        assignee: assignee(ctx, task.assignee.as_ref())?,
        comments: comments::latest(ctx, &id, COMMENTS_SHOWN)?,
    };
    Ok(Some(Doc { id: id.cast(), creation_time, value }))
}

/// Puts a new task on top of a column.
#[mutation]
fn add(
    ctx: &MutationCtx,
    team: Id<Team>,
    status: Status,
    title: String,
    author: Id<Member>,
) -> Result<Id<Task>> {
    let title = text::check("A title", &title, TITLE_CHARS_MAX)?;
    check_member(ctx, &author, &team)?;
    let rank = rank_on_top(ctx, &team, status)?;
    ctx.db.insert("tasks", &Task { team, status, rank, title, author, assignee: None })
}

/// Moves a task right behind `after`, or on top of the column when that is left out or no longer stands there.
#[mutation(name = "move")]
fn move_to(ctx: &MutationCtx, task: Id<Task>, status: Status, after: Option<Id<Task>>) -> Result<()> {
    let moved = the_task(ctx, &task)?;
    if after.as_ref() == Some(&task) {
        return Ok(());
    }
    let before = after.map_or(Ok(None), |after| ctx.db.get(&after))?;
    let rank = match before {
        Some(before) if before.team == moved.team && before.status == status => rank_behind(ctx, &before)?,
        _ => rank_on_top(ctx, &moved.team, status)?,
    };
    ctx.db.patch(&task, fields! { status: status, rank: rank })
}

#[mutation]
fn rename(ctx: &MutationCtx, task: Id<Task>, title: String) -> Result<()> {
    let title = text::check("A title", &title, TITLE_CHARS_MAX)?;
    the_task(ctx, &task)?;
    ctx.db.patch(&task, fields! { title: title })
}

/// Assigns a task to a member of its team; to nobody when that is left out.
#[mutation]
fn assign(ctx: &MutationCtx, task: Id<Task>, assignee: Option<Id<Member>>) -> Result<()> {
    let Doc { value: mut changed, .. } = the_task(ctx, &task)?;
    if let Some(assignee) = &assignee {
        check_member(ctx, assignee, &changed.team)?;
    }
    changed.assignee = assignee;
    ctx.db.replace(&task, &changed)
}

/// Removes a task and all that was said about it. Of one that is gone already there is nothing to do.
#[mutation]
fn remove(ctx: &MutationCtx, task: Id<Task>) -> Result<()> {
    if ctx.db.get(&task)?.is_none() {
        return Ok(());
    }
    for comment in comments::of(ctx, &task).collect()? {
        ctx.db.delete(&comment.id)?;
    }
    ctx.db.delete(&task)
}

/// The task, or a refusal when it is gone.
pub fn the_task(ctx: &QueryCtx, id: &Id<Task>) -> Result<Doc<Task>> {
    match ctx.db.get(id)? {
        Some(task) => Ok(task),
        None => bail_with!("This task is gone."),
    }
}
