// The routes of a project: which HTTP requests which of its functions answers, as `convex/http.ts` says.

const NAME_CHARS_MAX = 60;

/** The methods that a router may route. */
const METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/**
 * The routes of a router, `{method, path, function}` or `{method, pathPrefix, function}`. `register` gives the path of
 * an HTTP action, which it makes a function by the name that is proposed if it is none yet.
 */
export function routesOf(router, register) {
  if (!isOrdinary(router)) return routesByLookup(router, register);
  const routes = [];
  const add = (method, place, action) => {
    const text = place.path ?? place.pathPrefix;
    if (typeof action?.invokeHttpAction !== "function") {
      throw new Error(`the handler of ${method} ${text} is not an HTTP action; make one with \`httpAction\``);
    }
    routes.push({ method, ...place, function: register(nameOf(method, place), action) });
  };
  for (const [path, methods] of inOrder(router.exactRoutes)) {
    for (const [method, action] of inOrder(methods)) add(method, { path }, action);
  }
  for (const [method, prefixes] of inOrder(router.prefixRoutes)) {
    for (const [pathPrefix, action] of inOrder(prefixes)) add(method, { pathPrefix }, action);
  }
  return routes;
}

/** Of their names, so that a route which is added changes no other's function. */
const inOrder = (map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** Whether a router finds routes as npm `convex`'s own does: one that extends it may find them in any way. */
function isOrdinary(router) {
  const { exactRoutes, prefixRoutes } = router;
  const isPlain = exactRoutes instanceof Map && prefixRoutes instanceof Map;
  return isPlain && Object.getPrototypeOf(Object.getPrototypeOf(router)) === Object.prototype;
}

/** All requests go to one function, which asks the router. */
function routesByLookup(router, register) {
  const invokeHttpAction = async (request) => {
    const { pathname } = new URL(request.url);
    const found = router.lookup(pathname, request.method);
    if (found) return found[0].invokeHttpAction(request);
    return new Response(`No HttpAction routed for ${pathname}`, { status: 404 });
  };
  const path = register("router", { invokeHttpAction });
  return METHODS.map((method) => ({ method, pathPrefix: "/", function: path }));
}

/** `GET_api_webhook` of `GET /api/webhook`, and `GET_files_all` of all paths that begin with `/files/`. */
function nameOf(method, { path, pathPrefix }) {
  const words = (path ?? pathPrefix).split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  if (pathPrefix !== undefined) words.push("all");
  else if (words.length === 0) words.push("root");
  return [method, ...words].join("_").slice(0, NAME_CHARS_MAX);
}
