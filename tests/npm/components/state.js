// Components that keep something: limits, aggregates, counters.
import assert from "node:assert/strict";
import { it } from "node:test";
import { anyApi as api } from "convex/server";
import { connect, Watch } from "../../harness/clients.js";

export function keepingState(host) {
  const random = generator(14);
  const model = new Scores();

  it("rate-limiter: token buckets, windows, shards, reservations", async (t) => {
    const client = connect(t, host.url);
    const limit = (name, options) =>
      client.mutation(api.limits.limit, { name, ...options });
    const watched = (key) =>
      new Watch(client, api.limits.check, { name: "sendMessage", key });

    const ada = watched("ada");
    const bob = watched("bob");
    assert.equal((await ada.until(() => true)).ok, true);
    for (let sent = 0; sent < 3; sent++) {
      assert.equal((await limit("sendMessage", { key: "ada" })).ok, true);
    }
    const refused = await limit("sendMessage", { key: "ada" });
    assert.equal(refused.ok, false);
    assert.ok(refused.retryAfter > 4000 && refused.retryAfter <= 6000);
    // What watches the limit is told; another key has a limit of its own.
    assert.ok((await ada.until(({ ok }) => !ok)).retryAfter > 0);
    assert.equal((await bob.until(() => true)).ok, true);
    const error = await limit("sendMessage", { key: "ada", throws: true }).then(
      () => assert.fail("it is refused"),
      (error) => error,
    );
    assert.deepEqual(
      { ...error.data, retryAfter: 0 },
      { kind: "RateLimited", name: "sendMessage", retryAfter: 0 },
    );
    await client.mutation(api.limits.reset, {
      name: "sendMessage",
      key: "ada",
    });
    assert.equal((await ada.until(({ ok }) => ok)).ok, true);

    // A window gives its tokens at once; more than there are is refused as a whole.
    assert.equal((await limit("signUp", { count: 4 })).ok, true);
    assert.equal((await limit("signUp", { count: 2 })).ok, false);
    assert.equal((await limit("signUp", { count: 1 })).ok, true);
    assert.equal((await limit("signUp")).ok, false);

    // What is over is there again after its time.
    assert.equal((await limit("brief")).ok, true);
    const { ok, retryAfter } = await limit("brief");
    assert.equal(ok, false);
    await new Promise((resolve) => setTimeout(resolve, retryAfter + 20));
    assert.equal((await limit("brief")).ok, true);

    // Shards together give no more than the limit.
    const taken = await Promise.all(
      Array.from({ length: 60 }, () => limit("tokens")),
    );
    const accepted = taken.filter(({ ok }) => ok).length;
    assert.ok(accepted > 0 && accepted <= 40, `${accepted} of 60`);

    // One may be taken ahead of its time, and no more.
    assert.equal((await limit("reserved")).ok, true);
    const reserved = await limit("reserved", { reserve: true });
    assert.ok(reserved.ok && reserved.retryAfter > 0);
    assert.equal((await limit("reserved", { reserve: true })).ok, false);
  });

  it("rate-limiter: what fails takes nothing", async (t) => {
    const client = connect(t, host.url);
    const args = { name: "sendMessage", key: "failing" };
    for (let time = 0; time < 5; time++) {
      await assert.rejects(
        client.mutation(api.limits.takeAndFail, args),
        /on purpose/,
      );
    }
    const all = { ...args, count: 3 };
    assert.equal((await client.mutation(api.limits.limit, all)).ok, true);
    const inline = () => client.mutation(api.limits.inline, { key: "ada" });
    assert.deepEqual([(await inline()).ok, (await inline()).ok], [true, false]);
  });

  it("rate-limiter: what the package's hook asks", async (t) => {
    const client = connect(t, host.url);
    const value = new Watch(client, api.limits.getRateLimit, {});
    const first = await value.until(() => true);
    assert.equal(first.value, 3);
    assert.equal(first.config.capacity, 3);
    await client.mutation(api.limits.limit, {
      name: "sendMessage",
      key: "hook",
    });
    await value.until(({ value }) => value === 2);
    const now = await client.mutation(api.limits.getServerTime, {});
    assert.ok(Math.abs(now - Date.now()) < 5000);
  });

  it("aggregate: its tree against a sorted array", async (t) => {
    const client = connect(t, host.url);
    for (const [game, maxNodeSize, rootLazy] of [
      ["small nodes", 4, false],
      ["large nodes", 16, true],
    ]) {
      await client.mutation(api.scores.clear, { game, maxNodeSize, rootLazy });
      for (let round = 0; round < 10; round++) {
        const changes = model.randomChanges(game, random, 25);
        const args = { changes: changes.map(({ change }) => change) };
        model.apply(changes, await client.mutation(api.scores.change, args));
        await model.compare(client, game, random);
      }
    }
    const games = await client.query(api.scores.games, {});
    assert.deepEqual(games.sort(), ["large nodes", "small nodes"]);

    // What fails leaves neither a score nor its place in the tree.
    const changes = model.randomChanges("small nodes", random, 10);
    const args = { changes: changes.map(({ change }) => change), fail: true };
    await assert.rejects(
      client.mutation(api.scores.change, args),
      /on purpose/,
    );
    await model.compare(client, "small nodes", random);
  });

  it("aggregate: a live count, and writers side by side", async (t) => {
    const game = "live";
    const watching = new Watch(connect(t, host.url), api.scores.count, {
      game,
    });
    await watching.until((count) => count === 0);
    const insert = (points) => ({ op: "insert", game, points, bonus: 0 });
    const writers = [1, 2, 3, 4].map(() => connect(t, host.url));
    await Promise.all(
      writers.flatMap((writer, at) =>
        Array.from({ length: 10 }, (_, points) =>
          writer.mutation(api.scores.change, {
            changes: [insert(points * 10 + at)],
          }),
        ),
      ),
    );
    await watching.until((count) => count === 40);
    assert.deepEqual(
      watching.values,
      [...watching.values].sort((a, b) => a - b),
    );
  });

  it("sharded-counter: counts, estimates, resets and rebalances", async (t) => {
    const client = connect(t, host.url);
    const name = "boxes";
    const count = new Watch(client, api.counters.count, { name });
    await count.until((count) => count === 0);
    const writers = [1, 2, 3].map(() => connect(t, host.url));
    await Promise.all(
      writers.flatMap((writer) =>
        Array.from({ length: 30 }, () =>
          writer.mutation(api.counters.add, { name, count: 1 }),
        ),
      ),
    );
    await count.until((count) => count === 90);
    const failing = { name, count: 1000, fail: true };
    await assert.rejects(client.mutation(api.counters.add, failing));
    await client.mutation(api.counters.subtract, { name, count: 40 });
    await count.until((count) => count === 50);
    assert.ok(Math.max(...count.values) <= 90);

    await client.mutation(api.counters.rebalance, { name });
    assert.equal(await client.query(api.counters.count, { name }), 50);
    for (const shards of [1, 4]) {
      const estimate = { name, shards };
      assert.equal(await client.query(api.counters.estimate, estimate), 50);
    }
    const other = { name: "others" };
    await client.mutation(api.counters.add, { ...other, count: 7 });
    await client.mutation(api.counters.reset, { name });
    await count.until((count) => count === 0);
    assert.equal(await client.query(api.counters.count, other), 7);
  });

  it("across SIGKILL: each holds what it held", async (t) => {
    const client = connect(t, host.url);
    const args = { name: "sendMessage", key: "killed" };
    const limit = new Watch(client, api.limits.check, { ...args, count: 2 });
    await limit.until(({ ok }) => ok);
    await client.mutation(api.limits.limit, { ...args, count: 3 });
    const name = "killed";
    const count = new Watch(client, api.counters.count, { name });
    await client.mutation(api.counters.add, { name, count: 50 });

    await host.kill();
    await host.serve();
    await limit.until(({ ok }) => !ok);
    const again = { ...args, count: 2 };
    assert.equal((await client.mutation(api.limits.limit, again)).ok, false);

    await model.compare(client, "large nodes", random);
    await model.compare(client, "small nodes", random);
    const changes = model.randomChanges("small nodes", random, 20);
    const more = { changes: changes.map(({ change }) => change) };
    model.apply(changes, await client.mutation(api.scores.change, more));
    await model.compare(client, "small nodes", random);

    assert.equal(await client.query(api.counters.count, { name }), 50);
    await client.mutation(api.counters.add, { name, count: 1 });
    await count.until((count) => count === 51);
  });
}

