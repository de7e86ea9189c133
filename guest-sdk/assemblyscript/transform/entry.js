// The module's entry: the world's exports.

import { NodeKind } from "assemblyscript";

/** Beside the user's folder `assembly`, where nobody has a file. */
export const ENTRY_PATH = "weir-entry.ts";

const RUNTIME = "@weir/assemblyscript/assembly/entry";

/** The entry's text; the manifest is filled in when types are known. */
export function entryText(functions) {
  const imports = functions.map(
    (found, index) => `import { ${found.wrapper} as f${index} } from ${JSON.stringify("./" + found.file)};`,
  );
  const calls = functions.map(
    (found, index) =>
      `  if (isPath(path, pathLength, ${JSON.stringify(found.path)})) return f${index}(argumentsOf(args, argsLength));`,
  );
  return `import { argumentsOf, isPath, manifest, noFunction } from "${RUNTIME}";
export { cabi_realloc } from "${RUNTIME}";
${imports.join("\n")}
const MANIFEST: string = "";
export function describe(): usize { return manifest(MANIFEST); }
export function call(path: usize, pathLength: usize, args: usize, argsLength: usize): usize {
${calls.join("\n")}
  noFunction(path, pathLength);
  return 0;
}
`;
}

/** Fills in the manifest. */
export function setManifest(program, manifest) {
  const entry = program.sources.find((source) => source.normalizedPath === ENTRY_PATH);
  const statement = entry.statements.find((statement) => statement.kind === NodeKind.Variable);
  statement.declarations[0].initializer.value = manifest;
}
