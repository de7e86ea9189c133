// A list of things to do, the same for everyone who looks at it.

import { Doc, Id, index, MutationCtx, QueryCtx } from "@weir/assemblyscript";

@document("todos")
class Todo {
  text: string;
  done: bool;
}

const byDone = index<Todo>("by_done", ["done"]);

/** Everything on the list, the oldest first: `todos:list {}`. */
@query
export function list(ctx: QueryCtx): Doc<Todo>[] {
  return ctx.db.query<Todo>("todos").collect();
}

/** Puts something on the list: `todos:add {text}`. */
@mutation
export function add(ctx: MutationCtx, text: string): Id<Todo> {
  text = text.trim();
  if (text.length == 0) throw new Error("write what is to do");
  return ctx.db.insert<Todo>("todos", { text, done: false });
}

/** Marks something as done, or as not done after all: `todos:toggle {id}`. */
@mutation
export function toggle(ctx: MutationCtx, id: Id<Todo>): void {
  const todo = ctx.db.get(id);
  if (!todo) throw new Error("this is no longer on the list");
  ctx.db.patch(id, { done: !todo.done });
}

/** Takes off the list what is done, and says how many that were: `todos:clearDone {}`. */
@mutation
export function clearDone(ctx: MutationCtx): i32 {
  const done = ctx.db.query<Todo>("todos").withIndex(byDone.eq(true)).collect();
  for (let i = 0; i < done.length; i++) ctx.db.delete(done[i]._id);
  return done.length;
}
