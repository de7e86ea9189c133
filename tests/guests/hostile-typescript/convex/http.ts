// The routes of the HTTP actions that do what they must not.
import { httpRouter } from "convex/server";

import { half, large, loop, mute } from "./rogue.js";

const http = httpRouter();
http.route({ path: "/large", method: "GET", handler: large });
http.route({ path: "/half", method: "GET", handler: half });
http.route({ path: "/loop", method: "GET", handler: loop });
http.route({ path: "/mute", method: "GET", handler: mute });

export default http;
