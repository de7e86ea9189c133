// Open queries of a call: npm `convex` asks for one document after another, the
// host gives batches.
import { host, toBytes } from "./host.js";

const OPERATORS = { Eq: "eq", Gt: "gt", Gte: "gte", Lt: "lt", Lte: "lte" };

/** The queries that a call has begun. */
export class Queries {
  #open = new Map();
  #last = 0;

  /** Begins a query; the host is asked with the first document. */
  open(query) {
    this.#open.set(++this.#last, { plan: plan(query), documents: undefined, at: 0, cursor: undefined });
    return this.#last;
  }

  /** `{value, done}`: the next document, or the end. */
  next(id, ask) {
    const query = this.#open.get(id);
    if (query === undefined) throw new Error("this query is closed");
    while (query.documents === undefined || query.at === query.documents.length) {
      if (query.documents !== undefined && query.cursor === undefined) return { value: null, done: true };
      const batch = ask(() =>
        query.documents === undefined
          ? host.db.query(toBytes(query.plan), 0)
          : host.db.queryNext(query.cursor, 0),
      );
      query.documents = batch.count === 0 ? [] : JSON.parse(batch.documents);
      query.at = 0;
      query.cursor = batch.cursor;
    }
    return { value: query.documents[query.at++], done: false };
  }

  /** Ends a query, before its end or at it. */
  close(id) {
    const query = this.#open.get(id);
    this.#open.delete(id);
    if (query?.cursor !== undefined) host.db.queryClose(query.cursor);
  }
}

/** npm `convex`'s form of a query in the host's. */
function plan({ source, operators }) {
  const plan = sourcePlan(source);
  const filters = [];
  for (const operator of operators) {
    if (operator.limit !== undefined) {
      plan.limit = Math.min(plan.limit ?? Infinity, operator.limit);
    } else if (plan.limit !== undefined) {
      throw new Error("a filter after a limit is not supported by Weir yet; put the filter first");
    } else {
      filters.push(operator.filter);
    }
  }
  if (filters.length > 0) plan.filter = filters.length === 1 ? filters[0] : { $and: filters };
  return plan;
}

function sourcePlan(source) {
  switch (source.type) {
    case "FullTableScan":
      return { table: source.tableName, order: source.order ?? "asc" };
    case "IndexRange": {
      const [table, index] = source.indexName.split(".");
      const range = source.range.map(({ type, fieldPath, value }) => ({
        op: OPERATORS[type],
        field: fieldPath,
        value,
      }));
      return { table, index, range, order: source.order ?? "asc" };
    }
    default:
      throw new Error("search indexes are not supported by Weir yet");
  }
}
