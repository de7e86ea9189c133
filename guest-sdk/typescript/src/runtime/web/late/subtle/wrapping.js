// `wrapKey` and `unwrapKey`: a key that is exported and encrypted in one go, and the way back.
import { requireArguments } from "../../crypto_arguments.js";
import { normalized } from "./algorithms.js";
import { applied } from "./encryption.js";
import { wrongData } from "./errors.js";
import { exported, formatOf, imported } from "./formats.js";
import { usagesOf } from "./keys.js";

export async function wrapKey(...args) {
  requireArguments("wrapKey", args, 4);
  const [givenFormat, key, wrappingKey, given] = args;
  const algorithm = normalized("wrapKey", given);
  const format = formatOf(givenFormat);
  const form = exported(format, key);
  const bytes = format === "jwk" ? new TextEncoder().encode(JSON.stringify(form)) : form;
  return applied("encrypt", "wrapKey", algorithm, wrappingKey, bytes).buffer;
}

export async function unwrapKey(...args) {
  requireArguments("unwrapKey", args, 7);
  const [givenFormat, wrapped, wrappingKey, given, givenType, extractable, givenUsages] = args;
  const format = formatOf(givenFormat);
  const algorithm = normalized("wrapKey", given);
  const type = normalized("importKey", givenType);
  const usages = usagesOf(givenUsages);
  const bytes = applied("decrypt", "unwrapKey", algorithm, wrappingKey, wrapped);
  return imported(format, format === "jwk" ? jwkOf(bytes) : bytes, type, Boolean(extractable), usages);
}

function jwkOf(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return wrongData("what was unwrapped is no JWK");
  }
}
