// What Node makes of all programs, as JSON: `{answers: {name: text}, different: {name: why}}`.
import { outcome } from "../show.js";
import { different } from "./different.js";
import { programs } from "./programs.js";

const answers = {};
for (const [name, program] of Object.entries(programs)) answers[name] = await outcome(program);
console.log(JSON.stringify({ answers, different }));
