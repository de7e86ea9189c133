//! Teams and their members.

use weir::prelude::*;

use crate::schema::{Member, Status, Task, Team};
use crate::text;

const NAME_CHARS_MAX: usize = 32;

#[value]
struct Joined {
    team: Id<Team>,
    member: Id<Member>,
}

/// Brings somebody to a team; both are made when they are new.
#[mutation]
fn join(ctx: &MutationCtx, team: String, name: String) -> Result<Joined> {
    let team_name = text::check("A team's name", &team, NAME_CHARS_MAX)?;
    let name = text::check("A name", &name, NAME_CHARS_MAX)?;

    let found = ctx.db.query("teams").with_index(Team::BY_NAME, |range| range.eq(&team_name)).unique()?;
    let team = match found {
        Some(team) => team.id,
        None => ctx.db.insert("teams", &Team { name: team_name })?,
    };

    let members = ctx.db.query("members");
    let known = members.with_index(Member::BY_TEAM_NAME, |range| range.eq(&team).eq(&name)).unique()?;
    let member = match known {
        Some(member) => member.id,
        None => ctx.db.insert("members", &Member { team: team.clone(), name })?,
    };
    Ok(Joined { team, member })
}

/// A member, and how many tasks they have yet to do.
#[value]
struct Busy {
    #[serde(rename = "_id")]
    id: Id<Member>,
    name: String,
    open: f64,
}

/// Who is in a team, by name.
#[query]
fn members(ctx: &QueryCtx, team: Id<Team>) -> Result<Vec<Busy>> {
    let members =
        ctx.db.query("members").with_index(Member::BY_TEAM_NAME, |range| range.eq(team)).collect()?;
    members.into_iter().map(|member| busy(ctx, member)).collect()
}

fn busy(ctx: &QueryCtx, Doc { id, value, .. }: Doc<Member>) -> Result<Busy> {
    let assigned = |status| {
        let tasks = ctx.db.query::<Task>("tasks");
        tasks.with_index(Task::BY_ASSIGNEE_STATUS, |range| range.eq(&id).eq(status)).count()
    };
    let open = assigned(Status::Todo)? + assigned(Status::Doing)?;
    Ok(Busy { open: open as f64, name: value.name, id })
}

/// A member as it stands beside a task.
#[value]
pub struct Person {
    #[serde(rename = "_id")]
    pub id: Id<Member>,
    pub name: String,
}

/// A member by its id.
pub fn person(ctx: &QueryCtx, id: &Id<Member>) -> Result<Option<Person>> {
    let member = ctx.db.get(id)?;
    Ok(member.map(|Doc { id, value, .. }| Person { id, name: value.name }))
}

/// Refuses a member of another team, or of none.
pub fn check_member(ctx: &QueryCtx, id: &Id<Member>, team: &Id<Team>) -> Result<()> {
    match ctx.db.get(id)? {
        Some(member) if member.team == *team => Ok(()),
        _ => bail_with!("That is nobody of this team."),
    }
}
