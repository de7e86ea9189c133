/**
 * Query results as diffs, for the official Convex clients.
 *
 * One line in an app: give a client {@link DiffWebSocket} as its
 * `webSocketConstructor`. This package is the transport alone: it holds no
 * connection open, retries nothing, and knows nothing of queries but their last
 * values; all of that stays with the official client.
 *
 * @module
 */
import { diffWebSocket } from "./socket.js";

export { diffWebSocket, type SocketConstructor } from "./socket.js";
export { applyPatch, type Operation } from "./patch.js";
export { PatchFailed } from "./failure.js";
export type { Json } from "./json.js";

/**
 * The platform's own `WebSocket`, with diffs:
 *
 * ```ts
 * new ConvexReactClient(url, { webSocketConstructor: DiffWebSocket });
 * ```
 *
 * Where there is none (Node before version 22), importing it does no harm, and
 * making one throws: use {@link diffWebSocket} with the class of the package `ws`.
 */
export const DiffWebSocket: typeof WebSocket = platformSocket();

function platformSocket(): typeof WebSocket {
  if (typeof globalThis.WebSocket === "function") {
    return diffWebSocket(globalThis.WebSocket);
  }
  class MissingWebSocket {
    constructor() {
      throw new TypeError(
        "There is no global WebSocket here. Give the client diffWebSocket(WebSocket) " +
          'with the WebSocket class of the npm package "ws".',
      );
    }
  }
  return MissingWebSocket as unknown as typeof WebSocket;
}
