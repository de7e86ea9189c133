// What is made of `convex/auth.config.ts`.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { describeAuth } from "../src/runtime/auth_config.js";
import { installEnvironment } from "../src/runtime/environment.js";
import { withHost } from "../src/runtime/host.js";

const file = "convex/auth.config.ts";
const node = globalThis.process;
before(() => installEnvironment());
after(() => (globalThis.process = node));

/** The parts of the manifest, for a file that exports what `config` gives. */
const describe = (config, variables = {}) => {
  const host = { variables: { get: (name) => variables[name], names: () => Object.keys(variables) } };
  return withHost(host, () => describeAuth({ file, load: () => ({ default: config() }) }));
};

test("the default export is passed on as data", async () => {
  const { env } = globalThis.process;
  const set = { keys: [] };
  const config = () => ({
    providers: [
      { domain: `https://${env.DOMAIN}`, applicationID: "app" },
      { type: "customJwt", issuer: "me", jwks: set, algorithm: "ES256", applicationID: undefined },
    ],
  });
  assert.deepEqual(await describe(config, { DOMAIN: "a.example" }), {
    authFile: file,
    auth: {
      providers: [
        { domain: "https://a.example", applicationID: "app" },
        { type: "customJwt", issuer: "me", jwks: set, algorithm: "ES256" },
      ],
    },
  });
});

const MISSHAPEN = {
  "it has no default export": () => undefined,
  "its default export is null": () => null,
  "its default export is an array": () => [],
  "its default export is a function": () => () => ({ providers: [] }),
  "its default export has a field `provider`": () => ({ provider: [] }),
  "`providers` of its default export is undefined": () => ({}),
  "`providers` of its default export is an object": () => ({ providers: {} }),
  "`providers[0]` is a string": () => ({ providers: ["secret"] }),
  "`providers[1].domain` is a number": () => ({ providers: [{}, { domain: 7 }] }),
  "`providers[0].applicationID` is null": () => ({ providers: [{ applicationID: null }] }),
  "`providers[0].issuer` is an object": () => ({ providers: [{ issuer: { secret: 1 } }] }),
  "`providers[0].jwks` is an array": () => ({ providers: [{ jwks: [] }] }),
};

for (const [expected, config] of Object.entries(MISSHAPEN)) {
  test(`an error: ${expected}`, async () => {
    const { auth, authFile, authError } = await describe(config);
    assert.deepEqual([auth, authFile], [undefined, file]);
    assert.ok(authError.startsWith(`${expected}; write `), authError);
    assert.ok(!authError.includes("secret"), authError);
  });
}

test("a variable that is not set is an error that says how to set it", async () => {
  const { env } = globalThis.process;
  const { authError } = await describe(() => ({ providers: [{ domain: env.DOMAIN ?? "a.example" }] }), {
    A: "1",
  });
  assert.ok(
    authError.startsWith(
      "Error: process.env.DOMAIN is read here and is not set: set it with `host env set DOMAIN VALUE`",
    ),
    authError,
  );
  const asked = () => ({ providers: "DOMAIN" in env ? [{ domain: env.DOMAIN, applicationID: "app" }] : [] });
  assert.deepEqual((await describe(asked)).auth, { providers: [] });
  assert.equal(env.NODE_ENV, "production");
  assert.equal(await withHost({ variables: { get: () => undefined } }, () => env.DOMAIN), undefined);
});

test("what the file throws is told", async () => {
  const thrown = (error) =>
    describe(() => {
      throw error;
    });
  assert.ok((await thrown(new TypeError("no way"))).authError.startsWith("TypeError: no way"));
  assert.equal((await thrown("text")).authError, "text");
});
