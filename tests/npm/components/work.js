// Components that run work later: pools, workflows, migrations, retries, caches, cron jobs. What a mutation does is done
// once, what an action does at least once.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyApi as api } from "convex/server";
import { connect, Watch } from "../../harness/clients.js";

const names = (kind, count) =>
  Array.from({ length: count }, (_, at) => `${kind} ${at}`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function runningWork(host) {
  /** How often each thing of this kind was done, live. */
  const done = (client, kind) => new Watch(client, api.done.all, { kind });
  const values = (client, kind) => client.query(api.done.values, { kind });

  /** Starts a workflow; `ended` gives its result as its completion was told it. */
  async function startWorkflow(client, workflow, args) {
    const workflowId = await client.mutation(api.workflows.start, {
      workflow,
      args,
    });
    const ended = async () => {
      const all = new Watch(client, api.done.values, { kind: "ended" });
      const isOurs = ({ what }) => what === workflowId;
      const rows = await all.until((rows) => rows.some(isOurs));
      all.unsubscribe();
      return rows.filter(isOurs).map(({ value }) => value.result);
    };
    return { workflowId, ended };
  }

  describe("side by side", { concurrency: true }, () => {
    it("workpool: mutations, actions and queries, and their completions", async (t) => {
      const client = connect(t, host.url);
      const counts = done(client, "pooled");
      const completions = new Watch(client, api.done.values, {
        kind: "completed",
      });
      const completed = async (ids) => {
        const all = await completions.until((rows) =>
          ids.every((id) => rows.some(({ what }) => what === id)),
        );
        const ours = all.filter(({ what }) => ids.includes(what));
        assert.equal(ours.length, ids.length, "each is completed once");
        return ours.map(({ value }) => value.result);
      };

      const mutations = { whats: names("mutation", 12) };
      const ids = await client.mutation(api.pools.enqueueMutations, mutations);
      assert.equal(new Set(ids).size, 12);
      assert.deepEqual(
        (await completed(ids)).map(({ kind, returnValue }) => [
          kind,
          returnValue,
        ]),
        Array(12).fill(["success", 1]),
      );

      const actions = { whats: ["tried again"], failures: 2, retry: true };
      const [retried] = await client.mutation(
        api.pools.enqueueActions,
        actions,
      );
      const states = new Watch(client, api.pools.status, { ids: [retried] });
      assert.deepEqual(await completed([retried]), [
        { kind: "success", returnValue: { what: "tried again", tries: 3 } },
      ]);
      await states.until(([state]) => state === "finished");
      assert.ok(["pending", "running"].includes(states.values[0][0]));

      // Without a retry, and after the last of them, it has failed.
      const once = { whats: ["once"], failures: 9 };
      const [failed] = await client.mutation(api.pools.enqueueActions, once);
      const thrice = { whats: ["thrice"], failures: 9, retry: true };
      const [given] = await client.mutation(api.pools.enqueueActions, thrice);
      const [first, last] = await Promise.all([
        completed([failed]),
        completed([given]),
      ]);
      assert.match(first[0].error, /failure 1/);
      assert.match(last[0].error, /failure 3/);

      const broken = { whats: ["broken"], fail: true };
      const [undone] = await client.mutation(
        api.pools.enqueueMutations,
        broken,
      );
      assert.match((await completed([undone]))[0].error, /on purpose/);

      const query = await client.action(api.pools.enqueueQuery, {
        what: "thrice",
      });
      assert.deepEqual(await completed([query]), [
        { kind: "success", returnValue: 3 },
      ]);

      await assert.rejects(
        client.mutation(api.pools.enqueueAndFail, { what: "never" }),
        /on purpose/,
      );
      const known = await counts.until(() => true);
      assert.deepEqual(
        [
          known["mutation 3"],
          known.once,
          known.thrice,
          known.broken,
          known.never,
        ],
        [1, 1, 3, undefined, undefined],
      );
    });

    it("workpool: one at a time, so that nothing conflicts", async (t) => {
      const client = connect(t, host.url);
      await client.mutation(api.pools.enqueueSteps, { steps: 15 });
      const steps = new Watch(client, api.done.values, { kind: "serial" });
      const all = await steps.until((rows) => rows.length === 15);
      assert.deepEqual(
        all.map(({ value }) => value),
        Array.from({ length: 15 }, (_, at) => at + 1),
      );
    });

    it("workflow: steps of every kind", async (t) => {
      const client = connect(t, host.url);
      const args = { name: "every" };
      const order = await startWorkflow(client, "order", args);
      const { workflowId } = order;
      const status = new Watch(client, api.workflows.status, { workflowId });
      assert.deepEqual(await order.ended(), [
        { kind: "success", returnValue: "1 1 2 failure 1 nested" },
      ]);
      const { type, result } = await status.until(
        ({ type }) => type !== "inProgress",
      );
      assert.deepEqual([type, result], ["completed", "1 1 2 failure 1 nested"]);
      const known = await done(client, "step").until(() => true);
      const ours = Object.entries(known).filter(([what]) =>
        what.startsWith("every"),
      );
      assert.deepEqual(Object.fromEntries(ours), {
        "every first": 1,
        "every left": 1,
        "every right": 2,
        "every inline": 1,
        "every nested": 1,
      });
      const steps = await client.query(api.workflows.steps, { workflowId });
      assert.deepEqual(
        steps.map(({ kind }) => kind),
        [
          "success",
          "success",
          "success",
          "success",
          "failed",
          "success",
          "success",
          "success",
        ],
      );
      assert.equal(
        await client.mutation(api.workflows.cleanup, { workflowId }),
        true,
      );
      await status.failure();
    });

    it("workflow: waits for an event, and is cancelled", async (t) => {
      const client = connect(t, host.url);
      const asked = done(client, "step");
      const [yes, no, never] = await Promise.all(
        ["yes", "no", "never"].map((name) =>
          startWorkflow(client, "approved", { name }),
        ),
      );
      await asked.until((all) =>
        ["yes", "no", "never"].every((name) => all[`${name} asked`] === 1),
      );
      for (const [{ workflowId }, approved] of [
        [yes, true],
        [no, false],
      ]) {
        await client.mutation(api.workflows.approve, { workflowId, approved });
      }
      assert.deepEqual(await yes.ended(), [
        { kind: "success", returnValue: true },
      ]);
      assert.deepEqual(await no.ended(), [
        { kind: "success", returnValue: false },
      ]);
      await client.mutation(api.workflows.cancel, {
        workflowId: never.workflowId,
      });
      assert.deepEqual(await never.ended(), [{ kind: "canceled" }]);
      const known = await asked.until(() => true);
      assert.deepEqual(
        ["yes", "no", "never"].map((name) => known[`${name} approved`]),
        [1, undefined, undefined],
      );
    });

    it("workflow: one that failed is started again from a step", async (t) => {
      const client = connect(t, host.url);
      const fragile = await startWorkflow(client, "fragile", { name: "again" });
      const [failed] = await fragile.ended();
      assert.equal(failed.kind, "failed");
      assert.match(failed.error, /failure 1/);
      const { workflowId } = fragile;
      await client.mutation(api.workflows.restart, { workflowId, from: 1 });
      const status = new Watch(client, api.workflows.status, { workflowId });
      const { result } = await status.until(({ type }) => type === "completed");
      assert.equal(result, 2);
      const known = await done(client, "step").until(() => true);
      assert.deepEqual([known["again before"], known["again fragile"]], [1, 2]);
    });

    it("migrations: in batches, in series, of a range, and one that fails", async (t) => {
      const client = connect(t, host.url);
      const start = (migration, options) =>
        client.mutation(api.migrations.start, { migration, ...options });
      const status = (migration) =>
        new Watch(client, api.migrations.status, { migration });
      await client.mutation(api.migrations.fill, { users: 35 });
      const greetings = new Watch(client, api.migrations.greetings, {});

      await assert.rejects(start("greet", { dryRun: true }), /DRY RUN/);
      assert.deepEqual(
        new Set(await greetings.until(() => true)),
        new Set([null]),
      );

      const greet = status("greet");
      await start("greet");
      const { processed, isDone } = await greet.until(({ isDone }) => isDone);
      assert.deepEqual([processed, isDone], [35, true]);
      await greetings.until((all) => all[34] === "Hello user 34");
      assert.ok(!greetings.latest.includes(null));

      // The first is over already, and is not run again.
      await client.mutation(api.migrations.startBoth, {});
      await status("shout").until(({ isDone }) => isDone);
      await greetings.until((all) => all[7] === "HELLO USER 07");

      await client.action(api.migrations.complete, { migration: "forget" });
      const kept = await greetings.until((all) => all[34] === null);
      assert.equal(kept.filter((greeting) => greeting === null).length, 15);

      const broken = status("broken");
      await start("broken");
      const failed = await broken.until(({ state }) => state === "failed");
      assert.equal(failed.processed, 10);
      assert.match(failed.error, /on purpose/);
      assert.equal(
        greetings.latest.filter((each) => each === "broken").length,
        10,
      );

      await start("greet", { reset: true });
      await greetings.until((all) => all[34] === "Hello user 34");
    });

    it("action-retrier: tries again, gives up, is cancelled", async (t) => {
      const client = connect(t, host.url);
      const start = (what, failures, takes) =>
        client.mutation(api.retries.start, { what, failures, takes });
      const status = (id) => new Watch(client, api.retries.status, { id });
      const isOver = ({ type }) => type === "completed";

      const [good, bad] = [await start("good", 2), await start("bad", 9)];
      const statuses = [status(good), status(bad)];
      const [won, lost] = await Promise.all(
        statuses.map((each) => each.until(isOver)),
      );
      assert.deepEqual(won.result, {
        type: "success",
        returnValue: { what: "good", tries: 3 },
      });
      assert.equal(lost.result.type, "failed");
      assert.match(lost.result.error, /failure 4/);
      const known = await done(client, "retried").until(() => true);
      assert.deepEqual(known, { good: 3, bad: 4 });

      const slow = await start("slow", 0, 30_000);
      await client.mutation(api.retries.cancel, { id: slow });
      assert.deepEqual((await status(slow).until(isOver)).result, {
        type: "canceled",
      });
      const told = await values(client, "retrier");
      assert.deepEqual(
        told.map(({ what, value }) => [what, value.type]).sort(),
        [
          [good, "success"],
          [bad, "failed"],
          [slow, "canceled"],
        ].sort(),
      );
      await client.mutation(api.retries.cleanup, { id: good });
      await assert.rejects(client.query(api.retries.status, { id: good }));
    });

    it("action-cache: hits, misses, time, and what is removed", async (t) => {
      const client = connect(t, host.url);
      const fetch = (what, force) =>
        client.action(api.caches.fetch, { what, force });
      assert.deepEqual(
        [await fetch("a"), await fetch("a"), await fetch("b")],
        [1, 1, 1],
      );
      assert.deepEqual([await fetch("a", true), await fetch("a")], [2, 2]);
      await client.mutation(api.caches.remove, { what: "a" });
      assert.deepEqual([await fetch("a"), await fetch("b")], [3, 1]);

      const brief = () =>
        client.action(api.caches.fetchBriefly, { what: "brief" });
      assert.equal(await brief(), 1);
      await sleep(250);
      assert.equal(await brief(), 2);

      await client.mutation(api.caches.removeName, {});
      const gone = async (what) => {
        while ((await fetch(what)) === 1) await sleep(20);
      };
      await gone("b");
      assert.equal(await fetch("a"), 4);
    });

    it("crons: registered while it runs, by interval and by cron", async (t) => {
      const client = connect(t, host.url);
      const counts = done(client, "cron");
      const register = (args) => client.mutation(api.jobs.register, args);
      const every = { kind: "interval", ms: 1000 };
      const id = await register({
        name: "often",
        what: "often",
        schedule: every,
      });
      const second = { kind: "cron", cronspec: "* * * * * *" };
      const unnamed = await register({ what: "second", schedule: second });
      const daily = {
        kind: "cron",
        cronspec: "0 3 * * *",
        tz: "Europe/Zurich",
      };
      await register({ name: "daily", what: "daily", schedule: daily });
      await client.mutation(api.jobs.registerOnce, { name: "once" });

      await assert.rejects(
        register({ name: "often", what: "x", schedule: every }),
        /already exists/,
      );
      const nonsense = { kind: "cron", cronspec: "every day" };
      await assert.rejects(
        register({ what: "x", schedule: nonsense }),
        /cronspec/,
      );
      const list = new Watch(client, api.jobs.list, {});
      assert.equal((await list.until((all) => all.length === 4)).length, 4);
      const known = await client.query(api.jobs.get, {
        identifier: { name: "often" },
      });
      assert.deepEqual([known.id, known.schedule], [id, every]);

      await counts.until(
        (all) => all.often >= 1 && all.second >= 2 && all.once === 1,
      );
      await list.until((all) => all.every(({ name }) => name !== "once"));
      for (const identifier of [{ name: "often" }, { id: unnamed }]) {
        await client.mutation(api.jobs.remove, { identifier });
      }
      await list.until((all) => all.length === 1);
      const { often, second: seconds, once } = counts.latest;
      await sleep(1200);
      const after = await client.query(api.done.all, { kind: "cron" });
      assert.deepEqual(after, { often, second: seconds, once });
      assert.equal(once, 1);
    });
  });

  it("workpool: what is cancelled does not run", async (t) => {
    const client = connect(t, host.url);
    const later = { whats: names("later", 3), runAfter: 60_000 };
    const ids = await client.mutation(api.pools.enqueueActions, later);
    const states = new Watch(client, api.pools.status, { ids });
    assert.deepEqual(await states.until(() => true), Array(3).fill("pending"));
    await client.mutation(api.pools.cancel, { id: ids[0] });
    await states.until((all) => all[0] === "finished");
    await client.mutation(api.pools.cancelAll, {});
    await states.until((all) => all.every((state) => state === "finished"));
    const completions = new Watch(client, api.done.values, {
      kind: "completed",
    });
    const ours = (rows) => rows.filter(({ what }) => ids.includes(what));
    const all = await completions.until((rows) => ours(rows).length === 3);
    assert.deepEqual(
      ours(all).map(({ value }) => value.result.kind),
      Array(3).fill("canceled"),
    );
    assert.equal(
      (await done(client, "pooled").until(() => true))["later 0"],
      undefined,
    );
  });

  it("across SIGKILL: what mutations do once, what actions do at least once", async (t) => {
    const client = connect(t, host.url);
    const [steps, pooled, serial, retried] = [
      "step",
      "pooled",
      "serial",
      "retried",
    ].map((kind) => done(client, kind));
    const before = Object.keys(await serial.until(() => true)).length;
    const long = await Promise.all(
      names("killed", 3).map((name) =>
        startWorkflow(client, "long", { name, steps: 20 }),
      ),
    );
    const waiting = await startWorkflow(client, "approved", { name: "killed" });
    const whats = names("killed mutation", 50);
    const ids = await client.mutation(api.pools.enqueueMutations, { whats });
    const later = { whats: names("killed action", 5), runAfter: 5000 };
    ids.push(...(await client.mutation(api.pools.enqueueActions, later)));
    await client.mutation(api.pools.enqueueSteps, { steps: 10 });
    // The first kill finds it under way. The package looks after ten seconds whether an action still lives.
    const slow = { what: "killed", failures: 0, takes: 3000 };
    const id = await client.mutation(api.retries.start, slow);
    const run = new Watch(client, api.retries.status, { id });
    const cached = () => client.action(api.caches.fetch, { what: "killed" });
    assert.equal(await cached(), 1);
    const schedule = { kind: "interval", ms: 1000 };
    const cron = { name: "killed", what: "killed", schedule };
    await client.mutation(api.jobs.register, cron);

    for (const ms of [350, 50, 150]) {
      await sleep(ms);
      await host.kill();
      await host.serve();
    }
    const { workflowId } = waiting;
    await client.mutation(api.workflows.approve, {
      workflowId,
      approved: true,
    });

    for (const workflow of long) {
      assert.deepEqual(await workflow.ended(), [
        { kind: "success", returnValue: 20 },
      ]);
    }
    assert.deepEqual(await waiting.ended(), [
      { kind: "success", returnValue: true },
    ]);
    const all = await steps.until(() => true);
    const expected = names("killed", 3).flatMap((name) => names(name, 20));
    for (const step of [...expected, "killed asked", "killed approved"]) {
      assert.equal(all[step], 1, step);
    }

    const completions = new Watch(client, api.done.values, {
      kind: "completed",
    });
    const ours = (rows) => rows.filter(({ what }) => ids.includes(what));
    const completed = ours(
      await completions.until((rows) => ours(rows).length >= ids.length),
    );
    assert.deepEqual(completed.map(({ what }) => what).sort(), [...ids].sort());
    for (const { value } of completed)
      assert.equal(value.result.kind, "success");
    const known = await pooled.until(() => true);
    for (const what of [...whats, ...later.whats])
      assert.equal(known[what], 1, what);

    const counts = await serial.until(
      (all) => Object.keys(all).length === before + 10,
    );
    assert.ok(Object.values(counts).every((count) => count === 1));

    const { result } = await run.until(({ type }) => type === "completed");
    assert.equal(result.type, "success");
    assert.ok((await retried.until((all) => all.killed >= 1)).killed >= 1);
    const told = await values(client, "retrier");
    assert.equal(told.filter(({ what }) => what === id).length, 1);

    assert.equal(await cached(), 1);
    const crons = done(client, "cron");
    const { killed: ran = 0 } = await crons.until(() => true);
    await crons.until(({ killed }) => killed > ran + 1);
    const identifier = { name: "killed" };
    await client.mutation(api.jobs.remove, { identifier });
    await host.kill();
    await host.serve();
  });
}
