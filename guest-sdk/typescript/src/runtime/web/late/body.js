// What a request and a response carry, as the Fetch standard says.
import { isStream } from "../define.js";
import { Blob, blobOf, bytesOfBlob, joined } from "./blob.js";
import { decodeForm, encodeForm, FormData } from "./form_data.js";
import { Incoming, piecesOf } from "./incoming.js";

/** The members of {@link Body}. */
export const BODY_MEMBERS = ["body", "bodyUsed", "arrayBuffer", "blob", "bytes", "formData", "json", "text"];

/** The body of a message, or of a message that is made of it. */
export let contentOf;
/** Takes the body of a message for another one: it is used then. */
export let takeContent;
/** Two bodies of one: the message keeps the first, and the second is given. */
export let teeContent;

export class Body {
  /** Bytes that nobody writes to, or what comes from the host, until somebody asks for the stream; null: there is no body. */
  #content = null;
  #stream = null;
  #isUsed = false;

  static {
    contentOf = (message) => message.#content ?? message.#stream;
    takeContent = (message) => {
      const content = contentOf(message);
      if (content !== null) message.#use();
      return content;
    };
    teeContent = (message) => {
      message.#refuseUsed();
      if (message.#content instanceof Incoming) void message.body;
      if (message.#stream === null) return message.#content;
      const [first, second] = message.#stream.tee();
      message.#stream = first;
      return second;
    };
  }

  constructor(content) {
    if (isStream(content)) this.#stream = content;
    else this.#content = content;
  }

  get body() {
    if (this.#content !== null) {
      const content = this.#isUsed ? new Uint8Array(0) : this.#content;
      this.#stream = content instanceof Incoming ? content.stream() : blobOf(content, "").stream();
      this.#content = null;
      if (this.#isUsed) void this.#stream.cancel();
    }
    return this.#stream;
  }

  get bodyUsed() {
    return this.#isUsed || (this.#stream !== null && isDisturbed(this.#stream));
  }

  async arrayBuffer() {
    return (await this.#read()).slice().buffer;
  }

  async bytes() {
    return (await this.#read()).slice();
  }

  async blob() {
    return blobOf(await this.#read(), this.headers.get("content-type") ?? "");
  }

  async formData() {
    return decodeForm(await this.#read(), this.headers.get("content-type") ?? "");
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async text() {
    return new TextDecoder().decode(await this.#read());
  }

  async #read() {
    const content = contentOf(this);
    if (content === null) return new Uint8Array(0);
    this.#use();
    if (content instanceof Uint8Array) return content;
    const [pieces, all] = [piecesOf(content), []];
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) all.push(piece);
    return joined(all);
  }

  #use() {
    this.#refuseUsed();
    this.#isUsed = true;
  }

  #refuseUsed() {
    if (this.bodyUsed) throw new TypeError("Body is unusable: Body has already been read");
    if (this.#stream?.locked) throw new TypeError("Body is unusable: its stream is locked");
  }
}

/** Whether something was read of a stream, or it was cancelled: npm's streams say it nowhere else. */
const isDisturbed = (stream) => stream._disturbed === true;

/** A body that somebody gives: what a message carries, and the type that this has by itself. */
export function contentOfInit(init) {
  if (init === null || init === undefined) return { content: null };
  if (isStream(init)) {
    if (init.locked || isDisturbed(init)) throw new TypeError("Body: its stream is locked, or was read from");
    return { content: init };
  }
  if (init instanceof Blob) return { content: bytesOfBlob(init), type: init.type || undefined };
  if (init instanceof ArrayBuffer) return { content: new Uint8Array(init.slice(0)) };
  if (ArrayBuffer.isView(init)) {
    return { content: new Uint8Array(init.buffer, init.byteOffset, init.byteLength).slice() };
  }
  if (init instanceof FormData) {
    const { bytes, type } = encodeForm(init);
    return { content: bytes, type };
  }
  const content = new TextEncoder().encode(String(init));
  const isSearch = init instanceof URLSearchParams;
  const type = isSearch ? "application/x-www-form-urlencoded;charset=UTF-8" : "text/plain;charset=UTF-8";
  return { content, type };
}
