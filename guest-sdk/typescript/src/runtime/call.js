// The action that runs, if one does. In a query or a mutation nothing is written here, which would cost it a page.
import * as engine from "weir:engine";

import { host } from "./host.js";

export const call = {
  /** The path of its function. */
  path: "",
  /** Whether it is an action: time goes on in it, and it may wait for the world. */
  isAction: false,
  /** When it began, in milliseconds. */
  began: 0,
};

/** Begins an action: time goes on from now. */
export function beginAction(path) {
  engine.goOn();
  Object.assign(call, { path, isAction: true, began: host.context.now() });
}

/** How long the call goes on, in milliseconds: no time passes in a query or a mutation. */
export const elapsed = () => (call.isAction ? host.context.now() - call.began : 0);

/** Refuses, outside of an action, what only an action can do. */
export function requireAction(what, why) {
  if (call.isAction) return;
  const instead = "do it in an action, which clients call and mutations schedule";
  throw new Error(`${what}, and a query or a mutation cannot: ${why}; ${instead}`);
}
