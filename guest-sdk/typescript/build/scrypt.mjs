// The packages for sign-in hash passwords with scrypt in pure JavaScript, which is written for a compiler: 400 million
// operations, tens of milliseconds in a browser, and many seconds in an interpreter. The host computes the same bytes in
// the place of two of them: `lucia` (of `@convex-dev/auth`) and `@noble/hashes` (of `better-auth`).

const HOST = `
const { perform } = globalThis[Symbol.for("weir.runtime")];
const bytesOf = (data) => (typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data));
const derive = (password, salt, { N, r, p, dkLen = 32 }) =>
  perform("weir/scrypt", {
    password: bytesOf(password),
    salt: bytesOf(salt),
    cost: N,
    blockSize: r,
    parallelization: p,
    length: dkLen,
  });
`;

const MODULES = [
  {
    file: /[\\/]lucia[\\/]dist[\\/]scrypt[\\/]index\.js$/,
    exports: "export const scrypt = async (...args) => derive(...args).buffer;",
  },
  {
    file: /[\\/]@noble[\\/]hashes[\\/](esm[\\/])?scrypt\.js$/,
    exports: `export const scrypt = derive;
export const scryptAsync = async (...args) => derive(...args);`,
  },
];

/** The plugin for the bundler. */
export function scryptInside() {
  return {
    name: "weir-scrypt",
    setup(build) {
      for (const { file, exports } of MODULES) {
        build.onLoad({ filter: file }, () => ({ contents: HOST + exports }));
      }
    },
  };
}
