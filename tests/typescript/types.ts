// What the generated files say of a project's functions and tables; the compiler
// is the test. `host test` or `host codegen` has written them before.
import type { FunctionArgs, FunctionReturnType } from "convex/server";
import { api, internal } from "../../examples/snippets/typescript/convex/_generated/api";
import type { Doc, Id } from "../../examples/snippets/typescript/convex/_generated/dataModel";

type Write = FunctionArgs<typeof api.notes.write>;
type Read = FunctionReturnType<typeof api.notes.read>;

const note: Doc<"notes"> = {
  _id: "0" as Id<"notes">,
  _creationTime: 0,
  author: "ada",
  text: "hi",
  stars: 1,
};
const write: Write = { author: note.author, text: note.text };
const read: Read = note;

// @ts-expect-error A field is missing.
const incomplete: Write = { author: "ada" };
// @ts-expect-error There is no such function.
const missing = api.notes.vanish;
// @ts-expect-error There is no such table.
type Nothing = Doc<"nothing">;
// @ts-expect-error The ids of two tables are not the same.
const foreign: Id<"notes"> = "0" as Id<"others">;
// @ts-expect-error A public function is not among the internal ones.
const hidden = internal.notes.write;

export { foreign, hidden, incomplete, missing, read, write };
export type { Nothing };
