// Places by the runtime's own source map: a package that reads whole maps is the judge.
import assert from "node:assert/strict";
import { test } from "node:test";

import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { transform } from "esbuild";

import { withCheckpoints } from "../build/source_map.mjs";
import { SourceMap } from "../src/runtime/source_map.js";

/** Functions of many shapes, on many lines. */
const source = Array.from(
  { length: 200 },
  (_, i) => `export function f${i}(a: number, b: string[]): string {
  ${"  ".repeat(i % 5)}const x = a * ${i};${"\n".repeat(i % 7)}
  return b.map((c: string) => c + x).join("${"-".repeat(i % 90)}");
}`,
).join("\n".repeat(3));

for (const minify of [false, true]) {
  test(`every place of a script has its place in the source${minify ? ", on one line" : ""}`, async () => {
    const options = { loader: "ts", sourcemap: "external", sourcefile: "a.ts", minifyWhitespace: minify };
    const { code, map } = await transform(source, options);
    const [ours, judge] = [new SourceMap(withCheckpoints(map)), new TraceMap(map)];
    let found = 0;
    code.split("\n").forEach((text, row) => {
      for (let column = 0; column <= text.length; column += 3) {
        const place = originalPositionFor(judge, { line: row + 1, column });
        const expected =
          place.source === null
            ? undefined
            : { source: place.source, line: place.line, column: place.column + 1 };
        assert.deepEqual(ours.find(row + 1, column + 1), expected, `${row + 1}:${column + 1}`);
        found += expected === undefined ? 0 : 1;
      }
    });
    assert.ok(found > 3000);
  });
}

test("a line that the map does not have", () => {
  const map = new SourceMap(
    withCheckpoints(JSON.stringify({ version: 3, sources: ["a.ts"], mappings: "AAAA" })),
  );
  assert.equal(map.find(100, 1), undefined);
  assert.deepEqual(map.find(1, 7), { source: "a.ts", line: 1, column: 1 });
});
