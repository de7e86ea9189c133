// Timers, as the HTML standard says, of which one task of the host is the clock. They are for actions.
import { requireAction } from "../call.js";
import { host } from "../host.js";
import { begin, giveUp } from "../tasks.js";
import { define } from "./define.js";

/** Timers that run, in the order in which they are due. */
let running = [];
/** Timers whose time has come, and whose functions are called one by one, with all their jobs in between. */
let due = [];
/** The task that ends when the first one is due: `{task, at}`. */
let clock;
let last = 0;

function start({ name, callback, delay, args, isRepeated }) {
  requireAction(`${name} waits`, "it ends at one moment");
  if (typeof callback !== "function") throw new TypeError(`${name}: its first argument must be a function`);
  // What is too long for 32 bits is no time at all, as everywhere.
  const timer = { id: ++last, name, callback, args, isRepeated, delay: Math.max(delay | 0, 0) };
  run(timer);
  return timer.id;
}

function run(timer) {
  // A repeated one leaves time for others.
  timer.at = host.context.now() + Math.max(timer.delay, timer.isRepeated ? 1 : 0);
  running.splice(running.findLastIndex(({ at }) => at <= timer.at) + 1, 0, timer);
  setClock();
}

function setClock() {
  const at = running[0]?.at;
  if (clock?.at === at) return;
  if (clock !== undefined) giveUp(clock.task);
  clock = undefined;
  if (at === undefined) return;
  const { task, ended } = begin(() => host.tasks.sleep(Math.max(at - host.context.now(), 0)));
  clock = { task, at };
  void ended.then(() => {
    clock = undefined;
    while (running[0]?.at <= at) due.push(running.shift());
    setClock();
  });
}

/** Calls the function of a timer whose time has come, if there is one. */
export function runTimer() {
  const timer = due.shift();
  if (timer === undefined) return false;
  if (timer.isRepeated) run(timer);
  try {
    timer.callback.apply(globalThis, timer.args);
  } catch (error) {
    console.error(`Uncaught (in ${timer.name})`, error);
  }
  return true;
}

/** Stops a timer; it may have come to its end, or be none. */
function stop(id) {
  const isOther = (timer) => timer.id !== Number(id);
  due = due.filter(isOther);
  running = running.filter(isOther);
  setClock();
}

/** Calls a function after so many milliseconds. */
export const setTimer = (name, callback, delay) => start({ name, callback, delay, args: [] });

/** Puts timers in the global scope. */
export function installTimers() {
  const timer =
    (name, isRepeated) =>
    (callback, delay, ...args) =>
      start({ name, callback, delay, args, isRepeated });
  define("setTimeout", timer("setTimeout", false));
  define("setInterval", timer("setInterval", true));
  define("setImmediate", (callback, ...args) => start({ name: "setImmediate", callback, delay: 0, args }));
  for (const name of ["clearTimeout", "clearInterval", "clearImmediate"]) {
    define(name, (id) => {
      if (running.length + due.length > 0) stop(id);
    });
  }
}
