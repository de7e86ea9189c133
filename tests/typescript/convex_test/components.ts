/// <reference types="vite/client" />
// The project `tests/guests/components` as `convex-test` runs it: npm's own stand-in for Convex, with components registered.
import aggregate from "@convex-dev/aggregate/test";
import rateLimiter from "@convex-dev/rate-limiter/test";
import { convexTest } from "convex-test";

import { api, components } from "../../guests/components/convex/_generated/api";
import counterSchema from "../../guests/components/convex/counter/schema";
import schema from "../../guests/components/convex/schema";

const modules = import.meta.glob("../../guests/components/convex/**/*.*s");
const counter = import.meta.glob("../../guests/components/convex/counter/**/*.ts");

export { api, components };

/** A fresh database of the project; `without` are components that are not registered. */
export function database(without: string[] = []) {
  const t = convexTest(schema, modules);
  rateLimiter.register(t);
  aggregate.register(t, "scores");
  aggregate.register(t, "totals");
  if (!without.includes("counter")) t.registerComponent("counter", counterSchema, counter);
  return t;
}
