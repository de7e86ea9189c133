// What a file has from the SDK.

import { NodeKind } from "assemblyscript";

const SDK = "@weir/assemblyscript";

/** The names that a file imports from the SDK. */
export function importsOf(source) {
  const imports = source.statements.filter(
    (statement) => statement.kind === NodeKind.Import && statement.path.value === SDK,
  );
  return new Set(imports.flatMap(({ declarations }) => declarations ?? []).map(({ name }) => name.text));
}
