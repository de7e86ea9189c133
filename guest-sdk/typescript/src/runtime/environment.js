// `process.env`: the deployment's variables. Each reading asks the host, so that a live query depends on it; what a
// module keeps of it while it is loaded stands in the snapshot, which the host makes anew when that changes.
import { host } from "./host.js";

/** As the bundler puts it in where it is written out. */
const NODE_ENV = "production";

/** Whether a variable that is not there is an error. */
let isRequired = false;

/** Runs `work`, in which a variable that is read and not set is an error that says how to set it. */
export function withVariablesRequired(work) {
  isRequired = true;
  try {
    return work();
  } finally {
    isRequired = false;
  }
}

function requireVariable(name) {
  throw new Error(
    `process.env.${name} is read here and is not set: set it with \`host env set ${name} VALUE\`, and deploy again`,
  );
}

/** Puts `process` in the global scope. */
export function installEnvironment() {
  globalThis.process = { env: environment() };
}

function environment() {
  // What the functions' own code assigned or deleted hides the host's, in this instance.
  const own = new Map();
  const read = (name) => {
    if (own.has(name)) return own.get(name);
    return name === "NODE_ENV" ? NODE_ENV : (host.variables.get(name) ?? undefined);
  };
  const assign = (name, value) => own.set(name, String(value));
  const names = () => {
    const all = new Set(host.variables.names());
    for (const [name, value] of own) value === undefined ? all.delete(name) : all.add(name);
    return [...all];
  };
  return new Proxy(
    {},
    {
      get(target, name) {
        if (typeof name !== "string" || name in target) return target[name];
        const value = read(name);
        return value === undefined && isRequired ? requireVariable(name) : value;
      },
      has: (target, name) => (typeof name === "string" ? read(name) !== undefined : name in target),
      set(target, name, value) {
        if (typeof name !== "string") return Reflect.set(target, name, value);
        assign(name, value);
        return true;
      },
      deleteProperty(target, name) {
        own.set(name, undefined);
        return true;
      },
      defineProperty(target, name, { value }) {
        assign(name, value);
        return true;
      },
      ownKeys: names,
      getOwnPropertyDescriptor(target, name) {
        const value = typeof name === "string" ? read(name) : undefined;
        if (value === undefined) return undefined;
        return { value, writable: true, enumerable: true, configurable: true };
      },
    },
  );
}
