// Which requests the functions with `@httpAction` answer.

import { NodeKind } from "assemblyscript";

import { textOf } from "./functions.js";

const METHODS = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"];
const FORM =
  'say which requests it answers: @httpAction("POST", "/hook"), or @httpAction("GET", "/files/*") for all paths that begin so';

/** What keeps a function from being an HTTP action. */
export function problemOfHttpAction(statement, decorator, source) {
  const [method, path] = (decorator.args ?? []).map(literal);
  if (decorator.args?.length !== 2 || method === undefined || path === undefined) {
    return { range: decorator.range, message: FORM };
  }
  if (!METHODS.includes(method)) {
    return { range: decorator.args[0].range, message: `a method is one of ${METHODS.join(", ")}` };
  }
  if (!path.startsWith("/") || /[*]./.test(path) || /[^/][*]$/.test(path)) {
    return { range: decorator.args[1].range, message: FORM };
  }
  const { parameters, returnType } = statement.signature;
  const types = [parameters[1]?.type, returnType].map((type) => (type ? textOf(type, source) : ""));
  const gives = types[1].replace(/\s/g, "");
  if (parameters.length !== 2 || types[0] !== "Request" || !["Response", "Response|null"].includes(gives)) {
    const message =
      "an HTTP action is a function (ctx: ActionCtx, request: Request): Response, or Response | null";
    return { range: statement.name.range, message };
  }
  return undefined;
}

function literal(argument) {
  return argument.kind === NodeKind.Literal && typeof argument.value === "string"
    ? argument.value
    : undefined;
}

/** The route as it stands in the manifest, but for the function. */
export function routeOf(decorator) {
  const [method, path] = decorator.args.map(literal);
  return path.endsWith("*") ? { method, pathPrefix: path.slice(0, -1) } : { method, path };
}
