// What the types let through of indexes, ranges, pages and counts; the compiler is the test.
import { count, getMany, systemTables } from "@weir/typescript";
import type { Doc, Id } from "../conformance/typescript/convex/_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../conformance/typescript/convex/_generated/server";

declare const ctx: QueryCtx;
declare const writing: MutationCtx;
declare const id: Id<"tasks">;

const tasks = () => ctx.db.query("tasks");

export const right = async () => {
  const ranged = tasks().withIndex("by_team_rank", (q) => q.eq("team", "a").gte("rank", 1).lt("rank", 5));
  const found: Doc<"tasks">[] = await ranged.order("desc").take(3);
  const ofNobody: Doc<"tasks"> | null = await tasks()
    .withIndex("by_owner", (q) => q.eq("meta.owner", undefined))
    .unique();
  // The creation time is the last field of every index.
  const recent = tasks().withIndex("by_owner", (q) => q.eq("meta.owner", "ada").gt("_creationTime", 0));
  const { page, isDone, continueCursor } = await recent.paginate({ cursor: null, numItems: 10 });
  const owner: string | undefined = page[0].meta?.owner;
  const number: number = await count(tasks().withIndex("by_team_rank", (q) => q.eq("team", "a")));
  const many: (Doc<"tasks"> | null)[] = await getMany(writing.db, [id]);
  const ofTable: (Doc<"tasks"> | null)[] = await getMany(ctx.db, "tasks", [id]);
  const named: Doc<"tasks"> | null = await ctx.db.get("tasks", id);
  const states: ("building" | "ready" | "dropping")[] = (
    await systemTables(ctx.db).query("_indexes").collect()
  ).map(({ state }) => state);
  const file: Id<"_storage"> | undefined = (await ctx.db.system.query("_storage").first())?._id;
  return [found, ofNobody, isDone, continueCursor, owner, number, many, ofTable, named, states, file];
};

export const wrong = () => [
  // @ts-expect-error There is no such index.
  tasks().withIndex("by_nothing"),
  // @ts-expect-error A staged index cannot be queried.
  tasks().withIndex("by_title"),
  // @ts-expect-error The index begins with another field.
  tasks().withIndex("by_team_rank", (q) => q.eq("rank", 1)),
  // @ts-expect-error The field has another type.
  tasks().withIndex("by_team_rank", (q) => q.eq("team", 1)),
  // @ts-expect-error No field comes twice after `eq`.
  tasks().withIndex("by_team_rank", (q) => q.eq("team", "a").eq("team", "b")),
  // @ts-expect-error Behind a bound there is no other field.
  tasks().withIndex("by_team_rank", (q) => q.gt("team", "a").eq("rank", 1)),
  // @ts-expect-error A lower bound has one upper bound, of the same field.
  tasks().withIndex("by_team_rank", (q) => q.gt("team", "a").gt("team", "b")),
  // @ts-expect-error The table has no such field.
  tasks().filter((q) => q.eq(q.field("colour"), "red")),
  // @ts-expect-error The host's own tables are read through `db.system`.
  ctx.db.query("_indexes"),
  // @ts-expect-error There is no such table of the host's.
  systemTables(ctx.db).query("_nothing"),
  // @ts-expect-error They are not written.
  writing.db.insert("_indexes", {}),
  // @ts-expect-error The ids are of another table.
  getMany(ctx.db, "notes", [id]),
];

// @ts-expect-error The document has no such field.
export const field = (task: Doc<"tasks">) => task.colour;
