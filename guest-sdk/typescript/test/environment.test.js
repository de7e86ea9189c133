import assert from "node:assert/strict";
import { test } from "node:test";

import { installEnvironment } from "../src/runtime/environment.js";
import { withHost } from "../src/runtime/host.js";

/** `process.env` over a host that has these variables, and what the host was asked for. */
async function over(variables, work) {
  const node = globalThis.process;
  const asked = [];
  const host = {
    variables: {
      get: (name) => (asked.push(name), variables[name]),
      names: () => (asked.push("*"), Object.keys(variables)),
    },
  };
  try {
    installEnvironment();
    const { env } = globalThis.process;
    return await withHost(host, () => work(env, asked));
  } finally {
    globalThis.process = node;
  }
}

test("each reading asks the host", () =>
  over({ KEY: "1", EMPTY: "" }, (env, asked) => {
    assert.equal(env.KEY, "1");
    assert.equal(env["KEY"], "1");
    assert.equal(env.EMPTY, "");
    assert.equal(env.ABSENT, undefined);
    assert.equal("KEY" in env, true);
    assert.equal("ABSENT" in env, false);
    assert.equal(Object.hasOwn(env, "EMPTY"), true);
    const { KEY, OTHER = "default" } = env;
    assert.deepEqual([KEY, OTHER], ["1", "default"]);
    assert.deepEqual(asked, ["KEY", "KEY", "EMPTY", "ABSENT", "KEY", "ABSENT", "EMPTY", "KEY", "OTHER"]);
  }));

test("all of them can be listed", () =>
  over({ A: "1", B: "2" }, (env) => {
    assert.deepEqual(Object.keys(env), ["A", "B"]);
    assert.deepEqual({ ...env }, { A: "1", B: "2" });
    assert.equal(JSON.stringify(env), '{"A":"1","B":"2"}');
  }));

test("what is assigned hides the host's", () =>
  over({ A: "1", B: "2" }, (env) => {
    env.A = 7;
    env.C ??= "3";
    delete env.B;
    assert.deepEqual({ ...env }, { A: "7", C: "3" });
    assert.deepEqual([env.A, env.B, env.C], ["7", undefined, "3"]);
    Object.assign(env, { B: "again" });
    assert.equal(env.B, "again");
  }));

test("what every object has is not asked for", () =>
  over({}, (env, asked) => {
    assert.equal(typeof env.hasOwnProperty, "function");
    assert.equal(String(env), "[object Object]");
    assert.equal(env[Symbol.iterator], undefined);
    assert.equal(env.NODE_ENV, "production");
    assert.deepEqual(asked, []);
  }));
