import { PatchFailed } from "./failure.js";
import { isObject, type Json, type JsonObject } from "./json.js";
import { applyPatch } from "./patch.js";

/** What stands in for a held-back chunk, so that the client sees the server alive. */
const PING = '{"type":"Ping"}';

/**
 * Turns what the server sends on one connection into what an official client
 * understands. Holds the last value of each query, against which patches are
 * applied. Knows nothing of sockets; one connection, one reader.
 */
export class TransitionReader {
  readonly #bases = new Map<unknown, Json>();
  #chunks: Chunks | null = null;

  /**
   * The text to hand to the client for a frame's text: the very same one where
   * nothing needs to change. For a part of a transition whose other parts are
   * still to come it is a `Ping`, and the last part brings the whole.
   *
   * @throws PatchFailed when the connection cannot go on.
   */
  read(text: string): string {
    // Only transitions and their chunks matter here, and both say so in their
    // type; everything else passes without being parsed.
    if (!text.includes('"Transition')) {
      return text;
    }
    const message = parse(text);
    switch (message?.["type"]) {
      case "Transition":
        return this.#readTransition(text, message);
      case "TransitionChunk":
        return this.#readChunk(message);
      default:
        return text;
    }
  }

  #readChunk(chunk: JsonObject): string {
    this.#chunks ??= new Chunks(chunk);
    this.#chunks.push(chunk);
    const whole = this.#chunks.whole();
    if (whole === null) {
      return PING;
    }
    this.#chunks = null;
    const transition = parse(whole);
    if (transition?.["type"] !== "Transition") {
      throw new PatchFailed("the chunks do not make up a transition");
    }
    return this.#readTransition(whole, transition);
  }

  #readTransition(text: string, transition: JsonObject): string {
    if (this.#chunks !== null) {
      throw new PatchFailed("a transition came between the chunks of another");
    }
    const modifications = transition["modifications"];
    if (!Array.isArray(modifications)) {
      return text;
    }
    let patched = false;
    const rewritten = modifications.map((modification) => {
      const result = this.#readModification(modification);
      patched ||= result !== modification;
      return result;
    });
    return patched
      ? JSON.stringify({ ...transition, modifications: rewritten })
      : text;
  }

  #readModification(modification: Json): Json {
    if (!isObject(modification)) {
      return modification;
    }
    const queryId = modification["queryId"];
    switch (modification["type"]) {
      case "QueryUpdated":
        this.#bases.set(queryId, modification["value"] ?? null);
        return modification;
      case "QueryPatched":
        return this.#patch(queryId, modification);
      case "QueryFailed":
      case "QueryRemoved":
        this.#bases.delete(queryId);
        return modification;
      default:
        return modification;
    }
  }

  #patch(queryId: Json | undefined, modification: JsonObject): Json {
    const base = this.#bases.get(queryId);
    if (base === undefined) {
      throw new PatchFailed(`query ${String(queryId)} has no base to patch`);
    }
    const { patch, ...rest } = modification;
    const value = applyPatch(base, patch);
    this.#bases.set(queryId, value);
    return { ...rest, type: "QueryUpdated", value };
  }
}

/** The parts of one transition that have arrived so far, in order, uninterrupted. */
class Chunks {
  readonly #texts: string[] = [];
  readonly #transitionId: Json | undefined;
  readonly #totalParts: Json | undefined;

  constructor(first: JsonObject) {
    this.#transitionId = first["transitionId"];
    this.#totalParts = first["totalParts"];
  }

  push(chunk: JsonObject): void {
    const text = chunk["chunk"];
    if (
      typeof text !== "string" ||
      typeof this.#totalParts !== "number" ||
      chunk["transitionId"] !== this.#transitionId ||
      chunk["totalParts"] !== this.#totalParts ||
      chunk["partNumber"] !== this.#texts.length ||
      this.#texts.length >= this.#totalParts
    ) {
      throw new PatchFailed("a chunk of a transition is out of order");
    }
    this.#texts.push(text);
  }

  whole(): string | null {
    return this.#texts.length === this.#totalParts
      ? this.#texts.join("")
      : null;
  }
}

/** The message in a frame; `undefined` for what is not a JSON object, which is the client's to judge. */
function parse(text: string): JsonObject | undefined {
  try {
    const message = JSON.parse(text) as Json;
    return isObject(message) ? message : undefined;
  } catch {
    return undefined;
  }
}
