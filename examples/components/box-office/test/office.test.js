import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { open } from "@weir/testing";

let host;
before(async () => (host = await open(fileURLToPath(new URL("..", import.meta.url)))));
after(() => host.close());

/** An office with five tickets, and Ada with a hundred coins. */
async function opened() {
  const db = await host.database();
  await db.mutation("office:print", { count: 5 });
  await db.mutation("office:pay", { customer: "ada", amount: 100 });
  return db;
}

const shown = (db, customer = "ada") => db.query("office:show", { customer });
const buy = (db, customer, count) => db.mutation("office:buy", { customer, count });

test("an order, coins and tickets change hands together", async () => {
  const db = await opened();
  await buy(db, "ada", 3);
  assert.deepEqual(await shown(db), {
    left: 2,
    takings: 12,
    coins: 88,
    tickets: 3,
    orders: ["ada: 3"],
  });
});

test("what fails in the second ledger leaves nothing in the first one and in the office", async () => {
  const db = await opened();
  const untouched = await shown(db);
  await assert.rejects(buy(db, "ada", 6), ({ data }) => {
    assert.deepEqual(data, { code: "TooLittle", owner: "office", amount: 5 });
    return true;
  });
  assert.deepEqual(await shown(db), untouched);
  assert.deepEqual(untouched.orders, []);
});

test("what fails in the first ledger leaves nothing either", async () => {
  const db = await opened();
  await assert.rejects(buy(db, "bob", 1), ({ data }) => data.owner === "bob");
  assert.deepEqual(await shown(db, "bob"), {
    left: 5,
    takings: 0,
    coins: 0,
    tickets: 0,
    orders: [],
  });
});

test("the two ledgers know nothing of each other", async () => {
  const db = await opened();
  assert.equal((await shown(db, "office")).coins, 0);
  assert.equal((await shown(db, "ada")).tickets, 0);
});
