// Stored files, as actions write and read them.

import { Result } from "../failure";
import { storageGet, storageStore } from "../host/imports";
import { AREA, freeUtf8, utf8 } from "../host/memory";
import { Id } from "../id";
import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";
import { FileMetadata, StorageWriter, StoredFile } from "../storage";
import { Body, BodyWriter, WHOLE_BYTES_MAX } from "./body";
import { Task } from "./task";

/** What an action does with stored files: it stores and reads them, and all that a mutation does, each at once. */
@final
export class StorageActionWriter extends StorageWriter {
  /**
   * Stores bytes as a file of a type, `""` for none, and gives its id when it is on disk. With a SHA-256, in hex or base64,
   * only bytes of that checksum are stored. An error (`DigestMismatch`, `InvalidDigest`, `FileTooLarge`, `StorageFull`,
   * `TooManyFiles`, `InvalidContentType`, `DiskFull`, `TooManyTasks`) is passed on.
   */
  store(bytes: Uint8Array, contentType: string = "", sha256: string = ""): Id<StoredFile> {
    return this.startStore(bytes, contentType, sha256).wait();
  }

  /** The same; its error can be handled. */
  tryStore(bytes: Uint8Array, contentType: string = "", sha256: string = ""): Result<Id<StoredFile>> {
    return this.startStore(bytes, contentType, sha256).tryWait();
  }

  /** Starts to store bytes, and gives the task to wait for. */
  startStore(bytes: Uint8Array, contentType: string = "", sha256: string = ""): Task<Id<StoredFile>> {
    if (bytes.length <= WHOLE_BYTES_MAX) return startStore(bytes, 0, contentType, sha256);
    const file = new FileWriter(contentType, sha256);
    file.body.writeWhole(bytes);
    return file.id;
  }

  /** Stores a file whose bytes are written from then on. */
  startWriting(contentType: string = "", sha256: string = ""): FileWriter {
    return new FileWriter(contentType, sha256);
  }

  /**
   * Reads a file. Null: it was deleted. Nothing of its bytes is fetched that nobody asks for. An error (`InvalidId`,
   * `StorageFailed`, `TooManyTasks`) is passed on.
   */
  get(id: Id<StoredFile>): FileContent | null {
    return this.startGet(id).wait();
  }

  /** The same; its error can be handled. */
  tryGet(id: Id<StoredFile>): Result<FileContent | null> {
    return this.startGet(id).tryWait();
  }

  /** Starts to read a file, and gives the task to wait for. */
  startGet(id: Id<StoredFile>): Task<FileContent | null> {
    const text = utf8(id.toString());
    storageGet(text.start, text.length, AREA);
    freeUtf8(text);
    return new GetTask();
  }
}

export const STORAGE_ACTION_WRITER: StorageActionWriter = new StorageActionWriter();

/** A file that is stored while it is written. */
@final
export class FileWriter {
  /** Writes the bytes; the file is stored when it was ended. */
  readonly body: BodyWriter;
  /** The file's id, which is there when the file is on disk. */
  readonly id: Task<Id<StoredFile>>;

  constructor(contentType: string, sha256: string) {
    const body = new BodyWriter();
    this.body = body;
    this.id = startStore(null, body.stream, contentType, sha256);
  }
}

/** A stored file that is read: what is known of it, and its bytes. */
@final
export class FileContent extends Body {
  readonly metadata: FileMetadata = new FileMetadata();
}

/** Stores bytes, or this stream. */
function startStore(bytes: Uint8Array | null, stream: u32, contentType: string, sha256: string): Task<Id<StoredFile>> {
  const writer = new __WeirWriter();
  writer.byte(0x7b);
  if (contentType.length > 0) {
    writer.key("contentType");
    writer.text(contentType);
  }
  if (sha256.length > 0) {
    writer.key("sha256");
    writer.text(sha256);
  }
  if (stream != 0) {
    writer.key("stream");
    writer.unsigned(stream);
  }
  writer.byte(0x7d);
  if (bytes === null) storageStore(writer.data, writer.length, 0, 0, 0, AREA);
  else storageStore(writer.data, writer.length, 1, bytes.dataStart, <usize>bytes.length, AREA);
  writer.free();
  return new StoreTask();
}

@final
class StoreTask extends Task<Id<StoredFile>> {
  protected read(start: usize, length: usize): Id<StoredFile> {
    return __weir_read<Id<StoredFile>>(new __WeirReader(start, length, "reading the id of a file"));
  }
}

@final
class GetTask extends Task<FileContent | null> {
  protected read(start: usize, length: usize): FileContent | null {
    const reader = new __WeirReader(start, length, "reading the head of a file");
    if (reader.takeNull()) return null;
    const file = new FileContent();
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) {
      if (reader.isKey("stream")) file.stream = __weir_read<u32>(reader);
      else if (!file.metadata.__weirReadField(reader)) reader.skip();
    }
    return file;
  }
}
