// `FormData`, as the XHR standard says, and its form on the wire, `multipart/form-data`.
import { defineInterface } from "../define.js";
import { Blob, bytesOfBlob, File, joined } from "./blob.js";

export class FormData {
  /** `[name, value]`: a value is a text or a file. */
  #entries = [];

  constructor(form) {
    if (form !== undefined) throw new TypeError("FormData: there are no forms here; it takes no argument");
  }

  append(...args) {
    this.#entries.push(entryOf("append", args));
  }

  set(...args) {
    const entry = entryOf("set", args);
    const at = this.#entries.findIndex(([name]) => name === entry[0]);
    if (at < 0) {
      this.#entries.push(entry);
      return;
    }
    this.#entries[at] = entry;
    this.#entries = this.#entries.filter(([name], i) => i <= at || name !== entry[0]);
  }

  delete(name) {
    const key = String(name);
    this.#entries = this.#entries.filter(([other]) => other !== key);
  }

  get(name) {
    return this.#entries.find(([other]) => other === String(name))?.[1] ?? null;
  }

  getAll(name) {
    return this.#entries.filter(([other]) => other === String(name)).map(([, value]) => value);
  }

  has(name) {
    return this.#entries.some(([other]) => other === String(name));
  }

  forEach(work, self) {
    for (const [name, value] of this) work.call(self, value, name, this);
  }

  *entries() {
    for (let i = 0; i < this.#entries.length; i++) yield [...this.#entries[i]];
  }

  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }
}

Object.defineProperty(FormData.prototype, Symbol.iterator, {
  value: FormData.prototype.entries,
  writable: true,
  configurable: true,
});

function entryOf(method, args) {
  const [name, value, filename] = args;
  if (args.length < 2) {
    throw new TypeError(`FormData.${method}: 2 arguments required, but only ${args.length} present`);
  }
  const key = String(name).toWellFormed();
  if (!(value instanceof Blob)) {
    if (args.length > 2) throw new TypeError(`FormData.${method}: what has a file's name must be a Blob`);
    return [key, String(value).toWellFormed()];
  }
  if (value instanceof File && filename === undefined) return [key, value];
  const lastModified = value instanceof File ? value.lastModified : undefined;
  return [key, new File([value], filename ?? "blob", { type: value.type, lastModified })];
}

const escaped = (name) => name.replace(/\r\n?|\n/g, "%0D%0A").replace(/"/g, "%22");
const lines = (text) => text.replace(/\r\n?|\n/g, "\r\n");

/** A form on the wire: its bytes, and the type that names their boundary. */
export function encodeForm(form) {
  // Of the call's seed: it need not be secret.
  const boundary = `----formdata-weir-${String(Math.random()).slice(2)}`;
  const encode = (text) => new TextEncoder().encode(text);
  const parts = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(lines(name))}"`;
    if (typeof value === "string") {
      parts.push(encode(`${head}\r\n\r\n${lines(value)}\r\n`));
      continue;
    }
    const type = value.type || "application/octet-stream";
    const file = `; filename="${escaped(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`;
    parts.push(encode(head + file), bytesOfBlob(value), encode("\r\n"));
  }
  parts.push(encode(`--${boundary}--\r\n`));
  return { bytes: joined(parts), type: `multipart/form-data; boundary=${boundary}` };
}

/** The form of a body of such a type. */
export function decodeForm(bytes, type) {
  const form = new FormData();
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    const text = new TextDecoder().decode(bytes);
    for (const [name, value] of new URLSearchParams(text)) form.append(name, value);
    return form;
  }
  const boundary = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  if (boundary === null) throw new TypeError(`A body of the type ${type || "(none)"} is not a form`);
  // One unit for each byte, so that places in the text are places in the bytes.
  const text = latin1(bytes);
  const mark = `--${boundary[1] ?? boundary[2]}`;
  let at = text.indexOf(mark);
  for (;;) {
    if (at < 0) throw new TypeError("The form ends before its last boundary");
    at += mark.length;
    if (text.startsWith("--", at)) return form;
    const end = text.indexOf(`\r\n${mark}`, at);
    if (end < 0) throw new TypeError("The form ends before its last boundary");
    appendPart(form, bytes.subarray(at, end), text.slice(at, end));
    at = end + 2;
  }
}

function appendPart(form, bytes, text) {
  const split = text.indexOf("\r\n\r\n");
  const decode = (part) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(part);
  const head = decode(bytes.subarray(0, Math.max(split, 0)));
  const parameter = (name) => new RegExp(`;\\s*${name}="([^"]*)"`, "i").exec(head)?.[1];
  const unescaped = (value) => value?.replace(/%0D%0A/gi, "\r\n").replace(/%22/g, '"');
  const name = unescaped(parameter("name"));
  if (split < 0 || name === undefined) throw new TypeError("A part of the form has no name");
  const content = bytes.slice(split + 4);
  const filename = unescaped(parameter("filename"));
  if (filename === undefined) {
    form.append(name, decode(content));
    return;
  }
  const type = /^content-type:\s*(.*?)\s*$/im.exec(head)?.[1] ?? "text/plain";
  form.append(name, new File([content], filename, { type }));
}

/** A text with one unit for each byte. */
function latin1(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096));
  }
  return text;
}

const MEMBERS = ["append", "set", "delete", "get", "getAll", "has", "forEach", "entries", "keys", "values"];
defineInterface("FormData", FormData, MEMBERS);
