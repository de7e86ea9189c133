// The operations that npm `convex` asks its host for, over Weir's world.
import { beginAction, call } from "./call.js";
import { getDocument, readWaiting } from "./documents.js";
import { featureOf, functionPathOf, millisOf, unsupported } from "./function_paths.js";
import { host } from "./host.js";
import { ask, forgetErrors } from "./host_errors.js";
import { planOf } from "./plan.js";
import { Queries } from "./queries.js";
import { storageOperations } from "./storage.js";
import { begin } from "./tasks.js";

export { together } from "./documents.js";
export { codeOfMessage } from "./host_errors.js";

/** Of the call that goes on: one object, so that a call writes to one page for it. */
let current = { queries: undefined, path: "" };

/** Forgets what belongs to a call, and begins the next one. */
export function beginCall(path, isAction = false) {
  current = { queries: undefined, path };
  forgetErrors();
  if (isAction) beginAction(path);
}

/** The open queries of the call, of which most functions have none. */
const queries = () => (current.queries ??= new Queries());

const table = (args) => args.table ?? undefined;

const operations = {
  ...storageOperations,
  "1.0/get": (args) => getDocument(args, ask),
  "1.0/db/normalizeId": (args) => ({ id: host.db.normalizeId(args.table, String(args.idString)) ?? null }),
  "1.0/insert": (args) => ({ _id: ask(() => host.db.insert(args.table, args.value)) }),
  "1.0/shallowMerge": (args) => {
    ask(() => host.db.patch(table(args), args.id, args.value));
    return null;
  },
  "1.0/replace": (args) => {
    ask(() => host.db.replace(table(args), args.id, args.value));
    return null;
  },
  "1.0/remove": (args) => {
    ask(() => host.db.delete(table(args), args.id));
    return null;
  },
  "1.0/queryStream": (args) => ({ queryId: queries().open(args.query, ask) }),
  "1.0/queryStreamNext": (args) => queries().next(args.queryId, ask),
  "1.0/queryCleanup": (args) => {
    queries().close(args.queryId);
    return null;
  },
  "1.0/queryPage": ({ query, cursor, endCursor, pageSize, maximumRowsRead, maximumBytesRead }) => {
    const plan = planOf(query);
    const options = { cursor, endCursor, numItems: pageSize, maximumRowsRead, maximumBytesRead };
    return ask(() => host.db.page(plan, options));
  },
  // Of a table, as npm `convex` asks, or of a query, as `count` of `@weir/typescript` does.
  "1.0/count": ({ table, query }) => {
    const plan = query === undefined ? { table } : planOf(query);
    return ask(() => host.db.count(plan));
  },
  "1.0/runUdf": (args) => ask(runUdf(functionPathOf(args), args)),
  "1.0/schedule": schedule,
  "1.0/cancel_job": cancelJob,
  // Of actions: calls go on at the same time.
  "1.0/actions/query": (args) => callFrom("runQuery", args),
  "1.0/actions/mutation": (args) => callFrom("runMutation", args),
  "1.0/actions/action": (args) => callFrom("runAction", args),
  "1.0/actions/schedule": schedule,
  "1.0/actions/cancel_job": cancelJob,
  "1.0/createFunctionHandle": (args) => ask(() => host.calls.functionHandle(functionPathOf(args))),
  // Of `@weir/typescript`.
  "weir/hashPassword": ({ password }) => ask(() => host.crypto.hashPassword(password)),
  "weir/verifyPassword": ({ password, hash }) => ask(() => host.crypto.verifyPassword(password, hash)),
  // Of what the bundler puts in the place of pure JavaScript (`build/scrypt.mjs`).
  "weir/scrypt": ({ password, salt, length, ...costs }) =>
    ask(() => host.webCrypto.deriveBits({ name: "scrypt", ...costs }, password, salt, NOTHING, length)),
  "1.0/getUserIdentity": () => host.context.identity() ?? null,
  "1.0/signJwt": ({ claims = {}, expiresInSeconds }) =>
    ask(() => host.auth.signJwt(claims, { expiresInSeconds })),
  "1.0/getFunctionMetadata": () => ({ name: current.path, componentPath: host.context.component() }),
  "1.0/getTransactionMetrics": () => {
    if (call.isAction) throw unsupported(featureOf("1.0/getTransactionMetrics"));
    return ask(() => host.db.usage());
  },
  "1.0/getRequestMetadata": () => ({
    ip: null,
    userAgent: null,
    requestId: host.context.requestId(),
    scheduledFunctionId: null,
    authToken: null,
  }),
};

const NOTHING = new Uint8Array(0);

/** What calls a function within the transaction. */
function runUdf(path, { udfType, args, transactionLimits }) {
  const useStaleSnapshot = udfType === "snapshotQuery";
  if (useStaleSnapshot || transactionLimits !== undefined) {
    const kind = useStaleSnapshot ? "query" : udfType;
    return () => host.calls.runWith(path, args, { kind, useStaleSnapshot, transactionLimits });
  }
  if (udfType === "mutation") return () => host.calls.runMutation(path, args);
  return () => host.calls.runQuery(path, args);
}

function schedule(args) {
  return ask(() => host.scheduler.runAt(functionPathOf(args), args.args, millisOf(args.ts)));
}

function cancelJob({ id }) {
  ask(() => host.scheduler.cancel(String(id)));
  return null;
}

function callFrom(kind, args) {
  const path = functionPathOf(args);
  return begin(() => host.tasks[kind](path, args.args), { isJson: true }).ended;
}

/**
 * Does an operation; arguments and result are in Convex's JSON encoding, and belong to nobody else. The result may be
 * a promise.
 */
export function perform(name, args) {
  const operation = operations[name];
  if (operation === undefined) throw unsupported(featureOf(name));
  if (name !== "1.0/get") readWaiting();
  return operation(args);
}

const performText = (name, args) => JSON.stringify(perform(name, JSON.parse(args)));
const performTextLater = async (name, args) => JSON.stringify(await perform(name, JSON.parse(args)));

/**
 * Puts the object `Convex` in the global scope: what npm `convex` asks, for whoever has a copy of it that the
 * bundler did not see. The others come to {@link perform}.
 */
export function installSyscalls() {
  globalThis.Convex = {
    syscall: performText,
    asyncSyscall: performTextLater,
    // Blobs go in and come out as they are.
    jsSyscall: async (name, args) => perform(name, args),
  };
}
