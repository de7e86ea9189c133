// Work done once, while a project is built, so that no call has to do it: the
// engine makes much of itself when it is first asked for, and that is part of the
// snapshot then.
import * as engine from "weir:engine";

import { withHost } from "./host.js";
import { beginCall, together } from "./syscalls.js";

/** A host for the time of the build: a clock at 0, and no database. */
export function buildHost(lines) {
  const noDatabase = () => {
    throw {
      payload: {
        code: "NoTransaction",
        message: "there is no database while a module is loaded; read and write in functions only",
      },
    };
  };
  return {
    context: {
      now: () => 0,
      requestId: () => "build",
      identity: () => undefined,
      component: () => "",
    },
    isLoading: true,
    crypto: buildCrypto(),
    webCrypto: new Proxy({}, { get: () => unavailable }),
    log: { write: (level, message) => lines.push(`[${level.toUpperCase()}] ${message}`) },
    db: new Proxy({}, { get: () => noDatabase }),
    calls: new Proxy({}, { get: () => noDatabase }),
    auth: new Proxy({}, { get: () => noDatabase }),
    scheduler: new Proxy({}, { get: () => noDatabase }),
    storage: new Proxy({}, { get: () => noDatabase }),
  };
}

const unavailable = () => {
  throw new Error(
    "passwords, digests, signatures and ciphers are the host's; compute them in functions only",
  );
};

/** No secrets: what a module draws while it is loaded stands in its snapshot. Digests are not there. */
function buildCrypto() {
  const randomBytes = (length) => {
    const bytes = new Uint8Array(length);
    engine.fillRandom(bytes);
    return bytes;
  };
  return { randomBytes, hashPassword: unavailable, verifyPassword: unavailable, digest: unavailable };
}

const ID = "z".repeat(32);
const DOCUMENT = { _creationTime: 1, _id: ID, body: "hello", count: 2, list: [1, { text: "x" }], none: null };

/** A database that has one document in every table. */
const stub = {
  db: {
    get: () => ({ ...DOCUMENT }),
    getMany: () => [{ ...DOCUMENT }, { ...DOCUMENT }],
    query: () => ({ documents: [{ ...DOCUMENT }], count: 1, cursor: 1 }),
    queryNext: () => ({ documents: [{ ...DOCUMENT }], count: 1, cursor: undefined }),
    queryClose: () => {},
    page: () => ({ page: [{ ...DOCUMENT }], isDone: true, continueCursor: "", splitCursor: null }),
    count: () => 1,
    // Of no table of the project's schema.
    normalizeId: (table) => (table === "warm" ? ID : undefined),
    insert: () => ID,
    patch: () => {},
    replace: () => {},
    delete: () => {},
  },
  calls: { runQuery: () => 1, runMutation: () => null },
  scheduler: { runAt: () => ID, cancel: () => {} },
  log: { write: () => {} },
};

/** Runs the paths of npm `convex` that calls take, with functions of our own: the user's are not run. */
export async function warmUp({ queryGeneric, mutationGeneric }) {
  const read = queryGeneric({
    args: {},
    handler: async (ctx, args) => {
      const found = await ctx.db.get(ID);
      const all = await ctx.db
        .query("warm")
        .order("desc")
        .filter((q) => q.eq(q.field("body"), "hello"))
        .collect();
      const some = await ctx.db
        .query("warm")
        .withIndex("by_creation_time", (q) => q.gt("_creationTime", 0))
        .take(5);
      await ctx.db.query("warm").first();
      await ctx.db
        .query("warm")
        .withIndex("by_body_count", (q) => q.eq("body", "hello").gte("count", 1).lt("count", 3))
        .order("desc")
        .first();
      const page = await ctx.db.query("warm").paginate({ cursor: null, numItems: 1 });
      const two = await together(() => Promise.all([ctx.db.get(ID), ctx.db.get(ID)]));
      await ctx.auth.getUserIdentity();
      return {
        found,
        all,
        some,
        page,
        two,
        id: ctx.db.normalizeId("warm", ID),
        args,
        big: 5n,
        at: Date.now(),
        r: Math.random(),
      };
    },
  });
  const write = mutationGeneric(async (ctx, { body }) => {
    const id = await ctx.db.insert("warm", { body, at: 0.5, big: 1n, bytes: new ArrayBuffer(2) });
    await ctx.db.patch(id, { body: "again", gone: undefined });
    await ctx.db.replace(id, { body });
    await ctx.db.delete(id);
    await ctx.runMutation("warm:up", {});
    await ctx.scheduler.cancel(await ctx.scheduler.runAfter(0, "warm:up", {}));
    console.log("warm", { body });
    return null;
  });
  await withHost(stub, async () => {
    for (let i = 0; i < 3; i++) {
      beginCall("warm:up");
      await read.invokeQuery('[{"a":[1,"x",null,{"$integer":"AAAAAAAAAAA="}]}]');
      await write.invokeMutation('[{"body":"hello"}]');
    }
  });
}
