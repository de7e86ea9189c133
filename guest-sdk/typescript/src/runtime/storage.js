// Stored files: what `ctx.storage` of npm `convex` asks for.
import { host } from "./host.js";
import { ask } from "./host_errors.js";

/** What knows blobs: `storeBlob` and `getBlob` of `web/late/files.js`. */
let blobs;

/** Lets actions store and read blobs; `give` says what knows them, which is evaluated then. */
export function provideBlobs(give) {
  blobs = give;
}

/** The operations, by the names that npm `convex` has for them. */
export const storageOperations = {
  "1.0/storageGenerateUploadUrl": () => ask(() => host.storage.generateUploadUrl()),
  "1.0/storageGetUrl": ({ storageId }) => ask(() => host.storage.getUrl(String(storageId))) ?? null,
  "1.0/storageGetMetadata": ({ storageId }) => ask(() => host.storage.getMetadata(String(storageId))) ?? null,
  "1.0/storageDelete": ({ storageId }) => {
    ask(() => host.storage.delete(String(storageId)));
    return null;
  },
  // Of actions. Blobs are objects, and no JSON.
  "storage/storeBlob": ({ blob, options }) => blobs().storeBlob(blob, options),
  "storage/getBlob": ({ storageId }) => blobs().getBlob(String(storageId)),
};
