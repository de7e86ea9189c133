// A function of the app, one of a component and a plain one: what each costs to call.
import { makeFunctionReference } from "convex/server";
import { v } from "convex/values";

import type { Id } from "./_generated/dataModel.js";
import { mutation, query, type MutationCtx, type QueryCtx } from "./_generated/server.js";

const PART = "_reference/childComponent/part";
const getOfApp = makeFunctionReference<"query">("bank:get");
const getOfPart = makeFunctionReference<"query">(`${PART}/bank/get`);
const addOfApp = makeFunctionReference<"mutation">("parts:add");
const addOfPart = makeFunctionReference<"mutation">(`${PART}/parts/add`);

const getPlain = (ctx: QueryCtx, id: string) => ctx.db.get(id as Id<"accounts">);

/**
 * Gets an account so many times: by a plain function, by `bank:get` of the app, or by that of the component, whose account
 * it is then.
 */
export const ask = query({
  args: { how: v.string(), id: v.string(), times: v.number() },
  returns: v.null(),
  handler: async (ctx, { how, id, times }) => {
    for (let n = 0; n < times; n++) {
      if (how === "plain") await getPlain(ctx, id);
      else await ctx.runQuery(how === "app" ? getOfApp : getOfPart, { id });
    }
    return null;
  },
});

async function addPlain(ctx: MutationCtx, number: number): Promise<null> {
  await ctx.db.insert("parts", { number });
  return null;
}

/** Writes a document. */
export const add = mutation({
  args: { number: v.number() },
  returns: v.null(),
  handler: (ctx, { number }) => addPlain(ctx, number),
});

/** Writes so many documents, each by one of the three. */
export const fill = mutation({
  args: { how: v.string(), times: v.number() },
  returns: v.null(),
  handler: async (ctx, { how, times }) => {
    for (let number = 0; number < times; number++) {
      if (how === "plain") await addPlain(ctx, number);
      else await ctx.runMutation(how === "app" ? addOfApp : addOfPart, { number });
    }
    return null;
  },
});
