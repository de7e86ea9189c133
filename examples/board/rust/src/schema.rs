//! The tables, their fields and their indexes.

use weir::prelude::*;

#[document("teams", index(by_name = [name]))]
pub struct Team {
    pub name: String,
}

#[document("members", index(by_team_name = [team, name]))]
pub struct Member {
    pub team: Id<Team>,
    pub name: String,
}

/// A column of the board.
#[value]
#[serde(rename_all = "camelCase")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Todo,
    Doing,
    Done,
}

#[document(
    "tasks",
    index(by_team_status_rank = [team, status, rank], by_assignee_status = [assignee, status])
)]
pub struct Task {
    pub team: Id<Team>,
    pub status: Status,
    /// Where it stands in its column: the lowest is on top.
    pub rank: f64,
    pub title: String,
    pub author: Id<Member>,
    pub assignee: Option<Id<Member>>,
}

#[document("comments", index(by_task = [task]))]
pub struct Comment {
    pub task: Id<Task>,
    pub author: Id<Member>,
    pub body: String,
}
