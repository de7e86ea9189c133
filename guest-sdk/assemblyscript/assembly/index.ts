// What a module's functions see. The names are those of the other SDKs, in this
// language's own case; `types/index.d.ts` says the same to editors.

export { Box } from "./json/box";
export { CommitTimestamp } from "./json/commit_timestamp";
export { Fields } from "./json/fields";
export { Value, ValueKind } from "./json/value";
export { Body, BodyWriter } from "./action/body";
export { ActionCtx } from "./action/ctx";
export { Upload } from "./action/fetch";
export { Headers, Message, Request, Response } from "./action/message";
export { FileContent, FileWriter, StorageActionWriter } from "./action/storage";
export { Task } from "./action/task";
export { Component, component } from "./component";
export { crons } from "./crons";
export { sha256 } from "./crypto";
export { CallCtx, MutationCtx, QueryCtx } from "./ctx";
export { DatabaseReader } from "./db/reader";
export { DatabaseWriter } from "./db/writer";
export { Expression, field } from "./db/filter";
export { Index, index, stagedIndex } from "./db/indexes";
export { PaginationOptions, PaginationResult } from "./db/page";
export { Query, Rows } from "./db/query";
export { IdRange, IndexRange, TimeRange } from "./db/range";
export { SystemReader } from "./db/system";
export { Doc } from "./doc";
export { env } from "./env";
export { CallError, fail, failWith, Result } from "./failure";
export { Id } from "./id";
export { Identity } from "./identity";
export { Random } from "./random";
export { ActionReference, MutationReference, NoArgs, QueryReference } from "./reference";
export { ScheduledFunction, ScheduledState, Scheduler } from "./scheduler";
export { FileMetadata, StorageReader, StorageWriter, StoredFile } from "./storage";
