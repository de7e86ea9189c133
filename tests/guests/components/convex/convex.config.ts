import aggregate from "@convex-dev/aggregate/convex.config.js";
import rateLimiter from "@convex-dev/rate-limiter/convex.config";
import { defineApp } from "convex/server";
import { v } from "convex/values";

import counter from "./counter/convex.config";

const app = defineApp({ env: { COUNTER_STEP: v.optional(v.string()) } });
app.use(rateLimiter);
app.use(aggregate, { name: "scores" });
app.use(aggregate, { name: "totals" });
app.use(counter, { httpPrefix: "/counter", env: { STEP: app.env.COUNTER_STEP } });

export default app;
