// `cronJobs()` of npm `convex`, and what the host is told of it.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  actionGeneric,
  cronJobs,
  internalMutationGeneric,
  makeFunctionReference,
  queryGeneric,
} from "convex/server";

import { manifest, problems, registerModules } from "../src/runtime/functions.js";

const ref = makeFunctionReference;

/** What a project with these cron jobs says, or what is wrong with it. */
function project(crons, exported = { default: crons }) {
  problems.length = 0;
  registerModules({
    crons: { exports: exported, file: "convex/crons.ts", lines: { default: 9, late: 7 } },
  });
  return problems.length > 0 ? [...problems] : manifest().crons;
}

registerModules({
  jobs: {
    exports: {
      clear: internalMutationGeneric(() => null),
      send: actionGeneric(() => null),
      list: queryGeneric(() => null),
      default: internalMutationGeneric(() => null),
    },
    file: "convex/jobs.ts",
    lines: {},
  },
});

test("each kind of schedule stands in the manifest as it was written", () => {
  const crons = cronJobs();
  crons.interval("every", { minutes: 2 }, ref("jobs:clear"), { n: 5n });
  crons.hourly("hourly", ref("jobs:clear"));
  crons.hourly("at five", { minuteUTC: 5 }, ref("jobs:clear"));
  crons.daily("daily", { hourUTC: 17, minuteUTC: 30 }, ref("jobs:send"), {});
  crons.weekly("weekly", { dayOfWeek: "monday", hourUTC: 1 }, "jobs:clear");
  crons.monthly("monthly", { day: 31, hourUTC: 0, minuteUTC: 0 }, ref("jobs:default"));
  crons.cron("expression", "0 16 1 * *", ref("jobs"));
  const clear = (name, schedule, args = {}) => ({ name, schedule, function: "jobs:clear", args: [args] });
  assert.deepEqual(project(crons), [
    clear("every", { type: "interval", minutes: 2 }, { n: { $integer: "BQAAAAAAAAA=" } }),
    clear("hourly", { type: "hourly" }),
    clear("at five", { type: "hourly", minuteUTC: 5 }),
    { ...clear("daily", { type: "daily", hourUTC: 17, minuteUTC: 30 }), function: "jobs:send" },
    clear("weekly", { type: "weekly", dayOfWeek: "monday", hourUTC: 1 }),
    {
      ...clear("monthly", { type: "monthly", day: 31, hourUTC: 0, minuteUTC: 0 }),
      function: "jobs:default",
    },
    { ...clear("expression", { type: "cron", cron: "0 16 1 * *" }), function: "jobs:default" },
  ]);
});

test("what cannot be called is refused with file and line", () => {
  const withJob = (path) => {
    const crons = cronJobs();
    crons.cron("job", "* * * * *", ref(path));
    return project(crons);
  };
  assert.deepEqual(withJob("jobs:gone"), [
    "convex/crons.ts:9: the cron job `job`: there is no function `jobs:gone`",
  ]);
  assert.match(withJob("jobs:list")[0], /`jobs:list` is of the kind `query`, not `mutation` or `action`/);
  assert.match(project(1)[0], /^convex\/crons\.ts:9: its default export must be what `cronJobs\(\)` gives/);
  const late = project(undefined, { default: cronJobs(), late: cronJobs() });
  assert.deepEqual(late, [
    "convex/crons.ts:7: `late` is cron jobs, which are the default export of `convex/crons.ts`",
  ]);
});