/** Numbers below one, the same for the same seed. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The plain model: scores in an array, which is sorted when it is asked. */
class Scores {
  #scores = [];

  /** Changes of a game: twice as many inserts as others; none of an id that an earlier one has deleted. */
  randomChanges(game, random, count) {
    const known = this.#scores.filter((score) => score.game === game);
    const fields = () => ({
      game,
      points: Math.floor(random() * 40),
      bonus: Math.floor(random() * 4),
    });
    return Array.from({ length: count }, () => {
      const kind = random();
      if (kind < 0.5 || known.length === 0) {
        return { change: { op: "insert", ...fields() } };
      }
      const at = Math.floor(random() * known.length);
      if (kind < 0.75) {
        return { change: { op: "replace", id: known[at].id, ...fields() } };
      }
      return { change: { op: "delete", id: known.splice(at, 1)[0].id } };
    });
  }

  /** Takes on changes that were made; `ids` are those of the inserts. */
  apply(changes, ids) {
    for (const { change } of changes) {
      const { op, ...score } = change;
      if (op !== "insert") {
        this.#scores = this.#scores.filter(({ id }) => id !== score.id);
      }
      if (op !== "delete") {
        this.#scores.push({
          id: op === "insert" ? ids.shift() : score.id,
          ...score,
        });
      }
    }
  }

  /** Scores of a game in the tree's order: points, bonus, id. */
  #sorted(game) {
    return this.#scores
      .filter((score) => score.game === game)
      .sort(
        (a, b) =>
          a.points - b.points || a.bonus - b.bonus || (a.id < b.id ? -1 : 1),
      );
  }

  async compare(client, game, random) {
    const sorted = this.#sorted(game);
    const ids = sorted.map(({ id }) => id);
    const offsets = Array.from({ length: 5 }, () =>
      Math.floor(random() * sorted.length),
    );
    const points = [5, 12, 33];
    const between = sorted.filter(({ points }) => points >= 5 && points < 33);
    const sum = (scores) => scores.reduce((sum, { points }) => sum + points, 0);
    assert.deepEqual(
      await client.query(api.scores.figures, { game, offsets, points }),
      {
        count: sorted.length,
        sum: sum(sorted),
        min: ids[0],
        max: ids.at(-1),
        at: offsets.map((offset) => ids[offset]),
        indexes: points.map(
          (least) => sorted.filter(({ points }) => points < least).length,
        ),
        between: between.length,
        sumBetween: sum(between),
        prefixed: sorted.filter(({ points }) => points === 5).length,
      },
    );
    for (const order of ["asc", "desc"]) {
      const expected = order === "asc" ? ids : [...ids].reverse();
      assert.deepEqual(
        await client.query(api.scores.pages, { game, order }),
        expected,
      );
    }
  }
}
