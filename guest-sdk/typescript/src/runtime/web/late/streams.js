// Streams: npm's web-streams-polyfill, which is the standard's own algorithm.
import * as streams from "web-streams-polyfill";

import { define, defineInterface } from "../define.js";

for (const [name, type] of Object.entries(streams)) define(name, type);

const { TransformStream } = streams;

/** A stream through a codec, with the members of the codec that it shows. */
function codecStream(name, shown, start) {
  const type = class {
    #codec;
    #transform;

    constructor(...args) {
      const { codec, ...transformer } = start(...args);
      this.#codec = codec;
      this.#transform = new TransformStream(transformer);
    }

    get readable() {
      return this.#transform.readable;
    }

    get writable() {
      return this.#transform.writable;
    }

    static {
      for (const member of shown) {
        Object.defineProperty(this.prototype, member, {
          get() {
            return this.#codec[member];
          },
          enumerable: true,
          configurable: true,
        });
      }
    }
  };
  defineInterface(name, type, ["readable", "writable"]);
}

codecStream("TextDecoderStream", ["encoding", "fatal", "ignoreBOM"], (label, options) => {
  const codec = new TextDecoder(label, options);
  const give = (text, controller) => text !== "" && controller.enqueue(text);
  return {
    codec,
    transform: (chunk, controller) => give(codec.decode(chunk, { stream: true }), controller),
    flush: (controller) => give(codec.decode(), controller),
  };
});

codecStream("TextEncoderStream", ["encoding"], () => {
  const codec = new TextEncoder();
  // The first half of a pair whose second half may come with the next text.
  let half = "";
  const give = (text, controller) => text !== "" && controller.enqueue(codec.encode(text));
  return {
    codec,
    transform(chunk, controller) {
      const text = half + chunk;
      half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
      give(half === "" ? text : text.slice(0, -1), controller);
    },
    flush: (controller) => give(half, controller),
  };
});
