import { cronJobs } from "convex/server";

import { internal } from "./_generated/api";

const crons = cronJobs();
crons.interval("tidy", { hours: 1 }, internal.counts.tidy);

export default crons;
