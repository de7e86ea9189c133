// Actions that call other functions.
import { ConvexError, v } from "convex/values";
import { createFunctionHandle, makeFunctionReference } from "convex/server";
import type { FunctionHandle } from "convex/server";

import { api, internal } from "./_generated/api.js";
import { action, internalAction } from "./_generated/server.js";

export const all = action({
  args: { texts: v.array(v.string()) },
  handler: async (ctx, { texts }): Promise<unknown> => {
    await Promise.all(texts.map((text) => ctx.runMutation(api.notes.add, { text })));
    const [list, { of, bytes }] = await Promise.all([
      ctx.runQuery(api.notes.list, {}),
      ctx.runQuery(internal.notes.big, { of: 2n ** 60n }),
    ]);
    return { list: [...list].sort(), of, size: bytes.byteLength };
  },
});

export const inner = internalAction({
  args: { depth: v.number() },
  handler: async (ctx, { depth }): Promise<number> =>
    depth === 0 ? 0 : 1 + (await ctx.runAction(internal.calls.inner, { depth: depth - 1 })),
});

export const nested = action({
  args: {},
  handler: (ctx): Promise<number> => ctx.runAction(internal.calls.inner, { depth: 3 }),
});

export const byHandle = action({
  args: {},
  handler: async (ctx) => {
    const handle = (await createFunctionHandle(api.notes.list)) as FunctionHandle<"query">;
    return [
      handle,
      await ctx.runQuery(handle, {}),
      await ctx.runQuery(makeFunctionReference<"query">("notes:list"), {}),
      await createFunctionHandle(makeFunctionReference<"query">("notes:absent")).catch(
        (error: Error) => error.message,
      ),
    ];
  },
});

/** What is thrown where a call fails. */
export const failures = action({
  args: {},
  handler: async (ctx): Promise<unknown> => {
    const said = async (work: Promise<unknown>) => {
      try {
        return await work;
      } catch (error) {
        const { message, data } = error as ConvexError<{ why: bigint }>;
        return [error instanceof ConvexError, message.split("\n")[0], data ?? null];
      }
    };
    return Promise.all([
      said(ctx.runMutation(internal.notes.refuse, { data: { why: 5n } })),
      said(ctx.runMutation(internal.notes.refuse, {})),
      said(ctx.runQuery(makeFunctionReference<"query">("notes:absent"), {})),
      said(ctx.runQuery(makeFunctionReference<"query">("notes:add"), { text: "x" })),
    ]);
  },
});

export const thrown = action({
  args: {},
  handler: async () => {
    throw new ConvexError({ why: "own" });
  },
});

export const scheduled = action({
  args: {},
  handler: async (ctx): Promise<unknown> => {
    const id = await ctx.scheduler.runAfter(3_600_000, api.notes.add, { text: "later" });
    const other = await ctx.scheduler.runAt(Date.now() + 7_200_000, internal.calls.inner, { depth: 0 });
    await ctx.scheduler.cancel(other);
    return [typeof id, id !== other, await ctx.auth.getUserIdentity()];
  },
});

export const noDatabase = action({
  args: {},
  handler: (ctx) => (ctx as unknown as { db: { query: (table: string) => unknown } }).db.query("notes"),
});

/** `ctx.db` is not there. */
export const database = action({ args: {}, handler: async (ctx) => Object.keys(ctx).sort() });
