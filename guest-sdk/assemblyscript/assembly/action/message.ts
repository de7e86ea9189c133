// Requests and responses: what an action fetches, and what an HTTP action answers.

import { __WeirReader } from "../json/reader";
import { Fields } from "../json/fields";
import { __WeirWriter } from "../json/writer";
import { Body } from "./body";

/** Names and values, in their order. Names are the same in capitals and small letters. */
@final
export class Headers {
  private list: Array<Array<string>> = [];

  /** The first value of a header; null if there is none. */
  get(name: string): string | null {
    const values = this.getAll(name);
    return values.length == 0 ? null : values[0];
  }

  /** All values of a header. */
  getAll(name: string): Array<string> {
    const lower = name.toLowerCase();
    const values: Array<string> = [];
    for (let i = 0; i < this.list.length; i++) {
      if (this.list[i][0].toLowerCase() == lower) values.push(this.list[i][1]);
    }
    return values;
  }

  /** Adds a value. */
  append(name: string, value: string): void {
    this.list.push([name, value]);
  }

  /** Sets a header, in the place of all that it had. */
  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    const rest: Array<Array<string>> = [];
    for (let i = 0; i < this.list.length; i++) {
      if (this.list[i][0].toLowerCase() != lower) rest.push(this.list[i]);
    }
    rest.push([name, value]);
    this.list = rest;
  }

  /** Each name with its value, in their order. */
  get entries(): Array<Array<string>> {
    return this.list;
  }

  __weirRead(reader: __WeirReader): void {
    this.list = __weir_read<Array<Array<string>>>(reader);
  }

  __weirWrite(writer: __WeirWriter): void {
    __weir_write<Array<Array<string>>>(writer, this.list);
  }
}

/** What requests and responses have alike: headers and a body. */
export class Message extends Body {
  headers: Headers = new Headers();

  /** Sets the body, and what it is, unless a header says that. */
  protected setBody(bytes: Uint8Array, contentType: string): void {
    this.whole = bytes;
    if (contentType.length > 0 && this.headers.get("content-type") === null) {
      this.headers.append("content-type", contentType);
    }
  }

  protected setJson<A>(value: A): void {
    const writer = new __WeirWriter().asPlainJson();
    __weir_write<A>(writer, value);
    const bytes = new Uint8Array(<i32>writer.length);
    memory.copy(bytes.dataStart, writer.data, writer.length);
    writer.free();
    this.setBody(bytes, "application/json");
  }
}

const TEXT = "text/plain;charset=UTF-8";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

/** A request: one that an action makes, or one that an HTTP action is to answer. */
@final
export class Request extends Message {
  /** `"follow"`, `"manual"` (the response is what sends the request on), or `"error"`. */
  redirect: string = "follow";

  constructor(
    /** In capitals. */
    public method: string,
    public url: string,
  ) {
    super();
  }

  static get(url: string): Request {
    return new Request("GET", url);
  }

  static post(url: string): Request {
    return new Request("POST", url);
  }

  withHeader(name: string, value: string): this {
    this.headers.append(name, value);
    return this;
  }

  /** With a body of text. */
  withText(text: string): this {
    this.setBody(bytesOf(text), TEXT);
    return this;
  }

  withBytes(bytes: Uint8Array): this {
    this.setBody(bytes, "");
    return this;
  }

  /** With a body of plain JSON: every integer is a number. */
  withJson<A = Fields>(value: A): this {
    this.setJson<A>(value);
    return this;
  }

  withRedirect(redirect: string): this {
    this.redirect = redirect;
    return this;
  }

  /** The path of the URL, as it is written there. */
  get path(): string {
    const scheme = this.url.indexOf("://");
    const slash = this.url.indexOf("/", scheme < 0 ? 0 : scheme + 3);
    if (slash < 0) return "/";
    const path = this.url.substring(slash);
    const end = indexOfAny(path, "?", "#");
    return end < 0 ? path : path.substring(0, end);
  }

  /** The first value of a parameter of the URL's query; null if there is none. */
  query(name: string): string | null {
    const hash = this.url.indexOf("#");
    const url = hash < 0 ? this.url : this.url.substring(0, hash);
    const mark = url.indexOf("?");
    if (mark < 0) return null;
    const pairs = url.substring(mark + 1).split("&");
    for (let i = 0; i < pairs.length; i++) {
      const equals = pairs[i].indexOf("=");
      const own = equals < 0 ? pairs[i] : pairs[i].substring(0, equals);
      if (decoded(own) == name) return equals < 0 ? "" : decoded(pairs[i].substring(equals + 1));
    }
    return null;
  }
}

function indexOfAny(text: string, one: string, other: string): i32 {
  const first = text.indexOf(one);
  const second = text.indexOf(other);
  return first < 0 || (second >= 0 && second < first) ? second : first;
}

/** A part of a URL's query without its percent-encoding. */
function decoded(text: string): string {
  const bytes = bytesOf(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++, length++) {
    let byte = bytes[i];
    if (byte == 0x2b) byte = 0x20;
    else if (byte == 0x25 && i + 2 < bytes.length) {
      const high = hexDigit(bytes[i + 1]);
      const low = hexDigit(bytes[i + 2]);
      if (high >= 0 && low >= 0) {
        byte = <u8>((high << 4) | low);
        i += 2;
      }
    }
    bytes[length] = byte;
  }
  return String.UTF8.decodeUnsafe(bytes.dataStart, <usize>length);
}

function hexDigit(byte: u8): i32 {
  if (byte >= 0x30 && byte <= 0x39) return <i32>byte - 0x30;
  const letter = <i32>(byte | 0x20) - 0x61;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** A response: what a request was answered with, or what an HTTP action answers. */
@final
export class Response extends Message {
  /** Where it came from, after all redirects. */
  url: string = "";
  /** Whether the request was sent on to there. */
  redirected: bool = false;

  constructor(public status: i32 = 200) {
    super();
  }

  /** Whether the status is one of success: from 200 to 299. */
  get ok(): bool {
    return this.status >= 200 && this.status < 300;
  }

  withHeader(name: string, value: string): this {
    this.headers.append(name, value);
    return this;
  }

  /** With a body of text. */
  withText(text: string): this {
    this.setBody(bytesOf(text), TEXT);
    return this;
  }

  withBytes(bytes: Uint8Array): this {
    this.setBody(bytes, "");
    return this;
  }

  /** With a body of plain JSON: every integer is a number. */
  withJson<A = Fields>(value: A): this {
    this.setJson<A>(value);
    return this;
  }
}
