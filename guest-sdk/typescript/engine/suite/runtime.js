// Around each program of the suite, in every engine alike: gives it `print` and a few functions, and what it has printed
// to whoever runs it. `engine` is `weir:engine`, or what another engine has in its place.
(function (engine) {
  "use strict";
  // Programs may replace what there is.
  const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, apply } = Reflect;
  const { stringify, parse } = JSON;
  const { is } = Object;
  const { isArray } = Array;
  const toTag = Object.prototype.toString;
  const { forEach: forEachEntry } = Map.prototype;
  const { forEach: forEachMember } = Set.prototype;
  const text = String;
  const [DEPTH_MAX, KEYS_MAX, FUEL] = [4, 24, 300];

  let output = "";
  let fuel = FUEL;

  function showText(value) {
    return value.length > 300 ? `${stringify(value.slice(0, 300))}... of ${value.length}` : stringify(value);
  }

  function showProperty(object, key, depth) {
    const { value, get, set, enumerable, writable } = getOwnPropertyDescriptor(object, key) ?? {};
    const name = typeof key === "symbol" ? `[${show(key)}]` : key.isWellFormed() ? key : showText(key);
    const flags = (enumerable ? "" : "~") + (writable === false ? "!" : "");
    return `${flags}${name}: ${get || set ? `${get ? "get" : ""}${set ? "set" : ""}` : show(value, depth + 1)}`;
  }

  function showObject(object, depth) {
    let shown = apply(toTag, object, []).slice(8, -1);
    // V8 takes what inherits from a proxy of an array for one.
    if (shown === "Array" && !isArray(object)) shown = "Object";
    if (object === globalThis) return "the global object";
    if (getPrototypeOf(object) === null) shown += "(null)";
    // What is built in has its properties in an order of the engine's own.
    if (shown.endsWith("Function")) return shown;
    if (depth >= DEPTH_MAX) return `${shown}{...}`;
    const parts = [];
    const add = (part) => (parts[parts.length] = part);
    if (object instanceof Map)
      apply(forEachEntry, object, [(v, k) => add(`${show(k, depth + 1)} => ${show(v, depth + 1)}`)]);
    if (object instanceof Set) apply(forEachMember, object, [(v) => add(show(v, depth + 1))]);
    // What an error says differs between engines, and so does what it has.
    const isError = object instanceof Error || shown.startsWith("Error");
    const keys = isError ? [] : ownKeys(object);
    if (isError) add(text(object.name));
    for (let i = 0; i < keys.length && i < KEYS_MAX; i++) add(showProperty(object, keys[i], depth));
    if (keys.length > KEYS_MAX) add(`... ${keys.length}`);
    let joined = "";
    for (let i = 0; i < parts.length; i++) joined += (i ? ", " : "") + parts[i];
    return `${shown}{${joined}}`;
  }

  function show(value, depth = 0) {
    switch (typeof value) {
      case "string":
        return showText(value);
      case "number":
        return is(value, -0) ? "-0" : text(value);
      case "bigint":
        return `${text(value)}n`;
      case "symbol":
        return `Symbol(${showText(text(value.description))})`;
      case "function":
        return `function ${text(getOwnPropertyDescriptor(value, "name")?.value)}`;
      case "object":
        return value === null ? "null" : showObject(value, depth);
      default:
        return text(value);
    }
  }

  const guarded = (value) => {
    try {
      return show(value);
    } catch (error) {
      return `not shown: ${error?.name}`;
    }
  };

  // The time is another one in each run, and Node's realms have none.
  delete globalThis.performance;

  Object.assign(globalThis, {
    print: (...values) => {
      if (output.length > 100_000) return;
      for (let i = 0; i < values.length; i++) output += (i ? " " : "") + guarded(values[i]);
      output += "\n";
    },
    // What was thrown, by its class; its words and places are made, whatever they are.
    caught: (error) => {
      if (!(error instanceof Error)) return guarded(error);
      return `${error.name}${text(error.message).length + text(error.stack).length > 0 ? "" : "?"}`;
    },
    // Ends programs that go on for too long, at the same place in every engine, and before any has no stack left.
    tick: () => {
      if (fuel-- <= 0) throw "out of fuel";
    },
    // What is left of that: given, it is put back.
    fuel: (left) => (left === undefined ? fuel : (fuel = left)),
    gc: () => {
      engine.gc ? engine.gc() : engine.context.requestId();
    },
    // Through the host and back, as JSON.
    echo: (value) => {
      const given = { value };
      return (engine.calls ? engine.calls.runQuery("", given) : parse(stringify(given))).value;
    },
    utf8: (value) =>
      engine.utf8Decode ? engine.utf8Decode(engine.utf8Encode(value), false) : value.toWellFormed(),
    isPlain: (value) => void engine.isPlain?.(value),
    framesOf: (value) => void engine.framesOf?.(value),
  });

  const evaluate = (source, name) => {
    fuel = FUEL;
    try {
      engine.evaluate(source, name);
    } catch (error) {
      output += `thrown: ${caught(error)}\n`;
    }
  };

  return {
    init(source) {
      evaluate(source, "first.js");
      return '{"problems":[]}';
    },
    describe: () => "",
    async call(path, source) {
      evaluate(source, "second.js");
      // Whatever a program has begun ends.
      for (let i = 0; i < 500; i++) await undefined;
      return output;
    },
  };
});
