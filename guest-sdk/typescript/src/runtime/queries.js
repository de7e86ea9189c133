// Open queries of a call: npm `convex` asks for one document after another, the
// host gives batches.
import { host } from "./host.js";
import { stepsOf } from "./plan.js";

/** The queries that a call has begun. */
export class Queries {
  #open = new Map();
  #last = 0;

  /** Begins a query; the host is asked with the first document. */
  open(query) {
    const { plan, rest } = stepsOf(query);
    const steps = rest.map((operator) => ({ ...operator }));
    this.#open.set(++this.#last, { plan, steps, documents: undefined, at: 0, cursor: undefined });
    return this.#last;
  }

  /** `{value, done}`: the next document, or the end. */
  next(id, ask) {
    const query = this.#open.get(id);
    if (query === undefined) throw new Error("this query is closed");
    while (!query.steps.some(({ limit }) => limit === 0)) {
      const document = nextOfPlan(query, ask);
      if (document === undefined) break;
      if (passes(query, document, ask)) return { value: document, done: false };
    }
    return { value: null, done: true };
  }

  /** Ends a query, before its end or at it. */
  close(id) {
    const query = this.#open.get(id);
    this.#open.delete(id);
    if (query?.cursor !== undefined) host.db.queryClose(query.cursor);
  }
}

/** The next document that the plan gives, in batches. */
function nextOfPlan(query, ask) {
  while (query.documents === undefined || query.at === query.documents.length) {
    if (query.documents !== undefined && query.cursor === undefined) return undefined;
    const batch = ask(() =>
      query.documents === undefined ? host.db.query(query.plan) : host.db.queryNext(query.cursor),
    );
    query.documents = batch.documents;
    query.at = 0;
    query.cursor = batch.cursor;
  }
  return query.documents[query.at++];
}

/** Takes a document through what follows the plan, in order. */
function passes({ plan, steps }, document, ask) {
  for (const step of steps) {
    if (step.limit !== undefined) step.limit--;
    else if (!matches(plan.table, document, step.filter, ask)) return false;
  }
  return true;
}

/** Whether a filter lets a document through: the host says so, which alone knows the order of all values. */
function matches(table, { _id }, filter, ask) {
  const range = [{ op: "eq", field: "_id", value: _id }];
  const plan = { table, index: "by_id", range, filter, limit: 1 };
  const { count, cursor } = ask(() => host.db.query(plan));
  if (cursor !== undefined) host.db.queryClose(cursor);
  return count === 1;
}
