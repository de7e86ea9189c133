// Which functions the files with "use node" have: runs their bundle, in a process of its own.
//
//   node describe_node.mjs BUNDLE OUT [--placeholders]    writes OUT: {functions, problems, reads}
//
// Every variable is unset, or, with --placeholders, a text that says that it is none.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { manifest, problems, registerModules } from "../src/runtime/functions.js";
import { SourceMap } from "../src/runtime/source_map.js";

const PLACEHOLDER = "not-set-while-building";

const [bundle, out, mode] = process.argv.slice(2);
const reads = new Set();
process.env = variables(mode === "--placeholders" ? PLACEHOLDER : undefined);

const modules = {};
const found = [];
// Evaluates no module yet.
const bundled = await import(pathToFileURL(bundle));
for (const [name, { load, file, lines }] of Object.entries(bundled.modules)) {
  try {
    modules[name] = { exports: await load(), file, lines };
  } catch (error) {
    found.push({ place: placeOf(error) ?? `${file}:1`, text: textOf(error) });
  }
}
registerModules(modules);
const place = (line) => /^(.*?:\d+): ([^]*)$/.exec(line);
found.push(...problems.map((line) => ({ place: place(line)[1], text: place(line)[2] })));
const { functions } = manifest();
for (const { path, kind } of functions) if (kind !== "action") found.push(refusal(path, kind));
writeFileSync(out, JSON.stringify({ functions, problems: found, reads: [...reads] }));
// Timers and sockets that the files have made hold up nobody.
process.exit(0);

function refusal(path, kind) {
  const [module, name] = path.split(":");
  const { file, lines } = modules[module];
  const text = `\`${name}\` is of the kind \`${kind}\`; a file that begins with "use node" defines actions alone (\`action\`, \`internalAction\`): move it into another file`;
  return { place: `${file}:${lines[name] ?? 1}`, text };
}

/** What is read of it is noted. */
function variables(value) {
  const own = { NODE_ENV: "production", TZ: "UTC" };
  return new Proxy(own, {
    get(target, name) {
      if (typeof name !== "string" || name in target) return target[name];
      reads.add(name);
      return value;
    },
    has(target, name) {
      if (name in target) return true;
      reads.add(name);
      return value !== undefined;
    },
  });
}

function textOf(error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `its top-level code fails: ${text}`;
}

/** The first place of the source that an error names. */
function placeOf(error) {
  const map = new SourceMap(readFileSync(`${bundle}.map`, "utf8"));
  for (const [, line, column] of String(error?.stack).matchAll(/node\.mjs:(\d+):(\d+)/g)) {
    const at = map.find(Number(line), Number(column));
    if (at !== undefined && !at.source.includes("node_modules/"))
      return `${at.source}:${at.line}:${at.column}`;
  }
  return undefined;
}
