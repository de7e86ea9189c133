// What `convex/auth.config.ts` says of who may vouch for users. It is evaluated when the module describes itself, at
// deployment, with the deployment's variables: never at a call, and never while the project is built.
import { withVariablesRequired } from "./environment.js";
import { describeError, messageOf } from "./stack.js";

/** The parts of the manifest that say it, or why it cannot be said; of `{file, load}`, where `load` runs the file. */
export function describeAuth({ file, load }) {
  try {
    return { authFile: file, auth: read(withVariablesRequired(load)) };
  } catch (error) {
    return { authFile: file, authError: explain(error) };
  }
}

/** What is wrong with what the file says, in words that need no place in it. */
class Misshapen extends Error {}

function explain(error) {
  if (error instanceof Misshapen) return error.message;
  return error instanceof Error ? describeError(error) : messageOf(error);
}

/** The default export, as plain data. Whether its providers make sense the host says. */
function read({ default: config }) {
  const write = "write `export default { providers: [{ domain: ..., applicationID: ... }] }`";
  if (config === undefined) throw new Misshapen(`it has no default export; ${write}`);
  if (!isObject(config)) throw new Misshapen(`its default export is ${nameOf(config)}; ${write}`);
  for (const key of Object.keys(config)) {
    if (key !== "providers") throw new Misshapen(`its default export has a field \`${key}\`; ${write}`);
  }
  if (!Array.isArray(config.providers)) {
    throw new Misshapen(`\`providers\` of its default export is ${nameOf(config.providers)}; ${write}`);
  }
  return { providers: config.providers.map(readProvider) };
}

function readProvider(provider, i) {
  const place = `\`providers[${i}]\``;
  if (!isObject(provider)) {
    throw new Misshapen(
      `${place} is ${nameOf(provider)}; write an object, such as { domain, applicationID }`,
    );
  }
  const fields = {};
  for (const [name, value] of Object.entries(provider)) {
    // As in a spread of options: not there.
    if (value === undefined) continue;
    if (typeof value !== "string" && !(name === "jwks" && isObject(value))) {
      throw new Misshapen(`\`providers[${i}].${name}\` is ${nameOf(value)}; write a text`);
    }
    fields[name] = value;
  }
  return fields;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What kind of value something is: a value itself may be a secret. */
function nameOf(value) {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  return { object: "an object", undefined: "undefined" }[typeof value] ?? `a ${typeof value}`;
}
