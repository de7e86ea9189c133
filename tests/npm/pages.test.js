// Pages that the official client loads and watches: they follow what is written, without gap and overlap.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { anyApi as api } from "convex/server";
import { connect } from "../harness/clients.js";
import { hostFor } from "../harness/host.js";

const BLOG = join(
  fileURLToPath(new URL("..", import.meta.url)),
  "typescript/blog",
);

describe("a paginated query", () => {
  const host = hostFor(BLOG);

  /** Watches pages of the tags; gives what is told, and a way to wait for more. */
  function watchTags(client, initialNumItems) {
    const watch = { latest: undefined, error: undefined, wake: () => {} };
    const query = client.onPaginatedUpdate_experimental(
      api.tags.paginate,
      {},
      { initialNumItems },
      (result) => {
        watch.latest = result;
        watch.wake();
      },
      (error) => {
        watch.error = error;
        watch.wake();
      },
    );
    watch.names = () => watch.latest?.results.map(({ name }) => name);
    watch.until = async (holds) => {
      for (;;) {
        if (watch.error) throw watch.error;
        if (watch.latest && holds(watch.latest, watch.names())) return;
        await new Promise((resolve) => (watch.wake = resolve));
      }
    };
    watch.loadMore = (numItems) => watch.latest.loadMore(numItems);
    watch.end = () => query();
    return watch;
  }

  it("loads page after page, and each page follows the writes into it", async (t) => {
    const client = connect(t, host.url);
    const ids = [];
    for (let i = 0; i < 10; i++) {
      const { _id } = await client.mutation(api.tags.create, { name: `t${i}` });
      ids.push(_id);
    }
    const tags = watchTags(client, 4);
    await tags.until(({ status }) => status === "CanLoadMore");
    assert.deepEqual(tags.names(), ["t0", "t1", "t2", "t3"]);
    tags.loadMore(4);
    await tags.until((_, names) => names.length === 8);

    // In the first page, in the second one, and between the two.
    await client.mutation(api.tags.update, {
      id: ids[1],
      patch: { name: "new" },
    });
    await client.mutation(api.tags.destroy, { id: ids[3] });
    await client.mutation(api.tags.destroy, { id: ids[4] });
    const changed = ["t0", "new", "t2", "t5", "t6", "t7"];
    await tags.until((_, names) => names.length === changed.length);
    assert.deepEqual(tags.names(), changed);

    tags.loadMore(10);
    await tags.until(({ status }) => status === "Exhausted");
    assert.deepEqual(tags.names(), [...changed, "t8", "t9"]);
    // Behind the last page: it has no end.
    await client.mutation(api.tags.create, { name: "last" });
    await tags.until((_, names) => names.at(-1) === "last");
    assert.deepEqual(tags.names(), [...changed, "t8", "t9", "last"]);
    tags.end();
  });
});
