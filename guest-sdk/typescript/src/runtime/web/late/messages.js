// `Request` and `Response`, as the Fetch standard says.
import { defineInterface, isStream } from "../define.js";
import { Body, BODY_MEMBERS, contentOf, contentOfInit, takeContent, teeContent } from "./body.js";
import { freezeHeaders, Headers, receivedHeaders } from "./headers.js";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_METHODS = ["CONNECT", "TRACE", "TRACK"];
const KNOWN_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
const BODILESS_STATUSES = [101, 103, 204, 205, 304];
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
const OWN = Symbol("own");

/** What a request says of how it is to be sent: its values, of which the first is the usual one. */
const OPTIONS = {
  mode: ["cors", "same-origin", "no-cors"],
  credentials: ["same-origin", "omit", "include"],
  cache: ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"],
  redirect: ["follow", "error", "manual"],
};

/** Headers of a message whose body has a type by itself. */
function headersWith(init, type) {
  const headers = new Headers(init ?? undefined);
  if (type !== undefined && !headers.has("content-type")) headers.set("content-type", type);
  return headers;
}

export class Request extends Body {
  #url;
  #method;
  #headers;
  #signal;
  #connection;
  #options;

  constructor(...args) {
    if (args.length === 0) throw new TypeError("Request: 1 argument required, but only 0 present");
    const [input, options, marked] = args;
    const init = options ?? {};
    const own = marked?.[OWN];
    const from = input instanceof Request ? input : undefined;
    const url = from === undefined ? urlOf(input) : from.url;
    const method = init.method === undefined ? (from?.method ?? "GET") : methodOf(init.method);
    const hasOwnBody = init.body !== undefined && init.body !== null;
    const hasBody = hasOwnBody || (from !== undefined && contentOf(from) !== null);
    if (hasBody && (method === "GET" || method === "HEAD")) {
      throw new TypeError(`Request with GET/HEAD method cannot have body.`);
    }
    if (hasOwnBody && isStream(init.body) && init.duplex !== "half") {
      throw new TypeError('Request: a body that is a stream needs `duplex: "half"`');
    }
    const chosen = optionsOf(init, from);
    const { content, type } = contentOfInit(init.body);
    const headers = own?.headers ?? headersWith(init.headers ?? from?.headers, type);
    if (own !== undefined) super(own.content);
    else super(hasOwnBody || from === undefined ? content : takeContent(from));
    this.#url = url;
    this.#method = method;
    this.#headers = headers;
    this.#connection = own?.connection ?? (init.signal === undefined ? from?.#connection : undefined);
    const signal = this.#connection?.signal ?? (init.signal === undefined ? from?.#signal : init.signal);
    this.#signal = AbortSignal.any(signal === undefined || signal === null ? [] : [signal]);
    this.#options = chosen;
  }

  get url() {
    return this.#url;
  }

  get method() {
    return this.#method;
  }

  get headers() {
    return this.#headers;
  }

  get signal() {
    // Who has it may wait for it; nobody else needs to know.
    this.#connection?.watch();
    return this.#signal;
  }

  get mode() {
    return this.#options.mode;
  }

  get credentials() {
    return this.#options.credentials;
  }

  get cache() {
    return this.#options.cache;
  }

  get redirect() {
    return this.#options.redirect;
  }

  get integrity() {
    return this.#options.integrity;
  }

  get keepalive() {
    return this.#options.keepalive;
  }

  get referrer() {
    return "about:client";
  }

  get referrerPolicy() {
    return "";
  }

  get destination() {
    return "";
  }

  get duplex() {
    return "half";
  }

