import { readFileSync } from "node:fs";
import path from "node:path";

/**
 * The name of the module that `assembly/index.ts` is: that of the npm package,
 * without its scope.
 */
export function packageName(folder) {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const name = nameIn(path.join(at, "package.json"));
    if (name) return name.replace(/^@[^/]*\//, "");
    if (at === path.dirname(at)) return "index";
  }
}

function nameIn(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).name;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw new Error(`${file}: ${error.message}`);
  }
}
