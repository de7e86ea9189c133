// Open queries of a call: npm `convex` asks for one document after another, the
// host gives batches.
import { host, toBytes } from "./host.js";
import { planOf } from "./plan.js";

/** The queries that a call has begun. */
export class Queries {
  #open = new Map();
  #last = 0;

  /** Begins a query; the host is asked with the first document. */
  open(query) {
    this.#open.set(++this.#last, { plan: planOf(query), documents: undefined, at: 0, cursor: undefined });
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
