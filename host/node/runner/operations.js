// What npm `convex` asks of its host in an action, over the pipe.
import {
  featureOf,
  functionPathOf,
  millisOf,
  unsupported,
} from "../runtime/function_paths.js";
import { ask, callOf } from "./calls.js";

/** A piece of a file. */
const PIECE_BYTES = 256 * 1024;

const jsonOf = ({ body }) => body.toString();
const bytesOf = (value) => Buffer.from(JSON.stringify(value));

/** An operation whose answer is JSON. */
const simple = (operation, headOf, bodyOf) => async (args, call) =>
  JSON.parse(jsonOf(await ask(call, operation, headOf(args), bodyOf?.(args))));

const callFrom = (kind) =>
  simple(
    "call",
    (args) => ({ kind, path: functionPathOf(args) }),
    (args) => bytesOf(args.args),
  );

const storage = (operation) =>
  simple(operation, ({ storageId }) => ({ id: String(storageId) }));

const schedule = simple(
  "schedule",
  (args) => ({ path: functionPathOf(args), at: millisOf(args.ts) }),
  (args) => bytesOf(args.args),
);
const cancel = simple("cancel", ({ id }) => ({ id: String(id) }));

const operations = {
  "1.0/actions/query": callFrom("query"),
  "1.0/actions/mutation": callFrom("mutation"),
  "1.0/actions/action": callFrom("action"),
  "1.0/schedule": schedule,
  "1.0/actions/schedule": schedule,
  "1.0/cancel_job": cancel,
  "1.0/actions/cancel_job": cancel,
  "1.0/createFunctionHandle": simple("functionHandle", (args) => ({
    path: functionPathOf(args),
  })),
  "1.0/getUserIdentity": (_, { identity }) => identity,
  "1.0/getFunctionMetadata": (_, { path, component }) => ({
    name: path,
    componentPath: component,
  }),
  "1.0/getRequestMetadata": (_, { requestId }) => ({
    ip: null,
    userAgent: null,
    requestId,
    scheduledFunctionId: null,
    authToken: null,
  }),
  "1.0/signJwt": simple(
    "signJwt",
    ({ expiresInSeconds }) => ({ expiresInSeconds }),
    ({ claims = {} }) => bytesOf(claims),
  ),
  "1.0/storageGenerateUploadUrl": simple("generateUploadUrl", () => ({})),
  "1.0/storageGetUrl": storage("fileUrl"),
  "1.0/storageGetMetadata": storage("fileMetadata"),
  "1.0/storageDelete": storage("deleteFile"),
  "storage/storeBlob": ({ blob, options }, call) =>
    storeBlob(call, blob, options),
  "storage/getBlob": ({ storageId }, call) => getBlob(call, String(storageId)),
  "weir/hashPassword": simple("hashPassword", ({ password }) => ({ password })),
  "weir/verifyPassword": simple("verifyPassword", ({ password, hash }) => ({
    password,
    hash,
  })),
};

async function storeBlob(call, blob, { sha256 } = {}) {
  if (!(blob instanceof Blob)) {
    throw new TypeError(
      "ctx.storage.store expects a Blob; `await response.blob()` is what a Response holds",
    );
  }
  const { head } = await ask(call, "beginFile", {
    contentType: blob.type || undefined,
    sha256,
  });
  for (let start = 0; start < blob.size; start += PIECE_BYTES) {
    const piece = await blob.slice(start, start + PIECE_BYTES).arrayBuffer();
    await ask(call, "writeFile", { file: head.file }, Buffer.from(piece));
  }
  return JSON.parse(jsonOf(await ask(call, "endFile", { file: head.file })));
}

async function getBlob(call, id) {
  const { head } = await ask(call, "openFile", { id });
  if (head.file === undefined) return null;
  const pieces = [];
  for (;;) {
    const { head: piece, body } = await ask(call, "readFile", {
      file: head.file,
    });
    if (piece.isEnd) return new Blob(pieces, { type: head.contentType ?? "" });
    pieces.push(body);
  }
}

/** Does an operation of the call that runs; arguments and result are in Convex's JSON encoding. */
export async function perform(name, args) {
  const operation = operations[name];
  if (operation === undefined) throw unsupported(featureOf(name));
  return operation(args, callOf(args.requestId));
}

/** Puts the object `Convex` in the global scope: what npm `convex` asks. */
export function installOperations() {
  globalThis.Convex = {
    syscall() {
      throw unsupported("what this operation does, in an action");
    },
    asyncSyscall: async (name, args) =>
      JSON.stringify((await perform(name, JSON.parse(args))) ?? null),
    jsSyscall: perform,
  };
}
