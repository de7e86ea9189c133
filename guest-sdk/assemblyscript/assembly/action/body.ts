// Bodies on their way: what comes from the host piece by piece, and what goes there.

import { CallError, failText, passOnError, Result } from "../failure";
import { streamsClose, streamsCreate, streamsRead, streamsWrite } from "../host/imports";
import { AREA, freeUtf8, utf8 } from "../host/memory";
import { __WeirReader } from "../json/reader";
import { isJson } from "../json/syntax";
import { BytesTask, DoneTask } from "./task";

/** A piece that is written at once. */
const PIECE_BYTES_MAX: i32 = 256 << 10;

/** A body that goes out, or one that came, to be read piece by piece. */
export class Body {
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
}

function textOf(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, <usize>bytes.length);
}

/** The largest body that is handed over in one go; a larger one is written piece by piece. */
export const WHOLE_BYTES_MAX: i32 = 4 << 20;

/** The next piece of a stream that the host gives; an empty one is the end. */
function readPiece(stream: u32): Result<Uint8Array> {
  streamsRead(stream, AREA);
  return new BytesTask().tryWait();
}

/** Does not read a stream any more. */
function giveUpStream(stream: u32): void {
  streamsClose(stream, 0, 0, 0);
}

/** Writes a body piece by piece. What is not ended when the call ends was broken off if that failed. */
@final
export class BodyWriter {
  /** The host's number of the stream. */
  readonly stream: u32;
  private isOpen: bool = true;

  constructor() {
    streamsCreate(AREA);
    passOnError();
    this.stream = load<u32>(AREA, 4);
  }

  /** Writes a text; see `writeBytes`. */
  write(text: string): bool {
    return this.writeBytes(Uint8Array.wrap(String.UTF8.encode(text)));
  }

  /** Writes a piece, and waits until there is room for the next one. False: nobody reads any more. */
  writeBytes(piece: Uint8Array): bool {
    if (!this.isOpen) failText("the body has ended: nothing can be written to it any more");
    for (let at = 0; at < piece.length; at += PIECE_BYTES_MAX) {
      const length = min(PIECE_BYTES_MAX, piece.length - at);
      streamsWrite(this.stream, piece.dataStart + <usize>at, <usize>length, AREA);
      const error = new DoneTask().tryWait().error;
      if (error === null) continue;
      if (error.code != "StreamClosed") error.passOn();
      return false;
    }
    return true;
  }

  /** Writes all of a body, and ends it. */
  writeWhole(bytes: Uint8Array): void {
    this.writeBytes(bytes);
    this.end();
  }

  /** Ends the body. */
  end(): void {
    if (this.isOpen) streamsClose(this.stream, 0, 0, 0);
    this.isOpen = false;
  }

  /** Ends it so that its reader sees that it is not all. */
  breakOff(reason: string): void {
    const text = utf8(reason);
    if (this.isOpen) streamsClose(this.stream, 1, text.start, text.length);
    freeUtf8(text);
    this.isOpen = false;
  }
}
