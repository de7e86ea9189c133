// What functions have of Node's `process`; projects with `@types/node` know it from there.
declare const process: { env: Record<string, string | undefined> };
