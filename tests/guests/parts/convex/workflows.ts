import {
  defineEvent,
  vResultValidator,
  vWorkflowId,
  WorkflowManager,
  type WorkflowId,
} from "@convex-dev/workflow";
import { v } from "convex/values";

import { components, internal } from "./_generated/api";
import { internalMutation, mutation, query } from "./_generated/server";

const workflow = new WorkflowManager(components.workflow, {
  workpoolOptions: {
    maxParallelism: 10,
    defaultRetryBehavior: { maxAttempts: 3, initialBackoffMs: 20, base: 2 },
  },
});

const approval = defineEvent({ name: "approval", validator: v.object({ approved: v.boolean() }) });

/** Steps of every kind: one after another, side by side, tried again, asleep, in line, and one that fails and is caught. */
export const order = workflow
  .define({ args: { name: v.string(), takes: v.optional(v.number()) }, returns: v.string() })
  .handler(async (step, { name, takes }): Promise<string> => {
    const kind = "step";
    const first = await step.runMutation(internal.done.note, { kind, what: `${name} first` });
    const both = await Promise.all([
      step.runAction(internal.done.work, { kind, what: `${name} left`, takes }),
      step.runAction(
        internal.done.work,
        { kind, what: `${name} right`, takes, failures: 1 },
        { retry: true },
      ),
    ]);
    await step.sleep(50);
    let caught = "nothing";
    try {
      await step.runMutation(internal.done.failing, { kind, what: `${name} failing` });
    } catch (error) {
      caught = (error as Error).message.includes("on purpose") ? "failure" : (error as Error).message;
    }
    await step.runMutation(internal.done.note, { kind, what: `${name} inline` }, { inline: true });
    const known = await step.runQuery(internal.done.howOften, { kind, what: `${name} first` });
    const nested: string = await step.runWorkflow(internal.workflows.nested, { name });
    return [first, ...both.map(({ tries }) => tries), caught, known, nested].join(" ");
  });

export const nested = workflow
  .define({ args: { name: v.string() }, returns: v.string() })
  .handler(async (step, { name }): Promise<string> => {
    await step.runMutation(internal.done.note, { kind: "step", what: `${name} nested` });
    return "nested";
  });

/** Waits for somebody's approval. */
export const approved = workflow
  .define({ args: { name: v.string() }, returns: v.boolean() })
  .handler(async (step, { name }): Promise<boolean> => {
    await step.runMutation(internal.done.note, { kind: "step", what: `${name} asked` });
    const { approved } = await step.awaitEvent(approval);
    if (approved) await step.runMutation(internal.done.note, { kind: "step", what: `${name} approved` });
    return approved;
  });

/** Many steps, one after another. */
export const long = workflow
  .define({ args: { name: v.string(), steps: v.number() }, returns: v.number() })
  .handler(async (step, { name, steps }): Promise<number> => {
    let sum = 0;
    for (let at = 0; at < steps; at++) {
      sum += await step.runMutation(internal.done.note, { kind: "step", what: `${name} ${at}` });
    }
    return sum;
  });

/** Fails until it was started again. */
export const fragile = workflow
  .define({ args: { name: v.string() }, returns: v.number() })
  .handler(async (step, { name }): Promise<number> => {
    await step.runMutation(internal.done.note, { kind: "step", what: `${name} before` });
    return (await step.runAction(internal.done.work, { kind: "step", what: `${name} fragile`, failures: 1 }))
      .tries;
  });

const workflows = v.union(v.literal("order"), v.literal("approved"), v.literal("long"), v.literal("fragile"));

export const start = mutation({
  args: { workflow: workflows, args: v.any() },
  handler: async (ctx, { workflow: name, args }): Promise<WorkflowId> =>
    await workflow.start(ctx, internal.workflows[name] as typeof internal.workflows.long, args, {
      onComplete: internal.workflows.completed,
      context: name,
    }),
});

export const completed = internalMutation({
  args: { workflowId: vWorkflowId, result: vResultValidator, context: v.any() },
  handler: async (ctx, { workflowId, result, context }) => {
    await ctx.db.insert("done", { kind: "ended", what: workflowId, value: { context, result } });
  },
});

export const approve = mutation({
  args: { workflowId: vWorkflowId, approved: v.boolean() },
  handler: async (ctx, { workflowId, approved }) =>
    await workflow.sendEvent(ctx, { ...approval, workflowId, value: { approved } }),
});

export const status = query({
  args: { workflowId: vWorkflowId },
  handler: async (ctx, { workflowId }) => await workflow.status(ctx, workflowId),
});

export const steps = query({
  args: { workflowId: vWorkflowId },
  handler: async (ctx, { workflowId }) => {
    const { page } = await workflow.listSteps(ctx, workflowId);
    return page.map(({ name, runResult }) => ({ name, kind: runResult?.kind ?? null }));
  },
});

export const restart = mutation({
  args: { workflowId: vWorkflowId, from: v.number() },
  handler: async (ctx, { workflowId, from }) => await workflow.restart(ctx, workflowId, { from }),
});

export const cancel = mutation({
  args: { workflowId: vWorkflowId },
  handler: async (ctx, { workflowId }) => await workflow.cancel(ctx, workflowId),
});

export const cleanup = mutation({
  args: { workflowId: vWorkflowId },
  handler: async (ctx, { workflowId }) => await workflow.cleanup(ctx, workflowId),
});
