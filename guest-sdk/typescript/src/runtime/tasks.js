// What goes on in the host while an action goes on: the engine waits for the end of a task when all jobs have run.
import { host } from "./host.js";
import { ask, errorOf } from "./host_errors.js";
import { runTimer } from "./web/timers.js";

/** Who waits for the end of a task, by its number. */
const waiters = new Map();

/** Tasks that nobody waits for on their own: they are no reason to go on. */
const asides = new Set();

/**
 * Begins a task, whose number `start` gives. `ended` is a promise of what came of it: bytes, or what their JSON says.
 */
export function begin(start, { isJson = false } = {}) {
  const task = ask(start);
  const ended = new Promise((resolve, reject) => waiters.set(task, { resolve, reject, isJson }));
  return { task, ended };
}

/** Nothing but tasks like this one is no reason to wait, until `isAside` is false. */
export function setAside(task, isAside) {
  if (isAside && waiters.has(task)) asides.add(task);
  else asides.delete(task);
}

/** Whoever waits until nothing else is under way. */
let whenIdle = [];

/** Waits until nothing is under way that somebody waits for. */
export const idle = () => new Promise((resolve) => whenIdle.push(resolve));

/** Gives a task up; who waits for its end is told so by `reason`. */
export function giveUp(task, reason) {
  const waiter = waiters.get(task);
  if (waiter === undefined) return;
  forget(task);
  host.tasks.cancel(task);
  if (reason !== undefined) waiter.reject(reason);
}

function forget(task) {
  waiters.delete(task);
  asides.delete(task);
}

const isJson = (task) => waiters.get(task)?.isJson === true;

function tellIdle() {
  const told = whenIdle;
  whenIdle = [];
  for (const resolve of told) resolve();
  return told.length > 0;
}

/** Waits for something to happen, and tells who waits for it. False: there is nothing under way. */
export function wait() {
  if (runTimer()) return true;
  if (asides.size === waiters.size) return tellIdle();
  const completion = host.tasks.wait(isJson);
  if (completion === undefined) return false;
  const waiter = waiters.get(completion.task);
  forget(completion.task);
  if (completion.error === undefined) waiter?.resolve(completion.value);
  else waiter?.reject(errorOf(completion.error));
  return true;
}
