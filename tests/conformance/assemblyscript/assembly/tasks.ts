// A table with indexes: ranges, pages, counts, many documents at once, and what
// is wrong with a query.

import {
  Box,
  Doc,
  field,
  Id,
  index,
  IndexRange,
  MutationCtx,
  PaginationOptions,
  PaginationResult,
  QueryCtx,
  stagedIndex,
  Value,
} from "@weir/assemblyscript";

@document("tasks")
export class Task {
  team: string;
  rank: f64;
  title: string;
  done: bool;
  meta: Meta | null;
}

class Meta {
  owner: string | null;
}

const byTeamRank = index<Task>("by_team_rank", ["team", "rank"]);
const byOwnerIndex = index<Task>("by_owner", ["meta.owner"]);
stagedIndex<Task>("by_title", ["title"]);

@mutation
export function insert(
  ctx: MutationCtx,
  team: string,
  rank: f64,
  title: string,
  done: bool,
  owner: string | null,
): Id<Task> {
  const meta: Meta | null = owner === null ? null : { owner };
  return ctx.db.insert<Task>("tasks", { team, rank, title, done, meta });
}

/** Changes a field that is in no index that can be read. */
@mutation
export function rename(ctx: MutationCtx, id: Id<Task>, title: string): void {
  ctx.db.patch(id, { title });
}

@mutation
export function move(ctx: MutationCtx, id: Id<Task>, team: string, rank: f64): void {
  ctx.db.patchIn("tasks", id, { team, rank });
}

@mutation
export function remove(ctx: MutationCtx, id: Id<Task>): void {
  ctx.db.deleteIn("tasks", id);
}

/** Those of a team whose rank is at least `from` and below `to`. */
@query
export function range(
  ctx: QueryCtx,
  team: string,
  from: Box<f64> | null,
  to: Box<f64> | null,
  order: string,
  take: Box<u32> | null,
): Doc<Task>[] {
  let range = byTeamRank.eq(team);
  if (from !== null) range = range.gte(from.value);
  if (to !== null) range = range.lt(to.value);
  const tasks = ctx.db.query<Task>("tasks").withIndex(range).order(order == "desc" ? "desc" : "asc");
  return take === null ? tasks.collect() : tasks.take(take.value);
}

/** Those of an owner, or of nobody. */
@query
export function byOwner(ctx: QueryCtx, owner: string | null): Doc<Task>[] {
  return ctx.db.query<Task>("tasks").withIndex(byOwnerIndex.eq(owner)).collect();
}

/** The one of a team with the highest rank. */
@query
export function first(ctx: QueryCtx, team: string): Doc<Task> | null {
  return ctx.db.query<Task>("tasks").withIndex(byTeamRank.eq(team)).order("desc").first();
}

@query
export function unique(ctx: QueryCtx, team: string, rank: f64): Doc<Task> | null {
  return ctx.db.query<Task>("tasks").withIndex(byTeamRank.eq(team).eq(rank)).unique();
}

@query
export function page(ctx: QueryCtx, team: string, paginationOpts: PaginationOptions): PaginationResult<Task> {
  return ctx.db.query<Task>("tasks").withIndex(byTeamRank.eq(team)).paginate(paginationOpts);
}

/** Those that are not done, the newest first. */
@query
export function openPage(ctx: QueryCtx, paginationOpts: PaginationOptions): PaginationResult<Task> {
  return ctx.db.query<Task>("tasks").order("desc").filter(field("done").eq(false)).paginate(paginationOpts);
}

@query
export function twoPages(ctx: QueryCtx): void {
  ctx.db.query<Task>("tasks").paginate(new PaginationOptions(1));
  ctx.db.query<Task>("tasks").paginate(new PaginationOptions(1));
}

@query
export function countAll(ctx: QueryCtx): f64 {
  return ctx.db.query<Task>("tasks").count();
}

@query
export function countTeam(ctx: QueryCtx, team: string): f64 {
  return ctx.db.query<Task>("tasks").withIndex(byTeamRank.eq(team)).count();
}

/** Inserts one into a team, and counts. */
@mutation
export function countInside(ctx: MutationCtx, team: string): f64[] {
  ctx.db.insert<Task>("tasks", { team, rank: 0, title: "counted", done: false, meta: null });
  return [countAll(ctx), countTeam(ctx, team)];
}

@query
export function many(ctx: QueryCtx, ids: string[]): Array<Doc<Task> | null> {
  return ctx.db.getMany(ids.map<Id<Task>>((id) => new Id<Task>(id)));
}

/** Does something that is wrong, whose error ends the call. */
@query
export function wrong(ctx: QueryCtx, kind: string): void {
  if (kind == "system") {
    ctx.db.query<Value>("_indexes").collect();
    return;
  }
  const tasks = ctx.db.query<Value>("tasks");
  if (kind == "noItems") {
    tasks.paginate(new PaginationOptions(0));
    return;
  }
  const range = new IndexRange();
  if (kind == "order") range.eq("rank", 1);
  else if (kind == "field") range.eq("title", "t");
  else if (kind == "twice") range.eq("team", "red").gt("rank", 1).gt("rank", 2);
  else if (kind == "afterRange") range.eq("team", "red").gt("rank", 1).eq("rank", 2);
  const name = kind == "unknown" ? "by_nothing" : kind == "staged" ? "by_title" : "by_team_rank";
  tasks.withIndexNamed(name, range).collect();
}

class IndexState {
  name: string;
  state: string;
  staged: bool;
}

/** What the database says of its indexes. */
@query
export function indexes(ctx: QueryCtx): IndexState[] {
  return ctx.db.system.query<IndexState>("_indexes").collect();
}
