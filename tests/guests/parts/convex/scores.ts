import { TableAggregate } from "@convex-dev/aggregate";
import { v } from "convex/values";

import { components } from "./_generated/api";
import type { DataModel, Id } from "./_generated/dataModel";
import { mutation, query } from "./_generated/server";

const scores = new TableAggregate<{
  Namespace: string;
  Key: [number, number];
  DataModel: DataModel;
  TableName: "scores";
}>(components.aggregate, {
  namespace: (score) => score.game,
  sortKey: (score) => [score.points, score.bonus],
  sumValue: (score) => score.points,
});

const oneChange = v.union(
  v.object({ op: v.literal("insert"), game: v.string(), points: v.number(), bonus: v.number() }),
  v.object({
    op: v.literal("replace"),
    id: v.id("scores"),
    game: v.string(),
    points: v.number(),
    bonus: v.number(),
  }),
  v.object({ op: v.literal("delete"), id: v.id("scores") }),
);

/** Makes changes in one transaction; gives the ids of what was inserted. Fails at its end where it is told to. */
export const change = mutation({
  args: { changes: v.array(oneChange), fail: v.optional(v.boolean()) },
  handler: async (ctx, { changes, fail }) => {
    const ids: Id<"scores">[] = [];
    for (const each of changes) {
      if (each.op === "insert") {
        const { op: _, ...fields } = each;
        const id = await ctx.db.insert("scores", fields);
        await scores.insert(ctx, (await ctx.db.get("scores", id))!);
        ids.push(id);
      } else if (each.op === "replace") {
        const { op: _, id, ...fields } = each;
        const before = (await ctx.db.get("scores", id))!;
        await ctx.db.replace("scores", id, fields);
        await scores.replace(ctx, before, (await ctx.db.get("scores", id))!);
      } else {
        const before = (await ctx.db.get("scores", each.id))!;
        await ctx.db.delete("scores", each.id);
        await scores.delete(ctx, before);
      }
    }
    if (fail) throw new Error("on purpose");
    return ids;
  },
});

export const clear = mutation({
  args: { game: v.string(), maxNodeSize: v.number(), rootLazy: v.boolean() },
  handler: async (ctx, { game, ...options }) => await scores.clear(ctx, { namespace: game, ...options }),
});

/** Everything that is asked of an aggregate, of one game. */
export const figures = query({
  args: { game: v.string(), offsets: v.array(v.number()), points: v.array(v.number()) },
  handler: async (ctx, { game: namespace, offsets, points }) => {
    const [min, max] = [await scores.min(ctx, { namespace }), await scores.max(ctx, { namespace })];
    const [low, high] = [Math.min(...points), Math.max(...points)];
    const bounds = {
      lower: { key: [low, 0] as [number, number], inclusive: true },
      upper: { key: [high, 0] as [number, number], inclusive: false },
    };
    return {
      count: await scores.count(ctx, { namespace }),
      sum: await scores.sum(ctx, { namespace }),
      min: min?.id,
      max: max?.id,
      at: (
        await scores.atBatch(
          ctx,
          offsets.map((offset) => ({ namespace, offset })),
        )
      ).map(({ id }) => id),
      indexes: await Promise.all(points.map((each) => scores.indexOf(ctx, [each, 0], { namespace }))),
      between: await scores.count(ctx, { namespace, bounds }),
      sumBetween: await scores.sum(ctx, { namespace, bounds }),
      prefixed: await scores.count(ctx, { namespace, bounds: { prefix: [low] } }),
    };
  },
});

/** All ids in order, as pages give them. */
export const pages = query({
  args: { game: v.string(), order: v.union(v.literal("asc"), v.literal("desc")) },
  handler: async (ctx, { game, order }) => {
    const ids: string[] = [];
    for await (const { id } of scores.iter(ctx, { namespace: game, order, pageSize: 7 })) ids.push(id);
    return ids;
  },
});

export const count = query({
  args: { game: v.string() },
  handler: async (ctx, { game }) => await scores.count(ctx, { namespace: game }),
});

export const games = query({
  args: {},
  handler: async (ctx) => {
    const games: string[] = [];
    for await (const game of scores.iterNamespaces(ctx)) games.push(game);
    return games;
  },
});
