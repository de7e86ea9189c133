// Actions that wait.
import { v } from "convex/values";

import { action } from "./_generated/server.js";

declare function setImmediate(callback: () => void): number;

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits of these lengths at the same time: how long they took, by three clocks. */
export const together = action({
  args: { each: v.array(v.number()) },
  handler: async (ctx, { each }) => {
    const [date, clock] = [Date.now(), performance.now()];
    await Promise.all(each.map(sleep));
    return [Date.now() - date, performance.now() - clock, Date.now() - performance.timeOrigin];
  },
});

/** In which order timers come, with the jobs of each before the next one. */
export const order = action({
  args: {},
  handler: async () => {
    const log: string[] = [];
    const add = (text: string) => () => void log.push(text);
    const wait = sleep(120);
    setTimeout(add("60"), 60);
    setTimeout(add("20 a"), 20);
    setTimeout((a: string, b: string) => log.push(a + b), 20, "20", " b");
    setTimeout(() => {
      log.push("0");
      void Promise.resolve().then(add("a job of 0"));
    });
    setTimeout(add("also 0"), 0);
    setImmediate(add("immediate"));
    queueMicrotask(add("microtask"));
    clearTimeout(setTimeout(add("never"), 5));
    clearTimeout(undefined);
    clearTimeout(12345);
    let times = 0;
    const interval = setInterval(() => {
      log.push("interval");
      if (++times === 3) clearInterval(interval);
    }, 30);
    setTimeout(() => {
      throw new Error("of a timer");
    }, 10);
    await wait;
    return log;
  },
});

/** A timer that begins again and again does not keep others from what they wait for. */
export const fair = action({
  args: {},
  handler: async () => {
    let turns = 0;
    let isOver = false;
    const again = () => {
      turns++;
      const until = Date.now() + 2;
      while (Date.now() < until);
      if (!isOver) setTimeout(again, 0);
    };
    again();
    const text = await (await fetch("http://web/slow?ms=30")).text();
    isOver = true;
    return [text, turns > 1];
  },
});

export const never = action({ args: {}, handler: () => new Promise(() => {}) });

export const cancelled = action({
  args: {},
  handler: () =>
    new Promise((resolve) => {
      clearTimeout(setTimeout(resolve, 10));
    }),
});

/** `Date.now()` goes on while the function computes, too. */
export const computing = action({
  args: {},
  handler: async () => {
    const before = Date.now();
    let reads = 0;
    while (Date.now() - before < 20) reads++;
    const mark = performance.mark("a");
    await sleep(20);
    const { duration } = performance.measure("b", "a");
    console.time("timed");
    await sleep(20);
    console.timeEnd("timed");
    return [reads > 0, duration >= 19 && duration < 2000, mark.startTime >= 19];
  },
});

export const timeout = action({
  args: {},
  handler: async () => {
    const signal = AbortSignal.timeout(20);
    const before = [signal.aborted];
    await sleep(60);
    return [...before, signal.aborted, signal.reason.name, signal.reason instanceof DOMException];
  },
});
