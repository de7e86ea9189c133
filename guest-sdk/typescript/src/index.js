// What Weir has beyond npm `convex`.

const runtime = () => globalThis[Symbol.for("weir.runtime")];

/** The host's short name (`InvalidId`, `NotFound`, ...) of an error that it gave in this call. */
export function errorCode(error) {
  if (!(error instanceof Error)) return undefined;
  return runtime()?.codeOfMessage(error.message);
}

/**
 * `getMany(db, ids)` or `getMany(db, table, ids)`: the documents with these ids, in their order, with `null` where
 * there is none.
 */
export function getMany(db, ...tableAndIds) {
  const ids = tableAndIds.pop();
  // Through `db`, because what stands before the database (access rules, say) must not be passed by.
  const read = () => Promise.all(ids.map((id) => db.get(...tableAndIds, id)));
  return runtime() === undefined ? read() : runtime().together(read);
}

/** `db.system`, with the types of Weir's own tables. */
export const systemTables = (db) => db.system;

/** How many documents a query gives: of a table in constant time, of an index range without reading documents. */
export async function count(query) {
  const plan = ownPlan(query);
  if (plan === undefined) return countOneByOne(query);
  return runtime().perform("1.0/count", { query: plan });
}

/** The hash of a password, for {@link verifyPassword}. */
export async function hashPassword(password) {
  return performWith("weir/hashPassword", { password });
}

/** Whether this is the password that was hashed. */
export async function verifyPassword(password, hash) {
  return performWith("weir/verifyPassword", { password, hash });
}

/** Asks the host with texts, which must be such. */
function performWith(name, texts) {
  for (const [argument, text] of Object.entries(texts)) {
    if (typeof text !== "string") throw new TypeError(`the ${argument} must be a string`);
  }
  if (runtime() === undefined) throw new Error("passwords are hashed in functions only, within Weir");
  return runtime().perform(name, texts);
}

/** The plan of one of npm `convex`'s own queries, if it has no filter and limit; that query is used up by it. */
function ownPlan(query) {
  if (runtime() === undefined) return undefined;
  const chained = typeof query.fullTableScan === "function" ? query.fullTableScan() : query;
  if (chained.state?.type !== "preparing" || chained.state.query.operators.length > 0) return undefined;
  return chained.takeQuery?.();
}

/** Of a query that filters, or that something stands before. */
async function countOneByOne(query) {
  let number = 0;
  for await (const _ of query) number++;
  return number;
}
