// Names of interfaces that this project does not mention: they come as arguments.
import { queryGeneric } from "convex/server";

/** Makes an object of an interface, and calls a method of it. */
export const make = queryGeneric({
  args: {},
  handler: async (ctx, { name, args, method }) => {
    const object = new globalThis[name](...args);
    const [type, result] = [Object.prototype.toString.call(object), await object[method]()];
    return { type, result: String(result), isKept: globalThis[name] === object.constructor };
  },
});

/** Replaces an interface, removes another, and names a third, whose code defines all of them. */
export const replace = queryGeneric({
  args: {},
  handler: (ctx, { replaced, removed, named }) => {
    globalThis[replaced] = "own";
    delete globalThis[removed];
    return [typeof globalThis[named], globalThis[replaced], removed in globalThis];
  },
});

export const nothing = queryGeneric({ args: {}, handler: () => null });

/** A digest, which is always there, and what is done with keys, which comes when it is named. */
export const sign = queryGeneric({
  args: {},
  handler: async (ctx, { object, data }) => {
    const bytes = new TextEncoder().encode(data);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    const subtle = crypto[object];
    const key = await subtle.importKey("raw", digest, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const tag = new Uint8Array(await subtle.sign("HMAC", key, bytes));
    return Array.from(tag, (byte) => byte.toString(16).padStart(2, "0")).join("");
  },
});
