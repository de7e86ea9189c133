// The host's functions, behind one object, so that a warm-up at build time can
// put another one in its place.
import * as engine from "weir:engine";

/** What the syscalls, the clock and the console reach the host through. */
export const host = {
  auth: engine.auth,
  calls: engine.calls,
  context: engine.context,
  crypto: engine.crypto,
  db: engine.db,
  http: engine.http,
  log: engine.log,
  scheduler: engine.scheduler,
  storage: engine.storage,
  streams: engine.streams,
  tasks: engine.tasks,
  variables: engine.variables,
  webCrypto: engine.webCrypto,
  /** A module is being loaded: no function is called, and what is random is no secret. */
  isLoading: false,
};

/** Puts another host, or parts of one, in the place of the host. */
export function putHost(other) {
  Object.assign(host, other);
}

/** Runs `work` with another host, which may lack what `work` does not use. */
export async function withHost(other, work) {
  const before = { ...host };
  putHost(other);
  try {
    return await work();
  } finally {
    Object.assign(host, before);
  }
}
