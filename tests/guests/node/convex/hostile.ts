"use node";

import { closeSync, writeSync } from "node:fs";

import { v } from "convex/values";

import { api, internal } from "./_generated/api";
import { action, internalAction } from "./_generated/server";

const WAYS: Record<string, (ctx: any) => unknown> = {
  loop: () => {
    for (;;);
  },
  heap: () => {
    const kept = [];
    for (let i = 0; ; i++) kept.push({ i, text: `${i}`.repeat(100) });
  },
  buffers: async () => {
    const kept = [];
    for (;;) {
      kept.push(Buffer.alloc(16 << 20, 1));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
  exit: () => process.exit(3),
  abort: () => process.abort(),
  sigkill: () => process.kill(process.pid, "SIGKILL"),
  rejection: async () => {
    void Promise.reject(new Error("left alone"));
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  },
  timer: async () => {
    setTimeout(() => {
      throw new Error("from a timer");
    }, 1);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  },
  garbage: async () => {
    writeSync(0, "garbage, garbage, garbage, garbage");
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  },
  announced: async () => {
    writeSync(0, Buffer.from([255, 255, 255, 255, 255, 255, 255, 255]));
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  },
  closed: async () => {
    closeSync(0);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  },
  printed: () => {
    writeSync(1, "straight to standard output\n");
    writeSync(2, "straight to standard error\n");
    return new Promise((resolve) => setTimeout(() => resolve("printed"), 100));
  },
  stdin: async () => {
    for await (const _ of process.stdin);
    return "read nothing";
  },
  large: () => "x".repeat(17 << 20),
  never: () => new Promise(() => {}),
  loose: (ctx) => {
    void ctx.runQuery(api.notes.list, {});
    return process.pid;
  },
  cyclic: () => {
    const cyclic: any = {};
    cyclic.cyclic = cyclic;
    return cyclic;
  },
  recursion: () => {
    const deeper = (): number => 1 + deeper();
    return deeper();
  },
  nothing: () => process.pid,
};

export const behave = action({
  args: { how: v.string() },
  handler: async (ctx, { how }) => WAYS[how](ctx),
});

/** Does it later, as a scheduled action that says when it begins. */
export const later = action({
  args: { how: v.string() },
  handler: async (ctx, { how }): Promise<string> =>
    ctx.scheduler.runAfter(0, internal.hostile.scheduled, { how }),
});

export const scheduled = internalAction({
  args: { how: v.string() },
  handler: async (ctx, { how }) => {
    await ctx.runMutation(api.notes.add, { text: `began ${how}` });
    if (how === "waits") await new Promise((resolve) => setTimeout(resolve, 60_000));
    else await WAYS[how](ctx);
  },
});