  clone() {
    const body = teeContent(this);
    const [method, signal] = [this.#method, this.#signal];
    const own = { content: body, headers: receivedHeaders(this.headers), connection: this.#connection };
    return new Request(this.#url, { ...this.#options, method, signal }, { [OWN]: own });
  }
}

function urlOf(input) {
  let url;
  try {
    url = new URL(String(input));
  } catch {
    throw new TypeError(`Failed to parse URL from ${input}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${input}`);
  }
  return url.href;
}

function methodOf(method) {
  const text = String(method);
  const upper = text.toUpperCase();
  if (!TOKEN.test(text) || FORBIDDEN_METHODS.includes(upper)) {
    throw new TypeError(`'${text}' is not a valid HTTP method.`);
  }
  return KNOWN_METHODS.includes(upper) ? upper : text;
}

function optionsOf(init, from) {
  const chosen = {
    integrity: String(init.integrity ?? from?.integrity ?? ""),
    keepalive: Boolean(init.keepalive ?? from?.keepalive ?? false),
  };
  for (const [name, values] of Object.entries(OPTIONS)) {
    const value = init[name] === undefined ? (from?.[name] ?? values[0]) : String(init[name]);
    if (!values.includes(value))
      throw new TypeError(`Request: \`${name}\` must be one of ${values.join(", ")}`);
    chosen[name] = value;
  }
  return chosen;
}

export class Response extends Body {
  #status;
  #statusText;
  #headers;
  #type;
  #url;
  #isRedirected;

  constructor(body = null, init = {}, { [OWN]: own } = {}) {
    const { status = 200, statusText = "", headers } = init ?? {};
    const code = own?.status ?? statusOf(status);
    const text = String(statusText);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) throw new TypeError("Invalid statusText");
    let { content, type } = own === undefined ? contentOfInit(body) : { content: body };
    if (content !== null && BODILESS_STATUSES.includes(code)) {
      // The standard refuses an empty text too; packages for Convex, which does not, give one.
      if (content.length !== 0) {
        throw new TypeError(`Response constructor: Invalid response status code ${code}`);
      }
      content = null;
    }
    const all = own?.headers ?? headersWith(headers, type);
    super(content);
    this.#status = code;
    this.#statusText = text;
    this.#headers = own === undefined || own.type === "default" ? all : freezeHeaders(all);
    this.#type = own?.type ?? "default";
    this.#url = own?.url ?? "";
    this.#isRedirected = own?.redirected === true;
  }

  get status() {
    return this.#status;
  }

  get statusText() {
    return this.#statusText;
  }

  get ok() {
    return this.#status >= 200 && this.#status < 300;
  }

  get headers() {
    return this.#headers;
  }

  get type() {
    return this.#type;
  }

  /** Where it came from, if it came from somewhere. */
  get url() {
    return this.#url;
  }

  get redirected() {
    return this.#isRedirected;
  }

  clone() {
    const content = teeContent(this);
    const headers = receivedHeaders(this.headers);
    const own = {
      status: this.#status,
      type: this.#type,
      url: this.#url,
      redirected: this.#isRedirected,
      headers,
    };
    return new Response(content, { statusText: this.#statusText }, { [OWN]: own });
  }

  static error() {
    return new Response(null, {}, { [OWN]: { status: 0, type: "error" } });
  }

  static json(...args) {
    if (args.length === 0) throw new TypeError("Response.json: 1 argument required, but only 0 present");
    const [data, init] = args;
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("Value is not JSON serializable");
    return new Response(text, { ...init, headers: headersWith(init?.headers, "application/json") });
  }

  static redirect(url, status = 302) {
    const location = urlWithoutBase(url);
    if (!REDIRECT_STATUSES.includes(status)) throw new RangeError(`Invalid status code ${status}`);
    const own = { status, type: "default" };
    const response = new Response(null, { headers: { location } }, { [OWN]: own });
    freezeHeaders(response.headers);
    return response;
  }
}

function urlWithoutBase(url) {
  try {
    return new URL(String(url)).href;
  } catch {
    throw new TypeError(`Failed to parse URL from ${url}`);
  }
}

function statusOf(status) {
  const code = Math.trunc(Number(status));
  if (code >= 200 && code <= 599) return code;
  throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
}

/** A response that the host has received. */
export function receivedResponse(content, { status, statusText, url, redirected, headers }) {
  const own = { status, url, redirected, type: "basic", headers: receivedHeaders(headers) };
  return new Response(content, { statusText }, { [OWN]: own });
}

/** A request that the host has received, whose signal is that of its connection. */
export const receivedRequest = (content, { method, url, headers }, connection) =>
  new Request(url, { method }, { [OWN]: { content, headers: receivedHeaders(headers), connection } });

// Members of both interfaces are each one's own.
for (const type of [Request, Response]) {
  for (const member of BODY_MEMBERS) {
    Object.defineProperty(type.prototype, member, Object.getOwnPropertyDescriptor(Body.prototype, member));
  }
}
const REQUEST =
  "url method headers signal mode credentials cache redirect integrity keepalive referrer".split(" ");
const RESPONSE = ["status", "statusText", "ok", "headers", "type", "url", "redirected", "clone"];
defineInterface("Request", Request, [
  ...BODY_MEMBERS,
  ...REQUEST,
  ...["referrerPolicy", "destination", "duplex", "clone"],
]);
defineInterface("Response", Response, [...BODY_MEMBERS, ...RESPONSE, "error", "json", "redirect"]);
