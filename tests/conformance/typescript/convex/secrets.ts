// Passwords, random bytes for secrets, and digests.
import { errorCode, hashPassword, verifyPassword } from "@weir/typescript";
import { v } from "convex/values";

import { mutation, query } from "./lib/untyped.js";

/** The hash of a password. */
export const hash = mutation({
  args: { password: v.string() },
  returns: v.string(),
  handler: async (_ctx, { password }) => {
    console.log("hashing");
    return await hashPassword(password);
  },
});

const passwordAndHash = { password: v.string(), hash: v.string() };

/** Whether this is the password of a hash. */
export const verify = mutation({
  args: passwordAndHash,
  returns: v.boolean(),
  handler: async (_ctx, { password, hash }) => {
    console.log("verifying");
    return await verifyPassword(password, hash);
  },
});

/** The same, in words. */
export const tell = mutation({
  args: passwordAndHash,
  returns: v.string(),
  handler: (_ctx, { password, hash }) =>
    told(async () => ((await verifyPassword(password, hash)) ? "right" : "wrong")),
});

/** Hashes a password, or tells why not. */
export const tryHash = mutation({
  args: { password: v.string() },
  returns: v.string(),
  handler: (_ctx, { password }) => told(async () => `${(await hashPassword(password)).length} characters`),
});

async function told(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return `${errorCode(error)}: ${(error as Error).message}`;
  }
}

/** Holds so many passwords against a hash, and counts those that are right. */
export const many = mutation({
  args: { hash: v.string(), count: v.number() },
  returns: v.number(),
  handler: async (_ctx, { hash, count }) => {
    let right = 0;
    for (let i = 0; i < count; i++) if (await verifyPassword(`password${i}`, hash)) right++;
    return right;
  },
});

/** Changes a password: the old one has to be right. What is written before stays written once. */
export const change = mutation({
  args: { old: v.string(), next: v.string(), hash: v.string() },
  returns: v.string(),
  handler: async (ctx, { old, next, hash }) => {
    await ctx.db.insert("changes", { old: hash });
    if (!(await verifyPassword(old, hash))) throw new Error("this is not the password");
    const changed = await hashPassword(next);
    await ctx.db.insert("changes", { new: changed });
    return changed;
  },
});

/** Random bytes, twice: the second time by the language's own call for them, if it has one. */
export const random = query({
  args: {},
  returns: v.array(v.bytes()),
  handler: async () => [1, 2].map(() => crypto.getRandomValues(new Uint8Array(16)).buffer),
});

/** The SHA-256 digest of some bytes. */
export const sha256 = query({
  args: { data: v.bytes() },
  returns: v.bytes(),
  handler: (_ctx, { data }) => crypto.subtle.digest("SHA-256", data),
});
