// `URL` and `URLSearchParams`: npm's whatwg-url, which is the standard's own algorithm.
import { URL, URLSearchParams } from "whatwg-url";

import { define } from "./define.js";

define("URL", URL);
define("URLSearchParams", URLSearchParams);
