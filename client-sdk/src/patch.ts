import { PatchFailed } from "./failure.js";
import { isObject, type Json, type JsonObject } from "./json.js";
import { parseIndex, parsePointer } from "./pointer.js";

/**
 * One operation of a JSON Patch (RFC 6902). Of the six that the RFC knows, these
 * four travel; `copy` and `test` are refused.
 */
export type Operation =
  | { op: "add"; path: string; value: Json }
  | { op: "remove"; path: string }
  | { op: "replace"; path: string; value: Json }
  | { op: "move"; from: string; path: string };

/**
 * Applies `patch` to `base` and returns the result. `base` is not changed: the
 * containers on the way to a change are copied, each at most once a patch, and
 * everything else is shared between the two.
 *
 * @throws PatchFailed when an operation is malformed or names a place that is not
 * there. Then nothing has happened.
 */
export function applyPatch(base: Json, patch: unknown): Json {
  if (!Array.isArray(patch)) {
    throw new PatchFailed("a patch must be an array");
  }
  const draft = new Draft(base);
  for (const operation of patch) {
    applyOperation(draft, operation);
  }
  return draft.root;
}

function applyOperation(draft: Draft, operation: unknown): void {
  const { op, path, from, value } = readOperation(operation);
  switch (op) {
    case "add":
      return draft.add(parsePointer(path), required(value, op));
    case "remove":
      draft.remove(parsePointer(path));
      return;
    case "replace":
      return draft.replace(parsePointer(path), required(value, op));
    case "move":
      return move(draft, required(from, op), path);
    default:
      throw new PatchFailed(`unknown operation ${JSON.stringify(op)}`);
  }
}

function move(draft: Draft, from: string, path: string): void {
  if (path.startsWith(`${from}/`)) {
    throw new PatchFailed(`cannot move ${from} into itself`);
  }
  const source = parsePointer(from);
  if (from === path) {
    draft.get(source);
    return;
  }
  draft.add(parsePointer(path), draft.remove(source));
}

/** The members an operation may have, checked as far as all operations agree. */
type LooseOperation = {
  op: unknown;
  path: string;
  from: string | undefined;
  value: Json | undefined;
};

function readOperation(operation: unknown): LooseOperation {
  if (!isObject(operation as Json)) {
    throw new PatchFailed("an operation must be an object");
  }
  const { op, path, from, value } = operation as JsonObject;
  if (typeof path !== "string") {
    throw new PatchFailed("an operation must have a path");
  }
  return {
    op,
    path,
    from: typeof from === "string" ? from : undefined,
    value,
  };
}

function required<Member>(member: Member | undefined, op: string): Member {
  if (member === undefined) {
    throw new PatchFailed(`operation ${JSON.stringify(op)} lacks a member`);
  }
  return member;
}

type Container = Json[] | { [key: string]: Json };

/** A value in the course of one patch: copied where it is written, once. */
class Draft {
  root: Json;

  /** The containers that this draft has made itself and may write into. */
  readonly #owned = new Set<unknown>();

  constructor(root: Json) {
    this.root = root;
  }

  get(tokens: string[]): Json {
    let value = this.root;
    for (const token of tokens) {
      value = child(value, token);
    }
    return value;
  }

  add(tokens: string[], value: Json): void {
    const key = tokens.at(-1);
    if (key === undefined) {
      this.root = value;
      return;
    }
    const parent = this.#openParent(tokens);
    if (Array.isArray(parent)) {
      const end = parent.length;
      parent.splice(key === "-" ? end : parseIndex(key, end + 1), 0, value);
    } else {
      setMember(parent, key, value);
    }
  }

  replace(tokens: string[], value: Json): void {
    const key = tokens.at(-1);
    if (key === undefined) {
      this.root = value;
      return;
    }
    const parent = this.#openParent(tokens);
    child(parent, key);
    if (Array.isArray(parent)) {
      parent[parseIndex(key, parent.length)] = value;
    } else {
      setMember(parent, key, value);
    }
  }

  remove(tokens: string[]): Json {
    const key = tokens.at(-1);
    if (key === undefined) {
      throw new PatchFailed("the whole value cannot be removed");
    }
    const parent = this.#openParent(tokens);
    const removed = child(parent, key);
    if (Array.isArray(parent)) {
      parent.splice(parseIndex(key, parent.length), 1);
    } else {
      delete parent[key];
    }
    return removed;
  }

  /** The container that holds the last token's place, made ready for writing. */
  #openParent(tokens: string[]): Container {
    let container = this.#open(this.root);
    this.root = container;
    for (let depth = 0; depth < tokens.length - 1; depth += 1) {
      const token = tokens[depth]!;
      const inner = this.#open(child(container, token));
      if (Array.isArray(container)) {
        container[parseIndex(token, container.length)] = inner;
      } else {
        setMember(container, token, inner);
      }
      container = inner;
    }
    return container;
  }

  #open(value: Json): Container {
    if (this.#owned.has(value)) {
      return value as Container;
    }
    if (typeof value !== "object" || value === null) {
      throw new PatchFailed("a path leads into a value that has no members");
    }
    const copy: Container = Array.isArray(value)
      ? value.slice()
      : { ...(value as JsonObject) };
    this.#owned.add(copy);
    return copy;
  }
}

function child(value: Json, token: string): Json {
  if (Array.isArray(value)) {
    return value[parseIndex(token, value.length)];
  }
  if (isObject(value) && Object.hasOwn(value, token)) {
    return value[token]!;
  }
  throw new PatchFailed(`there is no member ${JSON.stringify(token)}`);
}

/** Plain assignment would call the setter that every object has for `__proto__`. */
function setMember(
  object: { [key: string]: Json },
  key: string,
  value: Json,
): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  } else {
    object[key] = value;
  }
}
