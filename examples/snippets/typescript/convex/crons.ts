// When the snippets' functions are called by the host.

import { cronJobs } from "convex/server";
import { api } from "./_generated/api";

const crons = cronJobs();

crons.daily("fortune of the day", { hourUTC: 6, minuteUTC: 30 }, api.notes.writeFortune);
crons.cron("new week", "0 9 * * mon", api.notes.write, { author: "clock", text: "A new week." });

export default crons;
