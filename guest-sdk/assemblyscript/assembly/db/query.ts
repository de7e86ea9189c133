// Queries of a table: what is asked, and the rows that come back in batches.

import { CallError, fail, hasFailed, passOnError, Result, takeError } from "../failure";
import { dbCount, dbPage, dbQuery, dbQueryClose, dbQueryNext } from "../host/imports";
import { AREA, freeBlock } from "../host/memory";
import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";
import { Expression } from "./filter";
import { Index } from "./indexes";
import { PaginationOptions, PaginationResult } from "./page";
import { IdRange, IndexRange, TimeRange } from "./range";

const NO_LIMIT: i64 = -1;

/**
 * A query of one table that has not been asked yet. By itself it gives all
 * documents, the oldest first.
 */
@final
export class Query<T> {
  private index: string = "";
  private bounds: __WeirWriter | null = null;
  private condition: Expression | null = null;
  private descending: bool = false;

  constructor(private table: string) {}

  /** Reads an index, in its order, or a range of it: `.withIndex(byTeam.eq("red"))`. */
  withIndex(index: Index<T>): this {
    this.index = index.name;
    this.bounds = index.bounds;
    return this;
  }

  /** Reads an index by its name, or a range of it. */
  withIndexNamed(name: string, range: IndexRange | null = null): this {
    this.index = name;
    this.bounds = range === null ? null : range.bounds;
    return this;
  }

  /** Reads a range of creation times. */
  byCreationTime(range: TimeRange): this {
    this.index = "by_creation_time";
    this.bounds = range.bounds;
    return this;
  }

  /** Reads a range of ids. */
  byId(range: IdRange<T>): this {
    this.index = "by_id";
    this.bounds = range.bounds;
    return this;
  }

  /** Sets the order, `"asc"` or `"desc"`; without it, `"asc"`. */
  order(order: string): this {
    assert(order == "asc" || order == "desc", 'an order is "asc" or "desc"');
    this.descending = order == "desc";
    return this;
  }

  /**
   * Leaves out the documents for which the condition does not hold; they count
   * as read. Where there are several, all must hold.
   */
  filter(condition: Expression): this {
    const earlier = this.condition;
    this.condition = earlier === null ? condition : earlier.and(condition);
    return this;
  }

  /** The first `limit` documents; fewer if there are fewer. */
  take(limit: u32): Array<T> {
    return this.rows(limit).rest();
  }

  /** The same; an error can be handled. */
  tryTake(limit: u32): Result<Array<T>> {
    return this.rows(limit).tryRest();
  }

  /** All documents. Mind that a call can read only so many. */
  collect(): Array<T> {
    return this.rows(NO_LIMIT).rest();
  }

  /** The same; an error can be handled. */
  tryCollect(): Result<Array<T>> {
    return this.rows(NO_LIMIT).tryRest();
  }

  /** The first document, if there is one. */
  first(): T | null {
    return this.rows(1).next();
  }

  /** The only document, if there is one. Several are an error. */
  unique(): T | null {
    const rows = this.rows(2);
    rows.keepIds();
    const found = rows.rest();
    if (found.length > 1) {
      const ids = rows.ids.join(", ");
      fail("unique() query returned more than one result from table " + this.table + ":\n [" + ids + ", ...]");
    }
    return found.length == 1 ? found[0] : null;
  }

  /**
   * The documents one by one. They come from the host in batches, so that one
   * can stop early without having read all.
   */
  iter(): Rows<T> {
    return this.rows(NO_LIMIT);
  }

  /**
   * One page of the documents. The options are a client's `paginationOpts`, as `usePaginatedQuery` gives them, or
   * `new PaginationOptions(20)`. A function reads one page. A cursor of another query ends the call.
   */
  paginate(options: PaginationOptions): PaginationResult<T> {
    this.askPage(options);
    passOnError();
    return this.takePage();
  }

  /** The same; an error can be handled. */
  tryPaginate(options: PaginationOptions): Result<PaginationResult<T>> {
    this.askPage(options);
    const error = takeError();
    if (error !== null) return Result.failed<PaginationResult<T>>(error);
    return Result.ok<PaginationResult<T>>(this.takePage());
  }

  private askPage(options: PaginationOptions): void {
    const plan = this.plan(NO_LIMIT);
    const wanted = new __WeirWriter();
    __weir_write<PaginationOptions>(wanted, options);
    dbPage(plan.data, plan.length, wanted.data, wanted.length, AREA);
    wanted.free();
    plan.free();
  }

  private takePage(): PaginationResult<T> {
    const start = load<usize>(AREA, 4);
    const length = load<usize>(AREA, 8);
    const reader = new __WeirReader(start, length, "reading documents of", this.table);
    const page = __weir_read<PaginationResult<T>>(reader);
    freeBlock(start, length);
    return page;
  }

  /**
   * How many documents there are: of a table in constant time, of a range of an index by its entries, each of which
   * counts as a document read. The documents themselves are not read. A query with a filter cannot be counted.
   */
  count(): f64 {
    this.askCount();
    passOnError();
    return <f64>load<u64>(AREA, 8);
  }

