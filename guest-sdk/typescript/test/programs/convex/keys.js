// Keys that are made while the module is loaded.
import { queryGeneric } from "convex/server";

const bytes = new Uint8Array(32).fill(5);
const { subtle } = crypto;

/** Of bytes that are given: it stands in the snapshot. */
const given = subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

/** A new key is no secret there, and a pair is the host's to check. */
const refused = [
  subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
  subtle.generateKey("Ed25519", false, ["sign"]),
  subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]),
  subtle.digest("SHA-256", bytes),
].map((promise) => promise.then(String, (error) => error.message));

export const sign = queryGeneric({
  args: {},
  handler: async () => {
    const tag = new Uint8Array(await subtle.sign("HMAC", await given, bytes));
    return Array.from(tag, (byte) => byte.toString(16).padStart(2, "0")).join("");
  },
});

export const words = queryGeneric({ args: {}, handler: () => Promise.all(refused) });
