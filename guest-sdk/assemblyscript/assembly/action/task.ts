// Work that goes on in the host while an action goes on. The language cannot wait for several things by itself, so
// they are started first, and waited for then, in any order.

import { CallError, Result, takeCallErrorAt, takeError } from "../failure";
import { tasksCancel, tasksWait } from "../host/imports";
import { AREA, freeBlock } from "../host/memory";

/** The end of a task that nobody has waited for yet. */
@final
class End {
  constructor(
    /** Null: the task gave what is there. */
    public error: CallError | null,
    public start: usize,
    public length: usize,
  ) {}
}

let ends: Map<u32, End> | null = null;

/** The ends that came before somebody waited for them. */
function early(): Map<u32, End> {
  let found = ends;
  if (found === null) {
    found = new Map<u32, End>();
    ends = found;
  }
  return found;
}

/** Waits for the end of a task; the ends of others are kept for those who wait for them. */
function endOf(task: u32): End {
  const kept = early();
  while (!kept.has(task)) {
    tasksWait(AREA);
    const refused = takeError();
    if (refused !== null) return new End(refused, 0, 0);
    const ended = load<u32>(AREA, 4);
    const end =
      load<u8>(AREA, 8) == 0
        ? new End(null, load<usize>(AREA, 12), load<usize>(AREA, 16))
        : new End(takeCallErrorAt(AREA + 12), 0, 0);
    kept.set(ended, end);
  }
  const end = kept.get(task);
  kept.delete(task);
  return end;
}

/** What was started, and can be waited for. */
export class Task<T> {
  private number: u32 = 0;
  private refused: CallError | null = null;
  private outcome: Result<T> | null = null;

  /** That of the task, or the error, which the host has just put into the area. */
  constructor() {
    const refused = takeError();
    if (refused !== null) this.refused = refused;
    else this.number = load<u32>(AREA, 4);
  }

  /** Waits for its end, and gives what came of it. An error ends the call. */
  wait(): T {
    return this.tryWait().value;
  }

  /** The same; its error can be handled. */
  tryWait(): Result<T> {
    const known = this.outcome;
    if (known !== null) return known;
    const outcome = this.find();
    this.outcome = outcome;
    return outcome;
  }

  private find(): Result<T> {
    const refused = this.refused;
    if (refused !== null) return Result.failed<T>(refused);
    const end = endOf(this.number);
    const error = end.error;
    if (error !== null) return Result.failed<T>(error);
    const value = this.read(end.start, end.length);
    freeBlock(end.start, end.length);
    return Result.ok<T>(value);
  }

  /** Makes the value of what the host gave. */
  protected read(start: usize, length: usize): T {
    return unreachable();
  }

  /** Gives it up: nothing comes of it. A mutation that has begun may still be committed. */
  cancel(): void {
    if (this.outcome !== null || this.refused !== null) return;
    tasksCancel(this.number);
    early().delete(this.number);
    this.refused = new CallError("Cancelled", "the task was given up");
  }
}

/** One of which only the end matters. */
export class DoneTask extends Task<bool> {
  protected read(start: usize, length: usize): bool {
    return true;
  }
}

/** One that gives bytes. */
export class BytesTask extends Task<Uint8Array> {
  protected read(start: usize, length: usize): Uint8Array {
    const bytes = new Uint8Array(<i32>length);
    memory.copy(bytes.dataStart, start, length);
    return bytes;
  }
}