  /** The same; an error can be handled. */
  tryCount(): Result<f64> {
    this.askCount();
    const error = takeError();
    return error !== null ? Result.failed<f64>(error) : Result.ok<f64>(<f64>load<u64>(AREA, 8));
  }

  private askCount(): void {
    const plan = this.plan(NO_LIMIT);
    dbCount(plan.data, plan.length, AREA);
    plan.free();
    // A count has eight bytes, and an error stands where it would: four further than elsewhere.
    if (hasFailed()) memory.copy(AREA + 4, AREA + 8, 16);
  }

  private rows(limit: i64): Rows<T> {
    return new Rows<T>(this.table, this.plan(limit));
  }

  private plan(limit: i64): __WeirWriter {
    const plan = new __WeirWriter();
    plan.ascii('{"table":');
    plan.text(this.table);
    if (this.index.length != 0) {
      plan.ascii(',"index":');
      plan.text(this.index);
    }
    const bounds = this.bounds;
    if (bounds !== null && bounds.length > 1) {
      plan.ascii(',"range":');
      plan.raw(bounds.data, bounds.length);
      plan.byte(0x5d);
    }
    if (this.descending) plan.ascii(',"order":"desc"');
    const condition = this.condition;
    if (condition !== null) {
      plan.ascii(',"filter":');
      condition.__weirWrite(plan);
    }
    if (limit != NO_LIMIT) {
      plan.ascii(',"limit":');
      plan.unsigned(<u32>limit);
    }
    plan.byte(0x7d);
    return plan;
  }
}

/** Where the next batch of rows comes from. */
enum Source {
  /** The query has not been asked yet. */
  Begin,
  /** The host's cursor. */
  Cursor,
  /** Nowhere: that was all. */
  End,
}

/** The documents of a query, as they come. */
@final
export class Rows<T> {
  private source: Source = Source.Begin;
  private cursor: u32 = 0;
  private documents: Array<T> = [];
  private at: i32 = 0;

  constructor(
    private table: string,
    private plan: __WeirWriter,
  ) {}

  /** The ids of the documents, if they are kept; the documents themselves may have no place for them. */
  readonly ids: Array<string> = [];
  private keepsIds: bool = false;

  keepIds(): void {
    this.keepsIds = true;
  }

  /** The next document; null at the end. */
  next(): T | null {
    while (this.at == this.documents.length) {
      if (this.source == Source.End) return null;
      this.documents = [];
      this.at = 0;
      orFail(this.fetch(this.documents));
    }
    return unchecked(this.documents[this.at++]);
  }

  /** All that are left. */
  rest(): Array<T> {
    const rest = this.take();
    while (this.source != Source.End) orFail(this.fetch(rest));
    return rest;
  }

  /** The same; an error can be handled. */
  tryRest(): Result<Array<T>> {
    const rest = this.take();
    while (this.source != Source.End) {
      const error = this.fetch(rest);
      if (error !== null) return Result.failed<Array<T>>(error);
    }
    return Result.ok<Array<T>>(rest);
  }

  /** Stops before the end, and lets the host forget the query. */
  close(): void {
    if (this.source == Source.Cursor) dbQueryClose(this.cursor);
    this.source = Source.End;
    this.at = this.documents.length;
  }

  /** Those that have come already. */
  private take(): Array<T> {
    const taken = this.at == 0 ? this.documents : this.documents.slice(this.at);
    this.documents = [];
    this.at = 0;
    return taken;
  }

  /** Gets a batch, which may be empty before the end; gives the host's error. */
  private fetch(into: Array<T>): CallError | null {
    if (this.source == Source.Begin) {
      dbQuery(this.plan.data, this.plan.length, 0, AREA);
      this.plan.free();
    } else dbQueryNext(this.cursor, 0, AREA);
    this.source = Source.End;
    const error = takeError();
    if (error !== null) return error;
    const start = load<usize>(AREA, 4);
    const length = load<usize>(AREA, 8);
    if (load<u8>(AREA, 16) != 0) this.source = Source.Cursor;
    this.cursor = load<u32>(AREA, 20);
    if (this.keepsIds) readIds(this.reader(start, length), this.ids);
    const reader = this.reader(start, length);
    if (!reader.beginArray()) reader.mismatch("a list");
    for (let first = true; reader.nextItem(first); first = false) into.push(__weir_read<T>(reader));
    freeBlock(start, length);
    return null;
  }

  private reader(start: usize, length: usize): __WeirReader {
    return new __WeirReader(start, length, "reading documents of", this.table);
  }
}

function orFail(error: CallError | null): void {
  if (error !== null) error.passOn();
}

/** The ids of documents, whatever else they hold. */
function readIds(reader: __WeirReader, into: Array<string>): void {
  if (!reader.beginArray()) return;
  for (let first = true; reader.nextItem(first); first = false) {
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let isFirst = true; reader.nextKey(isFirst); isFirst = false) {
      if (reader.isKey("_id")) into.push(reader.text());
      else reader.skip();
    }
  }
}
