// The operations of the world's `db`, with texts and values instead of
// addresses. What each gave, or its error, lies in the area afterwards.

import { dbDelete, dbGet, dbInsert, dbNormalizeId, dbPatch, dbReplace } from "../host/imports";
import { AREA, freeBlock, freeUtf8, takeText, utf8 } from "../host/memory";
import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";

export function get(id: string): void {
  const text = utf8(id);
  dbGet(0, 0, 0, text.start, text.length, AREA);
  freeUtf8(text);
}

/** The document that `get` found; null if there is none. */
export function takeDocument<T>(id: string): T | null {
  if (load<u8>(AREA, 4) == 0) return null;
  const start = load<usize>(AREA, 8);
  const length = load<usize>(AREA, 12);
  const document = __weir_read<T>(new __WeirReader(start, length, "reading the document", id));
  freeBlock(start, length);
  return document;
}

export function insert<T>(table: string, document: T): void {
  const writer = bare<T>(document);
  const name = utf8(table);
  dbInsert(name.start, name.length, writer.data, writer.length, AREA);
  freeUtf8(name);
  writer.free();
}

/** The id that `insert` gave. */
export function takeId(): string {
  return takeText(load<usize>(AREA, 4), load<usize>(AREA, 8));
}

export function patch<F>(id: string, fields: F): void {
  const writer = bare<F>(fields);
  const text = utf8(id);
  dbPatch(0, 0, 0, text.start, text.length, writer.data, writer.length, AREA);
  freeUtf8(text);
  writer.free();
}

export function replace<T>(id: string, document: T): void {
  const writer = bare<T>(document);
  const text = utf8(id);
  dbReplace(0, 0, 0, text.start, text.length, writer.data, writer.length, AREA);
  freeUtf8(text);
  writer.free();
}

export function remove(id: string): void {
  const text = utf8(id);
  dbDelete(0, 0, 0, text.start, text.length, AREA);
  freeUtf8(text);
}

/** The id in its canonical form; null if it is none of this table's. */
export function normalizeId(table: string, id: string): string | null {
  const name = utf8(table);
  const text = utf8(id);
  dbNormalizeId(name.start, name.length, text.start, text.length, AREA);
  freeUtf8(text);
  freeUtf8(name);
  return load<u8>(AREA) == 0 ? null : takeText(load<usize>(AREA, 4), load<usize>(AREA, 8));
}

/** A document as the host takes it: the system fields are the host's. */
function bare<T>(document: T): __WeirWriter {
  const writer = new __WeirWriter().withoutSystemFields();
  __weir_write<T>(writer, document);
  return writer;
}
