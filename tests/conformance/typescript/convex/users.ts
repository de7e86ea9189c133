// Who calls, and tokens that functions sign.
import { errorCode } from "@weir/typescript";
import { v } from "convex/values";

import { mutation, query } from "./_generated/server.js";

/** A claim of the caller's; null if there is none, or nobody in particular calls. */
export const claim = query({
  args: { name: v.string() },
  returns: v.any(),
  handler: async (ctx, { name }) => {
    const identity = await ctx.auth.getUserIdentity();
    return identity?.[name] ?? null;
  },
});

/** How many notes have the caller's subject for a title; -1 for nobody in particular. */
export const mine = query({
  args: {},
  returns: v.number(),
  handler: async (ctx) => {
    const identity = await ctx.auth.getUserIdentity();
    if (identity === null) return -1;
    const notes = await ctx.db.query("notes").collect();
    return notes.filter((note) => note.title === identity.subject).length;
  },
});

export const sign = mutation({
  args: { claims: v.any(), seconds: v.number() },
  returns: v.string(),
  handler: (ctx, { claims, seconds }) => ctx.auth.signJwt({ claims, expiresInSeconds: seconds }),
});

/** With what a member of a team has. */
export const signTyped = mutation({
  args: { subject: v.string(), seats: v.int64() },
  returns: v.string(),
  handler: (ctx, { subject, seats }) => {
    const note: string | undefined = undefined;
    const claims = {
      sub: subject,
      seats: Number(seats),
      share: 2,
      tags: ["a", 'é 😀 "x"'],
      note: note as any,
    };
    return ctx.auth.signJwt({ claims, expiresInSeconds: 60 });
  },
});

async function told(signing: Promise<unknown>): Promise<string> {
  try {
    await signing;
    return "fine";
  } catch (error: any) {
    return `${errorCode(error) ?? error.code}: ${error.message}`;
  }
}

/** Tries to sign; gives `fine`, or what the host said against it. The call goes on either way. */
export const trySign = mutation({
  args: { claims: v.any(), seconds: v.number() },
  returns: v.string(),
  handler: (ctx, { claims, seconds }) => told(ctx.auth.signJwt({ claims, expiresInSeconds: seconds })),
});

/** The same from a query, past what the types allow. */
export const signInQuery = query({
  args: {},
  returns: v.string(),
  handler: () => {
    const { asyncSyscall } = (globalThis as any).Convex;
    const options = { requestId: "", version: "", claims: { sub: "ada" }, expiresInSeconds: 60 };
    return told(asyncSyscall("1.0/signJwt", JSON.stringify(options)));
  },
});
