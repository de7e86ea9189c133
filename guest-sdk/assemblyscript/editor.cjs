"use strict";

// A plugin of TypeScript's language service, which editors load because
// `tsconfig.json` names it: TypeScript knows no decorators on functions, which
// AssemblyScript has. Only that complaint is taken away.

const DECORATORS_NOT_VALID_HERE = 1206;
const NAMES = ["query", "mutation", "internalQuery", "internalMutation"];

module.exports = function init() {
  return {
    create(info) {
      const service = info.languageService;
      const proxy = Object.create(null);
      for (const name of Object.keys(service)) proxy[name] = (...args) => service[name](...args);
      const without = (diagnostics) => diagnostics.filter((diagnostic) => !isOurs(diagnostic));
      proxy.getSyntacticDiagnostics = (file) => without(service.getSyntacticDiagnostics(file));
      proxy.getSemanticDiagnostics = (file) => without(service.getSemanticDiagnostics(file));
      return proxy;
    },
  };
};

/** Whether a diagnostic is about one of our decorators. */
function isOurs({ code, file, start, length }) {
  if (code !== DECORATORS_NOT_VALID_HERE || !file) return false;
  const name = /^@?([A-Za-z]+)/.exec(file.text.slice(start, start + Math.max(length, 1)))?.[1];
  return NAMES.includes(name);
}
