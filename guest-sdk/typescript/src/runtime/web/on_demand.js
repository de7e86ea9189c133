// Interfaces that few queries and mutations use (`late/`). Their code stands in the snapshot as a text, a third of what it
// is as functions, and is evaluated when one of them is first named. If a project's own top-level code does that, it is
// before the snapshot, and no call pays for it.
import * as engine from "weir:engine";
import bodies from "weir:late/bodies.js";
import streams from "weir:late/streams.js";

/** Each code, and the names that it defines. */
const LATE = [
  [bodies, ["Blob", "File", "FormData", "Headers", "Request", "Response"]],
  [
    streams,
    [
      ...[
        "ReadableStream",
        "ReadableStreamDefaultReader",
        "ReadableStreamBYOBReader",
        "ReadableStreamBYOBRequest",
      ],
      ...["ReadableStreamDefaultController", "ReadableByteStreamController"],
      ...["WritableStream", "WritableStreamDefaultWriter", "WritableStreamDefaultController"],
      ...["TransformStream", "TransformStreamDefaultController"],
      ...["ByteLengthQueuingStrategy", "CountQueuingStrategy", "TextDecoderStream", "TextEncoderStream"],
    ],
  ],
];

const find = (name) => Object.getOwnPropertyDescriptor(globalThis, name);

/** Evaluates a code, which replaces the accessors of all its names by what they stand for. */
function load(text, names) {
  // What the project has put in their place, or taken away, stays as it is.
  const own = names.map((name) => [name, find(name)]).filter(([, found]) => found?.get === undefined);
  engine.evaluate(text, "weir-late.js")(engine);
  for (const [name, found] of own) {
    if (found === undefined) delete globalThis[name];
    else Object.defineProperty(globalThis, name, found);
  }
}

for (const [text, names] of LATE) {
  let values;
  for (const name of names) {
    const get = () => {
      if (values === undefined) {
        load(text, names);
        values = new Map(names.map((name) => [name, find(name)?.value]));
      }
      return values.get(name);
    };
    const set = (value) =>
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    Object.defineProperty(globalThis, name, { get, set, configurable: true });
  }
}
