// Pages: a query's documents some at a time, from call to call.

import { Box } from "../json/box";
import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";

/** Which page of a query is wanted: a client's `paginationOpts`. */
@final
export class PaginationOptions {
  /** Where the page begins: the `continueCursor` of the one before; null for the first. */
  cursor: string | null = null;
  /** Where the page ends, instead of after so many documents. */
  endCursor: string | null = null;
  /** The number that clients give the pages of one list. */
  id: Box<f64> | null = null;
  /** After how many documents read the page ends, whether or not the filter dropped them. */
  maximumRowsRead: Box<f64> | null = null;
  /** After how many bytes read the page ends. */
  maximumBytesRead: Box<f64> | null = null;

  /** The first page, of at most so many documents. */
  constructor(public numItems: f64) {}

  /** The page from a cursor on. */
  after(cursor: string): this {
    this.cursor = cursor;
    return this;
  }

  __weirRead(reader: __WeirReader): void {
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) {
      if (reader.isKey("numItems")) this.numItems = reader.float();
      else if (reader.isKey("cursor")) this.cursor = __weir_read<string | null>(reader);
      else if (reader.isKey("endCursor")) this.endCursor = __weir_read<string | null>(reader);
      else if (reader.isKey("id")) this.id = __weir_read<Box<f64> | null>(reader);
      else if (reader.isKey("maximumRowsRead")) this.maximumRowsRead = __weir_read<Box<f64> | null>(reader);
      else if (reader.isKey("maximumBytesRead")) this.maximumBytesRead = __weir_read<Box<f64> | null>(reader);
      else reader.skip();
    }
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.takesSystemFields();
    writer.byte(0x7b);
    writer.key("numItems");
    writer.float(this.numItems);
    writer.key("cursor");
    __weir_write<string | null>(writer, this.cursor);
    const endCursor = this.endCursor;
    if (endCursor !== null) {
      writer.key("endCursor");
      writer.text(endCursor);
    }
    writeNumber(writer, "id", this.id);
    writeNumber(writer, "maximumRowsRead", this.maximumRowsRead);
    writeNumber(writer, "maximumBytesRead", this.maximumBytesRead);
    writer.byte(0x7d);
  }
}

function writeNumber(writer: __WeirWriter, name: string, value: Box<f64> | null): void {
  if (value === null) return;
  writer.key(name);
  writer.float(value.value);
}

/** A page of documents, as `usePaginatedQuery` takes it. */
@final
export class PaginationResult<T> {
  /** The documents, in the query's order. */
  page: Array<T> = [];
  /** Whether this is the last page. */
  isDone: bool = false;
  /** Where the next page begins. */
  continueCursor: string = "";
  /** Where the page can be split in two. */
  splitCursor: string | null = null;
  /** `"SplitRecommended"` or `"SplitRequired"`, if it should be. */
  pageStatus: string | null = null;

  __weirRead(reader: __WeirReader): void {
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) {
      if (reader.isKey("page")) this.page = __weir_read<Array<T>>(reader);
      else if (reader.isKey("isDone")) this.isDone = reader.bool();
      else if (reader.isKey("continueCursor")) this.continueCursor = reader.text();
      else if (reader.isKey("splitCursor")) this.splitCursor = __weir_read<string | null>(reader);
      else if (reader.isKey("pageStatus")) this.pageStatus = __weir_read<string | null>(reader);
      else reader.skip();
    }
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.takesSystemFields();
    writer.byte(0x7b);
    writer.key("page");
    __weir_write<Array<T>>(writer, this.page);
    writer.key("isDone");
    writer.bool(this.isDone);
    writer.key("continueCursor");
    writer.text(this.continueCursor);
    writer.key("splitCursor");
    __weir_write<string | null>(writer, this.splitCursor);
    writer.key("pageStatus");
    __weir_write<string | null>(writer, this.pageStatus);
    writer.byte(0x7d);
  }
}
