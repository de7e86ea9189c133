//! What is said about tasks.

use weir::db::Query;
use weir::prelude::*;

use crate::schema::{Comment, Member, Task};
use crate::{tasks, teams, text};

const BODY_CHARS_MAX: usize = 4_000;

#[mutation]
fn add(ctx: &MutationCtx, task: Id<Task>, author: Id<Member>, body: String) -> Result<Id<Comment>> {
    let body = text::check("A comment", &body, BODY_CHARS_MAX)?;
    let of = tasks::the_task(ctx, &task)?;
    teams::check_member(ctx, &author, &of.team)?;
    ctx.db.insert("comments", &Comment { task, author, body })
}

/// The comments on a task, the oldest of them first.
pub fn of<'db>(ctx: &'db QueryCtx, task: &Id<Task>) -> Query<'db, Comment> {
    ctx.db.query("comments").with_index(Comment::BY_TASK, |range| range.eq(task))
}

/// A comment with the name of who wrote it.
#[value]
pub struct Said {
    #[serde(rename = "_id")]
    id: Id<Comment>,
    #[serde(rename = "_creationTime")]
    creation_time: f64,
    author: String,
    body: String,
}

/// The latest comments on a task, the oldest of them first.
pub fn latest(ctx: &QueryCtx, task: &Id<Task>, most: u32) -> Result<Vec<Said>> {
    let mut comments = of(ctx, task).order(Desc).take(most)?;
    comments.reverse();
    let ids: Vec<Id<Member>> = comments.iter().map(|comment| comment.author.clone()).collect();
    let authors = ctx.db.get_many(&ids)?;
    let said = comments.into_iter().zip(authors).map(|(comment, author)| Said {
        id: comment.id,
        creation_time: comment.creation_time,
        author: author.map_or("somebody".to_owned(), |author| author.into_value().name),
        body: comment.value.body,
    });
    Ok(said.collect())
}
