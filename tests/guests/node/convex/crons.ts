import { cronJobs } from "convex/server";

import { internal } from "./_generated/api";

const crons = cronJobs();

crons.interval("note from Node", { hours: 24 }, internal.tools.note, { text: "by cron" });

export default crons;
