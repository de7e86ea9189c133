// What npm `convex` calls functions, times and operations, in the host's terms. Also of actions that run in Node.

/** `chat:send`, of what npm `convex` knows of a function. */
export function functionPathOf({ name, functionHandle, reference }) {
  if (functionHandle !== undefined) return functionHandle.slice("function://".length);
  if (name === undefined) throw unsupported(`a call of the component function ${reference}`);
  const [module, member = "default"] = name.split(":");
  return `${module.replace(/\.js$/, "")}:${member}`;
}

/** A time in seconds, as npm `convex` gives it: in milliseconds, which are whole if they were before. */
export const millisOf = (seconds) => (typeof seconds === "number" ? Math.round(seconds * 1e6) / 1e3 : NaN);

/** The error of what this host does not have yet. */
export function unsupported(what) {
  return new Error(`${what} is not supported by Weir yet`);
}

/** What operations are part of that this host does not have yet. */
const UNSUPPORTED = [
  [/^1\.0\/storage(Store|Get)$/, "ctx.storage.store and ctx.storage.get in a mutation (use an action)"],
  [/^1\.0\/actions\/vectorSearch$/, "ctx.vectorSearch"],
];

/** The name that a function's source has for an operation. */
export const featureOf = (name) =>
  UNSUPPORTED.find(([operations]) => operations.test(name))?.[1] ?? `the operation ${name} of npm convex`;
