// Reading documents by id: one at a time, or many with one call of the host.
import { host } from "./host.js";

/** The most that one call of the host is asked for: its answer is one text in the call's memory. */
const IDS_MAX = 256;

/**
 * An id of the host's own tables. Their numbers are below 128, so that the first bit of an id is 0, or, in a component,
 * 2^31 and more: five bytes, of which the first is 0xf0, and the second has its first bit set.
 */
const SYSTEM_ID = /^([0-9a-f]|y[23])/;

/** The documents that are asked for while {@link together} runs; else nothing. */
let waiting;

/** What npm `convex` asks with `1.0/get`: the document or `null`; a promise of it while `together` runs. */
export function getDocument(args, ask) {
  if (args.table?.startsWith("_") === !args.isSystem) throw wrongReader(args.isSystem);
  if (waiting !== undefined) {
    return new Promise((resolve, reject) => waiting.push({ args, ask, resolve, reject }));
  }
  return getOne(args, ask);
}

function getOne({ table, id, isSystem }, ask) {
  const found = ask(() => host.db.get(table ?? undefined, id));
  checkReader(id, isSystem);
  return found ?? null;
}

/** Whether an id, which the host takes for one, is of the tables that the reader is for. */
function checkReader(id, isSystem) {
  if (SYSTEM_ID.test(id) !== isSystem) throw wrongReader(isSystem);
}

function wrongReader(isSystem) {
  return isSystem
    ? new Error("User tables can only be accessed from db.get().")
    : new Error("System tables can only be accessed from db.system.get().");
}

/** Runs `work`, and then reads what it has asked for, with as few calls of the host as may be. */
export function together(work) {
  if (waiting !== undefined) return work();
  waiting = [];
  try {
    return work();
  } finally {
    readWaiting();
    waiting = undefined;
  }
}

/** Reads what waits; before something else is done, so that all happens in the order in which it was asked for. */
export function readWaiting() {
  while (waiting !== undefined && waiting.length > 0) {
    const { table } = waiting[0].args;
    const other = waiting.findIndex(({ args }) => args.table !== table);
    readMany(waiting.splice(0, Math.min(other < 0 ? waiting.length : other, IDS_MAX)));
  }
}

/** Reads documents of one table, or of any if it is not named. */
function readMany(requests) {
  const [{ args, ask }] = requests;
  let documents;
  try {
    const ids = requests.map(({ args }) => args.id);
    documents = ask(() => host.db.getMany(args.table ?? undefined, ids));
  } catch (error) {
    if (requests.length === 1) requests[0].reject(error);
    // Each has an answer of its own, and one of them an error.
    else for (const request of requests) readMany([request]);
    return;
  }
  for (const [i, { args, resolve, reject }] of requests.entries()) {
    try {
      checkReader(args.id, args.isSystem);
      resolve(documents[i]);
    } catch (error) {
      reject(error);
    }
  }
}
