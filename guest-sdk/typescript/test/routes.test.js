// The routes of a router, and the functions that they have.
import assert from "node:assert/strict";
import { test } from "node:test";

import { httpActionGeneric, httpRouter, HttpRouter } from "convex/server";

import { routesOf } from "../src/runtime/routes.js";

const action = () => httpActionGeneric(async () => new Response());

/** The routes of a router; each name that is proposed is a path. */
const of = (router) => routesOf(router, (name) => `http:${name}`);

test("exact paths and prefixes have functions of readable names, in an order that does not depend on the file's", () => {
  const router = httpRouter();
  router.route({ pathPrefix: "/files/", method: "GET", handler: action() });
  router.route({ path: "/b", method: "POST", handler: action() });
  router.route({ path: "/b", method: "GET", handler: action() });
  router.route({ path: "/", method: "GET", handler: action() });
  router.route({ pathPrefix: "/", method: "GET", handler: action() });
  router.route({ path: "/a b/*", method: "PUT", handler: action() });
  router.route({ path: `/${"long/".repeat(30)}`, method: "GET", handler: action() });
  assert.deepEqual(of(router), [
    { method: "GET", path: "/", function: "http:GET_root" },
    { method: "PUT", path: "/a b/*", function: "http:PUT_a_b" },
    { method: "GET", path: "/b", function: "http:GET_b" },
    { method: "POST", path: "/b", function: "http:POST_b" },
    {
      method: "GET",
      path: `/${"long/".repeat(30)}`,
      function: `http:GET_${"long_".repeat(12)}`.slice(0, 65),
    },
    { method: "GET", pathPrefix: "/", function: "http:GET_all" },
    { method: "GET", pathPrefix: "/files/", function: "http:GET_files_all" },
  ]);
});

test("a handler that is no HTTP action is refused with its route", () => {
  const router = httpRouter();
  router.route({ path: "/a", method: "GET", handler: () => new Response() });
  assert.throws(() => of(router), /the handler of GET \/a is not an HTTP action; make one with `httpAction`/);
});

test("a router that extends npm convex's is asked for each request", async () => {
  class Router extends HttpRouter {
    lookup = (path, method) =>
      path === "/own" ? [{ invokeHttpAction: async () => `${method} ${path}` }] : null;
  }
  let answer;
  const routes = routesOf(new Router(), (name, { invokeHttpAction }) => {
    answer = invokeHttpAction;
    return `http:${name}`;
  });
  assert.equal(routes.length, 6);
  assert.deepEqual(routes[0], { method: "GET", pathPrefix: "/", function: "http:router" });
  assert.equal(await answer(new Request("http://h/own", { method: "POST" })), "POST /own");
  const missing = await answer(new Request("http://h/other"));
  assert.deepEqual([missing.status, await missing.text()], [404, "No HttpAction routed for /other"]);
});
