import { isObject, type Json } from "./json.js";

/**
 * Adds to a `Connect` message that this client takes patches. Returns `null` for
 * any other message: then it goes out as it is.
 */
export function askForPatches(text: string): string | null {
  if (!text.includes('"Connect"')) {
    return null;
  }
  let message: Json;
  try {
    message = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  if (!isObject(message) || message["type"] !== "Connect") {
    return null;
  }
  return JSON.stringify({ ...message, queryPatches: "rfc6902" });
}
