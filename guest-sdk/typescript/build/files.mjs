// Which files of a project hold functions, and what their modules are called; and which file says who may vouch for users.
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";

import { configFile } from "./config.mjs";

const EXTENSION = /\.(ts|tsx|js|jsx|mts|mjs)$/;

/**
 * Files of the folder of functions whose exports are functions, in the order of their names: `{file, module, path}`, where
 * `file` is relative to the project. A folder in it that has a convex.config is a component's, and is left out.
 */
export function functionFiles(project, functions) {
  const files = [];
  const visit = (folder, prefix) => {
    const entries = readdirSync(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!isSkippedFolder(entry.name) && configFile(path) === undefined)
          visit(path, `${prefix}${entry.name}/`);
      } else if (isFunctionFile(entry.name)) {
        const module = `${prefix}${entry.name.replace(EXTENSION, "")}`;
        files.push({ file: relative(project, path), module, path });
      }
    }
  };
  visit(functions, "");
  return files;
}

/** The files that say who may vouch for users: one or none, or else a mistake. Relative to the project. */
export function authFiles(project, functions) {
  const names = readdirSync(functions).sort();
  const found = names.filter((name) => EXTENSION.test(name) && name.replace(EXTENSION, "") === "auth.config");
  return found.map((name) => relative(project, join(functions, name)));
}

const isSkippedFolder = (name) => name === "_generated" || name === "node_modules" || name.startsWith(".");

/** As with Convex, a name with a further dot in it (`chat.test.ts`, `types.d.ts`) is no module. */
function isFunctionFile(name) {
  return EXTENSION.test(name) && !name.startsWith(".") && !name.replace(EXTENSION, "").includes(".");
}
