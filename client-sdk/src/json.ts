/** A JSON value as `JSON.parse` makes it. Never changed in place once it is a base. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A JSON object: not an array, not null. */
export type JsonObject = { readonly [key: string]: Json };

/** Whether `value` is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
