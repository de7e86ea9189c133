import { count } from "@weir/typescript";
import { v } from "convex/values";

import type { Id } from "./_generated/dataModel";
import { mutation, query, type QueryCtx } from "./_generated/server";
import { checkText } from "./model/text";
import type { Status } from "./model/columns";

const NAME_CHARS_MAX = 32;

/** Brings somebody to a team; both are made when they are new. */
export const join = mutation({
  args: { team: v.string(), name: v.string() },
  returns: v.object({ team: v.id("teams"), member: v.id("members") }),
  handler: async (ctx, args) => {
    const teamName = checkText("A team's name", args.team, NAME_CHARS_MAX);
    const name = checkText("A name", args.name, NAME_CHARS_MAX);

    const found = await ctx.db
      .query("teams")
      .withIndex("by_name", (q) => q.eq("name", teamName))
      .unique();
    const team = found?._id ?? (await ctx.db.insert("teams", { name: teamName }));

    const known = await ctx.db
      .query("members")
      .withIndex("by_team_name", (q) => q.eq("team", team).eq("name", name))
      .unique();
    const member = known?._id ?? (await ctx.db.insert("members", { team, name }));
    return { team, member };
  },
});

/** Who is in a team, by name, and how many tasks each of them has yet to do. */
export const members = query({
  args: { team: v.id("teams") },
  returns: v.array(v.object({ _id: v.id("members"), name: v.string(), open: v.number() })),
  handler: async (ctx, { team }) => {
    const members = await ctx.db
      .query("members")
      .withIndex("by_team_name", (q) => q.eq("team", team))
      .collect();
    const list = [];
    for (const { _id, name } of members) {
      const open = (await assigned(ctx, _id, "todo")) + (await assigned(ctx, _id, "doing"));
      list.push({ _id, name, open });
    }
    return list;
  },
});

function assigned(ctx: QueryCtx, member: Id<"members">, status: Status): Promise<number> {
  return count(
    ctx.db
      .query("tasks")
      .withIndex("by_assignee_status", (q) => q.eq("assignee", member).eq("status", status)),
  );
}
