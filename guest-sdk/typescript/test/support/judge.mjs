// What Node answers, for a host that runs the programs itself (`tests/conformance/tests/programs.rs`).
//
//   node judge.mjs                 prints {expected: {NAME: OUTCOME}, made: {NAME: TEXT}}
//   node judge.mjs check < MADE    says of each text that the host has made whether it is right: {NAME: BOOLEAN}
import { readFileSync } from "node:fs";

import { DIFFERENT } from "../programs/different.js";
import { exchanges, programs } from "../programs/programs.js";
import { outcome } from "../programs/show.js";

async function each(object, work) {
  const found = {};
  for (const [name, value] of Object.entries(object)) found[name] = await work(name, value);
  return found;
}

const answer = {
  answers: async () => ({
    expected: await each(programs, (name, program) => DIFFERENT[name]?.engine ?? outcome(program)),
    made: await each(exchanges, (name, { make }) => make()),
  }),
  check: () => each(JSON.parse(readFileSync(0, "utf8")), (name, made) => exchanges[name].check(made)),
};

process.stdout.write(JSON.stringify(await answer[process.argv[2] ?? "answers"]()));
