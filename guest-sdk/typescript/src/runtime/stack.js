// Stack traces that point into the user's source.
import * as engine from "weir:engine";

import { SourceMap } from "./source_map.js";

/** The bundle's name in the engine's own traces. */
export const BUNDLE_NAME = "weir-bundle.js";

/** Sources between the host and the user's function, which say nothing to the user. */
const INTERNAL = /^weir:|node_modules\/(convex|@weir\/typescript)\//;

/** A recursion without end has hundreds, all alike. */
const FRAMES_MAX = 16;

let sourceMap;

/** Keeps the source map of the bundle. */
export function setSourceMap(text) {
  sourceMap = new SourceMap(text);
}

/** Lets `error.stack` say what {@link describeStack} does: the engine asks when that is read. */
export function installStack() {
  engine.mapFrames((frames) => shown(mapped(frames)));
}

/** `TypeError: message` and the frames below it. */
export function describeError(error) {
  return title(error) + describeStack(error) + describeCause(error);
}

/** The error's name and message; its message alone if it is a plain `Error`. */
export function messageOf(thrown) {
  if (!(thrown instanceof Error))
    return typeof thrown === "string" ? thrown || "an empty text" : describeThrown(thrown);
  const name = nameOf(thrown);
  const message = String(thrown.message);
  if (name === "Error" || name === "ConvexError") return message;
  return message === "" ? name : `${name}: ${message}`;
}

function describeThrown(thrown) {
  try {
    return (JSON.stringify(thrown) ?? String(thrown)) || "an error without a message";
  } catch {
    return String(thrown);
  }
}

function nameOf(error) {
  return typeof error.name === "string" && error.name !== "" ? error.name : "Error";
}

function title(error) {
  const message = String(error.message);
  return message === "" ? nameOf(error) : `${nameOf(error)}: ${message}`;
}

/** A message without the places that {@link describeStack} put below it: those of a function that was called. */
export const withoutStack = (message) => message.replace(/(\n    (at |\.\.\. ).*)+$/, "");

/** What led to the error, if it says. */
export function describeCause(error) {
  if (!(error.cause instanceof Error) || error.cause === error) return "";
  return `\n  cause: ${title(error.cause)}${describeStack(error.cause)}`;
}

/** The frames that are of the user's project or its packages, one a line, without the first `skip`. */
export function describeStack(error, skip = 0) {
  const frames = mapped(engine.framesOf?.(error) ?? String(error.stack ?? ""));
  const first = frames.slice(skip, skip + FRAMES_MAX);
  const more = frames.length - skip - first.length;
  if (more > 0) first.push(`... ${more} more`);
  return shown(first);
}

const shown = (frames) => frames.map((frame) => `\n    at ${frame}`).join("");

const mapped = (frames) =>
  frames
    .split("\n")
    .map(frame)
    .filter((frame) => frame !== undefined);

/** A line of the engine, `    at name (file:line:column)`, as a line of the source; nothing if it is the runtime's own. */
function frame(line) {
  const match = /^ +at (?:(.*) \()?([^()]*?):(\d+):(\d+)\)?$/.exec(line);
  if (match === null || !match[2].includes(BUNDLE_NAME)) return undefined;
  const position = sourceMap?.find(Number(match[3]), Number(match[4]));
  if (position === undefined || INTERNAL.test(position.source)) return undefined;
  const place = `${position.source}:${position.line}:${position.column}`;
  const name = match[1] === undefined || match[1] === "<anonymous>" ? "" : match[1];
  return name === "" ? place : `${name} (${place})`;
}
