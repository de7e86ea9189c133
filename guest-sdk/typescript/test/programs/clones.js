// structuredClone.
import { thrown } from "./show.js";

class Point {
  #secret = 1;
  constructor(x) {
    this.x = x;
  }
  get secret() {
    return this.#secret;
  }
}

const isSame = (work) => {
  const [value, copy] = work();
  return value === copy;
};

export const clonePrograms = {
  "clone: plain values": () =>
    structuredClone([1, -0, NaN, 5n, "a", true, null, undefined, { b: { c: [1, , 3] } }]),
  "clone: holes and fields of lists": () => {
    const list = [1, , 3];
    list.name = "n";
    const copy = structuredClone(list);
    return [copy.length, 1 in copy, Object.keys(copy)];
  },
  "clone: dates and expressions": () => {
    const pattern = /a(b)/giu;
    pattern.lastIndex = 3;
    return structuredClone([new Date(5), new Date(NaN), pattern]);
  },
  "clone: maps and sets": () => structuredClone(new Map([[{ a: 1 }, new Set([1, new Map()])]])),
  "clone: boxes": () => structuredClone([Object(1), Object("s"), Object(false), Object(3n)]),
  "clone: loops and sameness": () => {
    const inner = { n: 1 };
    const value = { a: inner, b: inner };
    value.self = value;
    const copy = structuredClone(value);
    return [copy.self === copy, copy.a === copy.b, copy.a !== inner];
  },
  "clone: buffers and views": () => {
    const buffer = new Uint8Array([1, 2, 3, 4]).buffer;
    const copy = structuredClone({
      buffer,
      view: new Uint8Array(buffer, 1, 2),
      data: new DataView(buffer, 2),
    });
    return [
      copy.buffer,
      copy.view,
      copy.view.buffer === copy.buffer,
      copy.data.byteLength,
      copy.data.getUint8(0),
    ];
  },
  "clone: views of all types": () =>
    structuredClone([
      new Float64Array([0.5]),
      new BigInt64Array([-1n]),
      new Uint8ClampedArray([300]),
      new Int16Array(2),
    ]),
  "clone: errors": () => {
    const error = new RangeError("no", { cause: new Error("why") });
    const copy = structuredClone(error);
    return [copy, copy.cause, copy instanceof RangeError, Object.keys(copy), copy.stack === error.stack];
  },
  "clone: errors of one's own": () => {
    class Own extends Error {
      name = "Own";
      more = 1;
    }
    const copy = structuredClone(new Own("x"));
    return [copy, copy.more, copy.constructor === Error];
  },
  "clone: objects of a class": () => {
    const copy = structuredClone(new Point(1));
    return [copy, copy.constructor === Object, copy.secret];
  },
  "clone: what is not copied": () => {
    const value = Object.create(
      { inherited: 1 },
      { hidden: { value: 1 }, got: { get: () => 2, enumerable: true } },
    );
    value[Symbol("s")] = 1;
    const copy = structuredClone(value);
    return [copy, Object.getOwnPropertyDescriptor(copy, "got").writable];
  },
  "clone: __proto__ as a field": () => {
    const copy = structuredClone(JSON.parse('{"__proto__": {"a": 1}}'));
    return [Object.keys(copy), Object.getPrototypeOf(copy) === Object.prototype];
  },
  "clone: without a prototype": () =>
    Object.getPrototypeOf(structuredClone(Object.create(null))) === Object.prototype,
  "clone: refused": () =>
    Promise.all(
      [
        () => 1,
        Symbol("s"),
        Promise.resolve(),
        new WeakMap(),
        new WeakSet(),
        { deep: [() => {}] },
        Object(Symbol()),
      ].map((value) => thrown(() => structuredClone(value))),
    ),
  "clone: what is said of it": () => {
    try {
      structuredClone({ f: () => 1 });
    } catch (error) {
      return [error.name, error.code, error.message, error instanceof DOMException];
    }
  },
  "clone: without anything": () => thrown(() => structuredClone()),
  "clone: transfer": () => {
    const buffer = new Uint8Array([1, 2]).buffer;
    const copy = structuredClone({ buffer, list: new Uint8Array(buffer) }, { transfer: [buffer] });
    return [copy.buffer, copy.list, buffer.byteLength, buffer.detached ?? true];
  },
  "clone: transfer refused": async () => {
    const buffer = new ArrayBuffer(2);
    const twice = await thrown(() => structuredClone(1, { transfer: [buffer, buffer] }));
    const no = await thrown(() => structuredClone(1, { transfer: [{}] }));
    const failed = await thrown(() => structuredClone(() => {}, { transfer: [buffer] }));
    return [twice, no, failed, buffer.byteLength];
  },
  "clone: a getter that throws": () =>
    thrown(() =>
      structuredClone({
        get a() {
          throw new SyntaxError("x");
        },
      }),
    ),
  "clone: the same text and number": () => isSame(() => ["x", structuredClone("x")]),
  "clone: maps that are extended": () => {
    class Own extends Map {}
    const copy = structuredClone(new Own([[1, 2]]));
    return [copy, copy.constructor === Map];
  },
  "clone: a proxy": () => thrown(() => structuredClone(new Proxy({}, {}))),
  "clone: arguments": () =>
    structuredClone(
      (function () {
        return arguments;
      })(1, 2),
    ),
};
