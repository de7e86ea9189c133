// Lets Node load the runtime: what it imports from the host is empty, and a test
// puts a host of its own in its place.
import { register } from "node:module";

const hooks = `export function resolve(name, context, next) {
  return name.startsWith("weir:") ? { url: "data:text/javascript,", shortCircuit: true } : next(name, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
