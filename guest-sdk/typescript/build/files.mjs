// Which files of a project hold functions, and what their modules are called; and which file says who may vouch for users.
import { readdirSync } from "node:fs";
import { join, posix } from "node:path";

const EXTENSION = /\.(ts|tsx|js|jsx|mts|mjs)$/;

/** Files of `convex/` whose exports are functions, in the order of their names: `{file, module}`. */
export function functionFiles(project) {
  const files = [];
  const visit = (folder) => {
    const entries = readdirSync(join(project, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!isSkippedFolder(entry.name)) visit(path);
      } else if (isFunctionFile(entry.name)) {
        files.push({ file: path, module: moduleName(path) });
      }
    }
  };
  visit("convex");
  return files;
}

/** The files that say who may vouch for users: one or none, or else a mistake. */
export function authFiles(project) {
  const names = readdirSync(join(project, "convex")).sort();
  const found = names.filter((name) => EXTENSION.test(name) && name.replace(EXTENSION, "") === "auth.config");
  return found.map((name) => `convex/${name}`);
}

const isSkippedFolder = (name) => name === "_generated" || name === "node_modules" || name.startsWith(".");

/** As with Convex, a name with a further dot in it (`chat.test.ts`, `types.d.ts`) is no module. */
function isFunctionFile(name) {
  return EXTENSION.test(name) && !name.startsWith(".") && !name.replace(EXTENSION, "").includes(".");
}

/** `folder/chat` of `convex/folder/chat.ts`. */
const moduleName = (file) => file.slice("convex/".length).replace(EXTENSION, "");
