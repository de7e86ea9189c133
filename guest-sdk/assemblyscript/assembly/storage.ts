// Stored files, as queries and mutations know them.

import { passOnError, Result, takeError } from "./failure";
import { storageDelete, storageGenerateUploadUrl, storageGetMetadata, storageGetUrl } from "./host/imports";
import { AREA, freeBlock, freeUtf8, takeText, utf8 } from "./host/memory";
import { Id } from "./id";
import { __WeirReader } from "./json/reader";
import { __WeirWriter } from "./json/writer";

/** What a query knows of stored files. */
export class StorageReader {
  /**
   * The URL by which everybody may fetch a file, for as long as it is there. Null: it was deleted. An error (`InvalidId`: not
   * the id of a file) is passed on.
   */
  getUrl(id: Id<StoredFile>): string | null {
    askForUrl(id);
    passOnError();
    return takeUrl();
  }

  /** The same; its error can be handled. */
  tryGetUrl(id: Id<StoredFile>): Result<string | null> {
    askForUrl(id);
    const error = takeError();
    return error !== null ? Result.failed<string | null>(error) : Result.ok<string | null>(takeUrl());
  }

  /** What is known of a file. Null: it was deleted. An error (`InvalidId`) is passed on. */
  getMetadata(id: Id<StoredFile>): FileMetadata | null {
    askForMetadata(id);
    passOnError();
    return takeMetadata();
  }

  /** The same; its error can be handled. */
  tryGetMetadata(id: Id<StoredFile>): Result<FileMetadata | null> {
    askForMetadata(id);
    const error = takeError();
    return error !== null
      ? Result.failed<FileMetadata | null>(error)
      : Result.ok<FileMetadata | null>(takeMetadata());
  }
}

/** What a mutation does with stored files, as a part of its transaction; it knows of them what a query does. */
export class StorageWriter extends StorageReader {
  /**
   * A URL to which a client may `POST` one file, within an hour: its bytes are the body, its type the `Content-Type`. The
   * response is `{"storageId": ID}`. It is good when the mutation is committed.
   */
  generateUploadUrl(): string {
    storageGenerateUploadUrl(AREA);
    passOnError();
    return takeUploadUrl();
  }

  /** The same; its error can be handled. */
  tryGenerateUploadUrl(): Result<string> {
    storageGenerateUploadUrl(AREA);
    const error = takeError();
    return error !== null ? Result.failed<string>(error) : Result.ok<string>(takeUploadUrl());
  }

  /**
   * Deletes a file. Its URL is good for nothing from the commit on. An error (`InvalidId`, `NotFound`: it was deleted before)
   * is passed on.
   */
  delete(id: Id<StoredFile>): void {
    askToDelete(id);
    passOnError();
  }

  /** The same; its error can be handled. */
  tryDelete(id: Id<StoredFile>): Result<bool> {
    askToDelete(id);
    const error = takeError();
    return error !== null ? Result.failed<bool>(error) : Result.ok<bool>(true);
  }
}

export const STORAGE_READER: StorageReader = new StorageReader();
export const STORAGE_WRITER: StorageWriter = new StorageWriter();

function takeUploadUrl(): string {
  return takeText(load<usize>(AREA, 4), load<usize>(AREA, 8));
}

/** Asks for a URL; it, or the error, lies in the area. */
function askForUrl(id: Id<StoredFile>): void {
  const text = utf8(id.toString());
  storageGetUrl(text.start, text.length, AREA);
  freeUtf8(text);
}

/** The URL in the area, if there is one. */
function takeUrl(): string | null {
  return load<u8>(AREA, 4) == 0 ? null : takeText(load<usize>(AREA, 8), load<usize>(AREA, 12));
}

function askForMetadata(id: Id<StoredFile>): void {
  const text = utf8(id.toString());
  storageGetMetadata(text.start, text.length, AREA);
  freeUtf8(text);
}

function takeMetadata(): FileMetadata | null {
  if (load<u8>(AREA, 4) == 0) return null;
  const start = load<usize>(AREA, 8);
  const length = load<usize>(AREA, 12);
  const metadata = new FileMetadata();
  metadata.__weirRead(new __WeirReader(start, length, "reading what is known of a file"));
  freeBlock(start, length);
  return metadata;
}

function askToDelete(id: Id<StoredFile>): void {
  const text = utf8(id.toString());
  storageDelete(text.start, text.length, AREA);
  freeUtf8(text);
}

/** What `getMetadata` tells of a stored file. */
@final
export class FileMetadata {
  /** The file's name in its URL. */
  storageId: string = "";
  /** SHA-256 of its bytes, in hex. */
  sha256: string = "";
  /** How many bytes it has. */
  size: f64 = 0;
  /** Its media type. Null: nobody has said one. */
  contentType: string | null = null;

  __weirRead(reader: __WeirReader): void {
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) {
      if (!this.__weirReadField(reader)) reader.skip();
    }
  }

  /** Reads the field whose name was just read; false: it is none of these. */
  __weirReadField(reader: __WeirReader): bool {
    if (reader.isKey("storageId")) this.storageId = reader.text();
    else if (reader.isKey("sha256")) this.sha256 = reader.text();
    else if (reader.isKey("size")) this.size = reader.float();
    else if (reader.isKey("contentType")) this.contentType = reader.takeNull() ? null : reader.text();
    else return false;
    return true;
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.byte(0x7b);
    writer.key("storageId");
    writer.text(this.storageId);
    writer.key("sha256");
    writer.text(this.sha256);
    writer.key("size");
    writer.float(this.size);
    const contentType = this.contentType;
    if (contentType !== null) {
      writer.key("contentType");
      writer.text(contentType);
    }
    writer.byte(0x7d);
  }
}

/**
 * A stored file: a document of the host's table `_storage`. `ctx.db.system.get(id)` reads one. An `Id<StoredFile>` is what an
 * upload answers and `store` gives; keep it in a document of your own.
 */
// The transform reads the name of the table, for validators; that of a library is declared by nobody.
// @ts-ignore: decorator
@document("_storage")
@final
export class StoredFile {
  _id: Id<StoredFile> = changetype<Id<StoredFile>>(<usize>0);
  _creationTime: f64 = 0;
  /** SHA-256 of its bytes, in hex. */
  sha256: string = "";
  /** How many bytes it has. */
  size: f64 = 0;
  /** Its media type. Null: nobody has said one. */
  contentType: string | null = null;

  __weirRead(reader: __WeirReader): void {
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) {
      if (reader.isKey("_id")) this._id = __weir_read<Id<StoredFile>>(reader);
      else if (reader.isKey("_creationTime")) this._creationTime = reader.float();
      else if (reader.isKey("sha256")) this.sha256 = reader.text();
      else if (reader.isKey("size")) this.size = reader.float();
      else if (reader.isKey("contentType")) this.contentType = reader.text();
      else reader.skip();
    }
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.takesSystemFields();
    writer.byte(0x7b);
    writer.key("_id");
    __weir_write<Id<StoredFile>>(writer, this._id);
    writer.key("_creationTime");
    writer.float(this._creationTime);
    writer.key("sha256");
    writer.text(this.sha256);
    writer.key("size");
    writer.float(this.size);
    const contentType = this.contentType;
    if (contentType !== null) {
      writer.key("contentType");
      writer.text(contentType);
    }
    writer.byte(0x7d);
  }
}
