// The operations of the world's `db`, with texts and values instead of
// addresses. What each gave, or its error, lies in the area afterwards.

import { dbDelete, dbGet, dbGetMany, dbInsert, dbNormalizeId, dbPatch, dbReplace } from "../host/imports";
import { AREA, freeBlock, freeUtf8, takeText, Utf8, utf8 } from "../host/memory";
import { Id } from "../id";
import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";

/** No table: an operation on a document of whichever one. */
export const ANY: string = "";

/** Whether a table is named, as an option begins. */
// @ts-ignore: decorator
@inline
function given(table: Utf8): i32 {
  return table.length == 0 ? 0 : 1;
}

export function get(table: string, id: string): void {
  const name = utf8(table);
  const text = utf8(id);
  dbGet(given(name), name.start, name.length, text.start, text.length, AREA);
  freeUtf8(text);
  freeUtf8(name);
}

export function getMany<T>(table: string, ids: Array<Id<T>>): void {
  const name = utf8(table);
  const writer = new __WeirWriter();
  __weir_write<Array<Id<T>>>(writer, ids);
  dbGetMany(given(name), name.start, name.length, writer.data, writer.length, AREA);
  freeUtf8(name);
  writer.free();
}

/** The documents that `getMany` found; null where there is none. */
export function takeDocuments<T>(): Array<T | null> {
  const start = load<usize>(AREA, 4);
  const length = load<usize>(AREA, 8);
  const documents = __weir_read<Array<T | null>>(new __WeirReader(start, length, "reading documents"));
  freeBlock(start, length);
  return documents;
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

export function patch<F>(table: string, id: string, fields: F): void {
  const name = utf8(table);
  const writer = bare<F>(fields);
  const text = utf8(id);
  dbPatch(given(name), name.start, name.length, text.start, text.length, writer.data, writer.length, AREA);
  freeUtf8(text);
  freeUtf8(name);
  writer.free();
}

export function replace<T>(table: string, id: string, document: T): void {
  const name = utf8(table);
  const writer = bare<T>(document);
  const text = utf8(id);
  dbReplace(given(name), name.start, name.length, text.start, text.length, writer.data, writer.length, AREA);
  freeUtf8(text);
  freeUtf8(name);
  writer.free();
}

export function remove(table: string, id: string): void {
  const name = utf8(table);
  const text = utf8(id);
  dbDelete(given(name), name.start, name.length, text.start, text.length, AREA);
  freeUtf8(text);
  freeUtf8(name);
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
