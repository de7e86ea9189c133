// What npm `convex` calls functions, times and operations, in the host's terms. Also of actions that run in Node.

/** What npm `convex` writes before the path of a function of a component that is mounted. */
const CHILD = "_reference/childComponent/";
/** What a handle begins with. */
const HANDLE = "function://";

/**
 * The path by which the host calls a function, of what npm `convex` knows of it: `chat:send`, or as it is a handle or the
 * reference to a function of a component.
 */
export function functionPathOf({ name, functionHandle, reference }) {
  if (functionHandle !== undefined) return functionHandle;
  if (name === undefined) {
    if (String(reference).startsWith(CHILD)) return reference;
    throw unsupported(`a call of the function ${reference}`);
  }
  // What `makeFunctionReference` was given.
  if (name.startsWith(HANDLE) || name.startsWith(CHILD)) return name;
  const colon = name.indexOf(":");
  const module = colon < 0 ? name : name.slice(0, colon);
  const member = colon < 0 ? ":default" : name.slice(colon);
  return (module.endsWith(".js") ? module.slice(0, -".js".length) : module) + member;
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
  [/^1\.0\/getTransactionMetrics$/, "ctx.meta.getTransactionMetrics in an action, which has no transaction,"],
  [/^1\.0\/getSnapshotTs$/, "ctx.meta.getSnapshotTs"],
  [/^1\.0\/getDeploymentMetadata$/, "ctx.meta.getDeploymentMetadata"],
  [/^1\.0\/auditLog$/, "log.audit"],
  [/^1\.0\/(createServiceToken|getServiceUrl)$/, "a service that Convex runs"],
];

/** The name that a function's source has for an operation. */
export const featureOf = (name) =>
  UNSUPPORTED.find(([operations]) => operations.test(name))?.[1] ?? `the operation ${name} of npm convex`;
