// What the language itself has: errors, dates, numbers, collections.
import { thrown } from "./show.js";

export const languagePrograms = {
  "error: causes and classes": () => {
    const error = new Error("a", { cause: { code: 1 } });
    return [
      error.cause,
      Object.keys(error),
      "cause" in new Error("b"),
      new AggregateError([1, new TypeError("x")], "m").errors,
    ];
  },
  "error: as a text": () => [
    String(new TypeError("x")),
    String(new Error()),
    Object.prototype.toString.call(new RangeError()),
  ],
  "error: DOMException": () => {
    const error = new DOMException("m", "NotFoundError");
    return [
      error.name,
      error.code,
      error.message,
      error instanceof Error,
      new DOMException().name,
      DOMException.ABORT_ERR,
    ];
  },
  "error: what each is": () =>
    Promise.all(
      [
        () => null.x,
        () => nothing,
        () => (void 0)(),
        () => new Array(-1),
        () => (1).toFixed(101),
        () => JSON.parse("{"),
        () => BigInt(0.5),
      ].map((work) => thrown(work)),
    ),
  "error: of all promises": async () => {
    const settled = await Promise.allSettled([1, Promise.reject(new TypeError("no"))]);
    const any = await thrown(() => Promise.any([Promise.reject(1)]));
    return [settled, any];
  },
  "date: parts in UTC": () => {
    const date = new Date(Date.UTC(2024, 1, 29, 12, 30, 15, 250));
    return [date.toISOString(), date.toJSON(), date.toUTCString(), date.getUTCDay(), date.getTime()];
  },
  "date: parse": () =>
    [
      "2024-02-29",
      "2024-02-29T10:00Z",
      "2024-02-29T10:00:00.123+02:00",
      "Thu, 29 Feb 2024 10:00:00 GMT",
      "2024-13-01",
      "2023-02-30T00:00Z",
      "nonsense",
      "+012024-01-01T00:00:00Z",
    ].map((text) => Date.parse(text)),
  "date: limits and overflow": async () => [
    new Date(8.64e15).toISOString(),
    new Date(8.64e15 + 1).getTime(),
    new Date(Date.UTC(2023, 12, 32)).toISOString(),
    await thrown(() => new Date(NaN).toISOString()),
    new Date(-1).toISOString(),
  ],
  "date: set": () => {
    const date = new Date(0);
    date.setUTCFullYear(2000, 1, 30);
    date.setUTCHours(25, 61, 61, 1001);
    return date.toISOString();
  },
  "number: as texts": () => [0.1 + 0.2, 1e21, 1e-7, 123456789012345680000, 5e-324, -0, 255].map(String),
  "number: fixed, precision, radix": () => [
    (1.005).toFixed(2),
    (0.000001234).toPrecision(2),
    (1234.5678).toExponential(2),
    (255.5).toString(16),
    (0.1).toString(3),
    (25).toString(36),
    (1e21).toFixed(2),
  ],
  "number: parse": () =>
    ["0x1f", " 12 ", "1_000", "", "1e3", "0b11", "Infinity", "12px"].map((text) => [
      Number(text),
      parseFloat(text),
      parseInt(text),
    ]),
  "number: mathematics": () => [
    Math.hypot(3, 4),
    Math.cbrt(27),
    Math.fround(5.5),
    Math.clz32(1),
    Math.trunc(-4.7),
    Math.sign(-3),
    Math.log2(8),
    Math.imul(0xffffffff, 5),
  ],
  "number: bigints and numbers in order": () => {
    const bigints = [
      0n,
      1n,
      5n,
      255n,
      2147483648n,
      9007199254740993n,
      9223372036854775808n,
      (1n << 200n) + 1n,
    ];
    const numbers = [0, 0.5, 1.5, 5, 254.5, 2147483648, 2 ** 53, 2 ** 63, 2 ** 200, 1e300, Infinity, NaN];
    const signed = (list) => list.flatMap((value) => [value, -value]);
    return signed(bigints).map((b) =>
      signed(numbers)
        .map((n) => [b < n, b <= n, b > n, b >= n, b == n, n < b, n >= b].map(Number).join(""))
        .join(),
    );
  },
  "number: bigint": () => [
    2n ** 64n,
    -7n / 2n,
    BigInt.asIntN(8, 255n),
    BigInt.asUintN(64, -1n),
    BigInt("0xff"),
    123n.toString(36),
    1n < 2,
  ],
  "json: both ways": () => [
    JSON.stringify({ a: [undefined, () => 1, NaN, -0], b: undefined, d: new Date(0), t: "\ud800\u2028" }),
    JSON.stringify([1, { a: 2 }], null, 2),
    JSON.parse('{"a":[1,2,{"b":null}]}', (key, value) => (typeof value === "number" ? value + 1 : value)),
  ],
  "list: newer methods": () => {
    const list = [3, 1, 2];
    return [
      list.toSorted(),
      list.toReversed(),
      list.with(0, 9),
      list.toSpliced(1, 1),
      list.at(-1),
      list.findLast((n) => n > 1),
      list,
    ];
  },
  "list: order is kept": () => [..."bca"].map((c, i) => [c, i % 2]).sort((a, b) => a[1] - b[1]),
  "collection: weak ones": () => {
    const key = {};
    const map = new WeakMap([[key, 1]]);
    return [map.get(key), new WeakSet([key]).has(key), new WeakRef(key).deref() === key];
  },
  "language: generators and iteration": async () => {
    async function* numbers() {
      yield 1;
      yield* [2, 3];
    }
    const seen = [];
    for await (const n of numbers()) seen.push(n);
    return seen;
  },
  "language: labels, destructuring, spread": () => {
    const { a = 5, ...rest } = { b: 1, c: 2 };
    outer: for (const i of [1, 2]) for (const j of [1, 2]) if (i * j === 2) continue outer;
    return [a, rest, [...new Set([1, 1, 2])], ((...args) => args.length)(...[1, 2, 3])];
  },
  "expression: groups, look-behind, sticky": () => {
    const { groups } = /(?<y>\d{4})-(?<m>\d\d)/.exec("on 2024-02");
    return [
      { ...groups },
      "a1b2".replace(/(?<=[a-z])\d/g, "#"),
      [..."a1b2".matchAll(/([a-z])(\d)/g)].map((m) => m[1]),
      "x".replaceAll("x", "$&$&"),
    ];
  },
  "crypto: shapes": () => [
    crypto.getRandomValues(new Uint8Array(8)).length,
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()),
  ],
  "performance: marks and measures": async () => {
    const mark = performance.mark("a", { detail: { n: 1 } });
    performance.mark("b");
    const measure = performance.measure("m", "a", "b");
    const seen = [
      mark.name,
      mark.entryType,
      mark.detail,
      measure.entryType,
      measure instanceof PerformanceEntry,
    ];
    const names = performance.getEntriesByType("mark").map(({ name }) => name);
    const refused = await thrown(() => performance.measure("x", "never"));
    performance.clearMarks("a");
    const left = [performance.getEntriesByName("a").length, performance.getEntriesByName("b").length];
    performance.clearMarks();
    performance.clearMeasures();
    return [seen, names, refused, left, performance.getEntries().length, typeof performance.timeOrigin];
  },
  "microtasks: order": async () => {
    const seen = [];
    queueMicrotask(() => seen.push(1));
    Promise.resolve().then(() => seen.push(2));
    queueMicrotask(() => seen.push(3));
    seen.push(0);
    await null;
    await null;
    return seen;
  },
};
