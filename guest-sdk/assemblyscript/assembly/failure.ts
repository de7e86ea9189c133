import { exitFail } from "./host/imports";
import { AREA, freeBlock, takeText, utf8 } from "./host/memory";
import { blank } from "./json/read";
import { __WeirReader } from "./json/reader";
import { Value } from "./json/value";
import { __WeirWriter } from "./json/writer";

/** Ends the call with this error. The client reads the message. */
export function fail(message: string): void {
  const text = utf8(message);
  exitFail(text.start, text.length, 0, 0, 0);
  unreachable();
}

/** Ends the call with an application error: the client gets `data` itself. */
export function failWith<T>(data: T): void {
  const writer = new __WeirWriter();
  __weir_write<T>(writer, data);
  exitFail(writer.data, writer.length, 1, writer.data, writer.length);
  unreachable();
}

/** `fail` for the SDK's own modules, which use it where a value is wanted. */
export function failText(message: string): void {
  fail(message);
}

/** What `throw` becomes. */
// @ts-ignore: decorator
@global
export function __weir_throw<T>(error: T): void {
  if (isString<T>()) fail(error);
  else fail(error.message);
}

/** Why an operation of the host, or a called function, gave no result. */
@final
export class CallError {
  constructor(
    /** A stable, short name: `InvalidId`, `NotFound`, `ApplicationError`, ... . */
    readonly code: string,
    /** What was wrong, in words. */
    readonly message: string,
    /** The data of an application error. */
    readonly data: Value | null = null,
  ) {}

  /** Ends the call with this error. */
  passOn(): void {
    const data = this.data;
    if (data === null) return fail(this.message);
    const writer = new __WeirWriter();
    __weir_write<Value>(writer, data);
    const text = utf8(this.message);
    exitFail(text.start, text.length, 1, writer.data, writer.length);
    unreachable();
  }
}

/** What an operation gave: a value, or an error that the function may handle. */
@final
export class Result<T> {
  /** The error; null if there is none. */
  error: CallError | null = null;
  private content!: T;

  static ok<T>(value: T): Result<T> {
    const result = blank<Result<T>>();
    result.content = value;
    return result;
  }

  static failed<T>(error: CallError): Result<T> {
    const result = blank<Result<T>>();
    result.error = error;
    return result;
  }

  get isOk(): bool {
    return this.error === null;
  }

  /** The value. If there is an error instead, it ends the call. */
  get value(): T {
    const error = this.error;
    if (error !== null) error.passOn();
    return this.content;
  }
}

/** Whether the area holds an error of the host. */
// @ts-ignore: decorator
@inline
export function hasFailed(): bool {
  return load<u8>(AREA) != 0;
}

/** Ends the call with the error in the area. */
export function passOnError(): void {
  if (!hasFailed()) return;
  exitFail(load<usize>(AREA, 12), load<usize>(AREA, 16), 0, 0, 0);
  unreachable();
}

/** The same for an error of `calls`, which may have data. */
export function passOnCallError(): void {
  if (!hasFailed()) return;
  exitFail(
    load<usize>(AREA, 12),
    load<usize>(AREA, 16),
    load<u8>(AREA, 20),
    load<usize>(AREA, 24),
    load<usize>(AREA, 28),
  );
  unreachable();
}

/** The error in the area; null if there is none. */
export function takeError(): CallError | null {
  if (!hasFailed()) return null;
  const code = takeText(load<usize>(AREA, 4), load<usize>(AREA, 8));
  return new CallError(code, takeText(load<usize>(AREA, 12), load<usize>(AREA, 16)));
}

/** The same for an error of `calls`, which may have data. */
export function takeCallError(): CallError | null {
  return hasFailed() ? takeCallErrorAt(AREA + 4) : null;
}

/** An error of `calls` that lies at an address. */
export function takeCallErrorAt(at: usize): CallError {
  let data: Value | null = null;
  if (load<u8>(at, 16) != 0) {
    const start = load<usize>(at, 20);
    const length = load<usize>(at, 24);
    data = __weir_read<Value>(new __WeirReader(start, length, "reading the data of an error"));
    freeBlock(start, length);
  }
  const code = takeText(load<usize>(at), load<usize>(at, 4));
  return new CallError(code, takeText(load<usize>(at, 8), load<usize>(at, 12)), data);
}
