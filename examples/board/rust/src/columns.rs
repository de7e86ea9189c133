//! The order of tasks in a column.

use weir::db::Query;
use weir::prelude::*;

use crate::schema::{Status, Task, Team};

/// The tasks of one column, from the top.
pub fn column<'db>(ctx: &'db QueryCtx, team: &Id<Team>, status: Status) -> Query<'db, Task> {
    ctx.db.query("tasks").with_index(Task::BY_TEAM_STATUS_RANK, |range| range.eq(team).eq(status))
}

/// A rank for a task that is to stand on top of a column.
pub fn rank_on_top(ctx: &QueryCtx, team: &Id<Team>, status: Status) -> Result<f64> {
    let first = column(ctx, team, status).first()?;
    Ok(first.map_or(0.0, |first| first.rank - 1.0))
}

/// A rank for a task that is to stand right behind another one: between it and the next.
pub fn rank_behind(ctx: &MutationCtx, task: &Doc<Task>) -> Result<f64> {
    let next = ctx
        .db
        .query("tasks")
        .with_index(Task::BY_TEAM_STATUS_RANK, |range| range.eq(&task.team).eq(task.status).gt(task.rank))
        .first()?;
    let Some(next) = next else {
        return Ok(task.rank + 1.0);
    };
    let between = (task.rank + next.rank) / 2.0;
    if task.rank < between && between < next.rank {
        return Ok(between);
    }
    Ok(renumber(ctx, task)? + 0.5)
}

/// Gives whole ranks to the column of a task, because two of them have no number between them; the task's is returned.
fn renumber(ctx: &MutationCtx, task: &Doc<Task>) -> Result<f64> {
    let mut rank_of_task = 0.0;
    for (rank, other) in column(ctx, &task.team, task.status).collect()?.iter().enumerate() {
        let rank = rank as f64;
        ctx.db.patch(&other.id, fields! { rank: rank })?;
        if other.id == task.id {
            rank_of_task = rank;
        }
    }
    Ok(rank_of_task)
}
