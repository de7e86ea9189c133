// Requests and responses: what an action fetches, and what an HTTP action answers.

import { CallError, Result } from "../failure";
import { isJson } from "../json/syntax";
import { __WeirReader } from "../json/reader";
import { Fields } from "../json/fields";
import { __WeirWriter } from "../json/writer";
import { giveUpStream, readPiece } from "./body";

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
export class Message {
  headers: Headers = new Headers();
  /** The body that goes out; null: none, or a stream. */
  whole: Uint8Array | null = null;
  /** The stream that the body is; 0: it is none. */
  stream: u32 = 0;
  private isOver: bool = false;

  /** Whether there is a body, be it empty. */
  get hasBody(): bool {
    return this.stream != 0 || this.whole !== null;
  }

  /** The next piece of a body that came; null at the end. An error (`BodyBroken`) ends the call. */
  next(): Uint8Array | null {
    const piece = this.tryNext().value;
    return piece.length == 0 ? null : piece;
  }

  /** The same, an empty piece at the end; its error can be handled. */
  tryNext(): Result<Uint8Array> {
    if (this.stream == 0) {
      const whole = this.whole;
      this.whole = null;
      return Result.ok<Uint8Array>(whole === null ? new Uint8Array(0) : whole);
    }
    if (this.isOver) return Result.ok<Uint8Array>(new Uint8Array(0));
    const piece = readPiece(this.stream);
    this.isOver = piece.error !== null || piece.value.length == 0;
    return piece;
  }

  /** All of the body, or what is left. An error (`BodyBroken`) ends the call. */
  bytes(): Uint8Array {
    return this.tryBytes().value;
  }

  /** The same; its error can be handled. */
  tryBytes(): Result<Uint8Array> {
    const pieces: Array<Uint8Array> = [];
    let length = 0;
    for (;;) {
      const next = this.tryNext();
      if (next.error !== null) return next;
      const piece = next.value;
      if (piece.length == 0) break;
      pieces.push(piece);
      length += piece.length;
    }
    if (pieces.length == 1) return Result.ok<Uint8Array>(pieces[0]);
    const whole = new Uint8Array(length);
    let at = whole.dataStart;
    for (let i = 0; i < pieces.length; i++) {
      memory.copy(at, pieces[i].dataStart, <usize>pieces[i].length);
      at += <usize>pieces[i].length;
    }
    return Result.ok<Uint8Array>(whole);
  }

  /** The body as text. An error (`BodyBroken`) ends the call. */
  text(): string {
    return textOf(this.bytes());
  }

  /** The same; its error can be handled. */
  tryText(): Result<string> {
    const bytes = this.tryBytes();
    const error = bytes.error;
    return error !== null ? Result.failed<string>(error) : Result.ok<string>(textOf(bytes.value));
  }

  /** The body as JSON. What is no JSON, or no `T`, ends the call. */
  json<T>(): T {
    return this.tryJson<T>().value;
  }

  /** The same; that it is no JSON (`InvalidJson`) can be handled. */
  tryJson<T>(): Result<T> {
    const read = this.tryBytes();
    const error = read.error;
    if (error !== null) return Result.failed<T>(error);
    const bytes = read.value;
    const length = <usize>bytes.length;
    if (!isJson(bytes.dataStart, length)) {
      return Result.failed<T>(new CallError("InvalidJson", "reading a body as JSON: it is none"));
    }
    return Result.ok<T>(__weir_read<T>(new __WeirReader(bytes.dataStart, length, "reading a body as JSON")));
  }

  /** Gives up the rest of a body that nobody wants. */
  close(): void {
    if (this.stream != 0 && !this.isOver) giveUpStream(this.stream);
    this.isOver = true;
  }

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

function textOf(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, <usize>bytes.length);
}

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
