// Stored files, as actions write and read them: blobs here, streams in the host.
import { begin, host } from "weir:engine";

import { Blob, blobOf, bytesOfBlob, joined } from "./blob.js";
import { handedOver, Incoming, send } from "./incoming.js";

/** Stores a blob; gives the id of its document when that is durable. */
export async function storeBlob(blob, { sha256 } = {}) {
  if (!(blob instanceof Blob)) {
    throw new TypeError("ctx.storage.store expects a Blob; `await response.blob()` is what a Response holds");
  }
  const content = bytesOfBlob(blob);
  const { whole, stream } = handedOver(content);
  const options = { contentType: blob.type || undefined, sha256, stream };
  const { ended } = begin(() => host.storage.store(options, whole), { isJson: true });
  const sent = stream === undefined ? undefined : send(content, stream);
  const id = await ended;
  await sent;
  return id;
}

/** Reads a stored file; null: it was deleted. */
export async function getBlob(id) {
  const file = await begin(() => host.storage.get(id), { isJson: true }).ended;
  if (file === null) return null;
  const [body, pieces] = [new Incoming(file.stream), []];
  for (let piece = await body.next(); piece !== undefined; piece = await body.next()) pieces.push(piece);
  return blobOf(joined(pieces), file.contentType ?? "");
}
