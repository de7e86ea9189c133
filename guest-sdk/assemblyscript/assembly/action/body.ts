// Bodies on their way: what comes from the host piece by piece, and what goes there.

import { failText, passOnError, Result } from "../failure";
import { streamsClose, streamsCreate, streamsRead, streamsWrite } from "../host/imports";
import { AREA, freeUtf8, utf8 } from "../host/memory";
import { BytesTask, DoneTask } from "./task";

/** A piece that is written at once. */
const PIECE_BYTES_MAX: i32 = 256 << 10;

/** The next piece of a stream that the host gives; an empty one is the end. */
export function readPiece(stream: u32): Result<Uint8Array> {
  streamsRead(stream, AREA);
  return new BytesTask().tryWait();
}

/** Does not read a stream any more. */
export function giveUpStream(stream: u32): void {
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
