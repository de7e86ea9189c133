// Actions that do what they must not.
import { makeFunctionReference } from "convex/server";
import { v } from "convex/values";

import { action, httpAction } from "./_generated/server.js";

const HOURS = 1e8;

/** Never ends. */
export const spin = action({
  args: {},
  handler: async () => {
    for (;;);
  },
});

/** Takes memory until there is none. */
export const hoard = action({
  args: {},
  handler: async () => {
    const hoard = [];
    for (;;) hoard.push(new Uint8Array(1 << 20).fill(1));
  },
});

/** Calls itself until the stack is full. */
export const overflow = action({
  args: {},
  returns: v.number(),
  handler: async () => {
    const deeper = (depth: number): number => 1 + deeper(depth + 1);
    return deeper(0);
  },
});

/** Calls itself as an action, one in the other, without end. */
export const nest = action({
  args: {},
  handler: async (ctx): Promise<unknown> => ctx.runAction(makeFunctionReference<"action">("rogue:nest"), {}),
});

/** Begins what takes long, and does not wait for it. */
export const forget = action({
  args: {},
  returns: v.string(),
  handler: async () => {
    setTimeout(() => {}, HOURS);
    return "done";
  },
});

/** Waits for what never happens. */
export const waitForNothing = action({
  args: {},
  handler: () => new Promise(() => {}),
});

/** Does more than a thousand things at once. */
export const crowd = action({
  args: {},
  handler: async (ctx) => {
    const count = makeFunctionReference<"query">("hostile:count");
    await Promise.all(Array.from({ length: 2000 }, () => ctx.runQuery(count, {})));
  },
});

/** Gives a text of this length. */
export const hugeResult = action({
  args: { bytes: v.number() },
  returns: v.string(),
  handler: async (_ctx, { bytes }) => "x".repeat(bytes),
});

/** Tells the error of a request. */
const fetchFrom = action({
  args: { url: v.string() },
  returns: v.string(),
  handler: async (_ctx, { url }) => {
    try {
      await fetch(url);
      return "fetched";
    } catch (error: any) {
      return `${error.code ?? error.cause?.code}: ${error.message}`;
    }
  },
});

export { fetchFrom as fetch };

/** Reads a body twice at once. */
export const readTwice = action({
  args: { url: v.string() },
  handler: async (_ctx, { url }) => {
    const response = await fetch(url);
    await Promise.all([response.text(), response.text()]);
  },
});

/** Answers with more than there is memory for. */
export const large = httpAction(async () => new Response("x".repeat(100 << 20)));

/** Half of a body, and what is done after it. */
const halfAnd = (rest: () => Promise<void>) => {
  let isBegun = false;
  const source = {
    async pull(controller: ReadableStreamDefaultController) {
      if (isBegun) return rest();
      isBegun = true;
      controller.enqueue(new TextEncoder().encode("half"));
    },
  };
  // Nothing is asked for before the half is on its way.
  return new Response(new ReadableStream(source, { highWaterMark: 0 }));
};

/** Writes half of a body, and waits for what never happens. */
export const half = httpAction(async () => halfAnd(() => new Promise(() => {})));

/** Writes half of a body, and loops. */
export const loop = httpAction(async () =>
  halfAnd(async () => {
    for (;;);
  }),
);

/** Gives no response. */
export const mute = httpAction(async () => undefined as unknown as Response);
