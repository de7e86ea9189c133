// What Weir has beyond npm `convex`.

const runtime = Symbol.for("weir.runtime");

/** The host's short name (`InvalidId`, `NotFound`, ...) of an error that it gave in this call. */
export function errorCode(error) {
  if (!(error instanceof Error)) return undefined;
  return globalThis[runtime]?.codeOfMessage(error.message);
}
