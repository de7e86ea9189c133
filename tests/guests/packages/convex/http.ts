// Routes of the package `hono`, as `convex-helpers` joins them.
import { Hono } from "hono";
import { HonoWithConvex, HttpRouterWithHono } from "convex-helpers/server/hono";

import type { ActionCtx } from "./_generated/server";

const app: HonoWithConvex<ActionCtx> = new Hono();

app.get("/items/:id", (context) => context.json({ id: context.req.param("id"), url: context.req.path }));

app.post("/items", async (context) => {
  const item = await context.req.json<{ name: string }>();
  return context.json(item, 201, { "X-Name": item.name });
});

app.onError((error, context) => context.text(`hono says: ${error.message}`, 418));

app.get("/broken", () => {
  throw new Error("on purpose");
});

export default new HttpRouterWithHono(app);
