// What editors know of the SDK. The compiler itself takes `assembly/`; both say
// the same, but that a `Doc<T>` is a type of its own here.

/** A stored document: a value with its id and the time it was inserted. */
export type Doc<T> = T & {
  readonly _id: Id<T>;
  /** When it was inserted, in milliseconds since the epoch, with a fraction. */
  readonly _creationTime: f64;
};

/** The id of a document that holds a `T`. */
export declare class Id<T> {
  private readonly of: T;
  /** An id from its text. Whether it is one is found out when it is used. */
  constructor(text: string);
  /** The id's text, as clients see it. */
  toString(): string;
  /** The same id, as that of a document that holds a `U`. */
  cast<U>(): Id<U>;
}

/** A number or boolean that may be absent: `Box<f64> | null`. */
export declare class Box<T> {
  value: T;
  constructor(value: T);
}

/**
 * When a mutation committed: the order of commits. A mutation writes `CommitTimestamp.pending()`, which it reads back until
 * it has committed; then the field is the timestamp of the commit, in indexes too.
 */
export declare class CommitTimestamp {
  /** Nanoseconds on the database's clock. Of a pending one they are the largest number. */
  nanos: i64;
  constructor(nanos: i64);
  /** That of the mutation that runs. */
  static pending(): CommitTimestamp;
  /** Whether it is that of the mutation that runs, which is not known yet. */
  readonly isPending: bool;
}

/** An object made on the spot. Where a function takes one, an object literal becomes this. */
export declare class Fields {
  constructor();
  set<T>(name: string, value: T): this;
  setNull(name: string): this;
  /** Makes a patch remove the field. */
  remove(name: string): this;
}

/** An object literal, `Fields`, or an object of any class. */
export type AnyObject = Fields | object;

export declare enum ValueKind {
  Null,
  Int64,
  Float64,
  Boolean,
  String,
  Bytes,
  Array,
  Object,
}

/** Any value: for arguments and documents of any form. */
export declare class Value {
  /** A value from one whose type is known. */
  static of<T>(value: T): Value;
  readonly kind: ValueKind;
  readonly isNull: bool;
  readonly number: f64;
  readonly integer: i64;
  readonly boolean: bool;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly items: Array<Value>;
  readonly fields: Map<string, Value>;
  /** A field of an object; null if there is none, or this is no object. */
  get(field: string): Value | null;
}

/** Why an operation of the host, or a called function, gave no result. */
export declare class CallError {
  /** A stable, short name: `InvalidId`, `NotFound`, `ApplicationError`, ... . */
  readonly code: string;
  readonly message: string;
  /** The data of an application error. */
  readonly data: Value | null;
  /** Ends the call with this error. */
  passOn(): void;
}

/** What an operation gave: a value, or an error that the function may handle. */
export declare class Result<T> {
  /** The error; null if there is none. */
  readonly error: CallError | null;
  readonly isOk: bool;
  /** The value. If there is an error instead, it ends the call. */
  readonly value: T;
}

/** Ends the call with this error. The client reads the message. */
export declare function fail(message: string): never;
/** Ends the call with an application error: the client gets `data` itself. */
export declare function failWith<T>(data: T): never;

/** What functions can know of the host's own tables: `_indexes`, `_deployments`, `_storage`, `_scheduled_functions`. */
export declare class SystemReader {
  /** The document with this id; null when there is none. */
  get<T>(id: Id<T>): Doc<T> | null;
  /** Begins a query of a system table: `ctx.db.system.query<Value>("_indexes")`. */
  query<T>(table: string): Query<T>;
}

/** What every function can do with the database. */
export declare class DatabaseReader {
  /** The host's own tables, such as `_indexes`. They can be read. */
  readonly system: SystemReader;
  /** The document with this id; null when there is none, or it was deleted. */
  get<T>(id: Id<T>): Doc<T> | null;
  tryGet<T>(id: Id<T>): Result<Doc<T> | null>;
  /** The document of this table with this id. An id of another table is an error. */
  getIn<T>(table: string, id: Id<T>): Doc<T> | null;
  /** The documents with these ids, in their order, asked of the host at once; null where there is none. */
  getMany<T>(ids: Array<Id<T>>): Array<Doc<T> | null>;
  tryGetMany<T>(ids: Array<Id<T>>): Result<Array<Doc<T> | null>>;
  /** The documents of this table with these ids. An id of another table is an error. */
  getManyIn<T>(table: string, ids: Array<Id<T>>): Array<Doc<T> | null>;
  /** Begins a query of a table; nothing is read before a method that ends it. */
  query<T>(table: string): Query<T>;
  /** The id in its canonical form if it is one of this table's, whether or not the document exists. */
  normalizeId<T>(table: string, id: string): Id<T> | null;
}

/** What a mutation can do with the database: all that a query can, and write. */
export declare class DatabaseWriter extends DatabaseReader {
  /** Adds a document and gives its id. The table need not exist before. */
  insert<T>(table: string, document: T): Id<T>;
  tryInsert<T>(table: string, document: T): Result<Id<T>>;
  /** Sets some fields and leaves the others as they are; one that is `undefined` is removed. */
  patch<T>(id: Id<T>, fields: { [K in keyof T]?: T[K] | undefined } | Fields): void;
  patch<T, F>(id: Id<T>, fields: F): void;
  /** As `patch`, for a document of this table. An id of another one is an error. */
  patchIn<T>(table: string, id: Id<T>, fields: { [K in keyof T]?: T[K] | undefined } | Fields): void;
  patchIn<T, F>(table: string, id: Id<T>, fields: F): void;
  tryPatch<T>(id: Id<T>, fields: { [K in keyof T]?: T[K] | undefined } | Fields): Result<bool>;
  tryPatch<T, F>(id: Id<T>, fields: F): Result<bool>;
  /** Puts another value in the place of a document's; its id and creation time stay. */
  replace<T>(id: Id<T>, document: T): void;
  /** As `replace`, for a document of this table. An id of another one is an error. */
  replaceIn<T>(table: string, id: Id<T>, document: T): void;
  tryReplace<T>(id: Id<T>, document: T): Result<bool>;
  /** Removes a document. */
  delete<T>(id: Id<T>): void;
  /** As `delete`, for a document of this table. An id of another one is an error. */
  deleteIn<T>(table: string, id: Id<T>): void;
  tryDelete<T>(id: Id<T>): Result<bool>;
}

/** The value of a field, for `Query.filter`: `field("user").eq("ada")`. */
export declare function field(path: string): Expression;

/** A value that is computed from a document's fields: a number, a condition. */
export declare class Expression {
  eq<T>(other: T): Expression;
  neq<T>(other: T): Expression;
  lt<T>(other: T): Expression;
  lte<T>(other: T): Expression;
  gt<T>(other: T): Expression;
  gte<T>(other: T): Expression;
  and(other: Expression): Expression;
  or(other: Expression): Expression;
  not(): Expression;
  add<T>(other: T): Expression;
  sub<T>(other: T): Expression;
  mul<T>(other: T): Expression;
  div<T>(other: T): Expression;
  mod<T>(other: T): Expression;
  neg(): Expression;
}

/** A range of creation times: `new TimeRange().gte(start).lt(end)`. */
export declare class TimeRange {
  eq(value: f64): this;
  gt(value: f64): this;
  gte(value: f64): this;
  lt(value: f64): this;
  lte(value: f64): this;
}

/** A range of ids, in the order of their texts. */
export declare class IdRange<T> {
  eq(id: Id<T>): this;
  gt(id: Id<T>): this;
  gte(id: Id<T>): this;
  lt(id: Id<T>): this;
  lte(id: Id<T>): this;
}

/** A field of a document, or one within it: `meta.owner`. */
export type FieldPath<T> = (keyof T & string) | `${keyof T & string}.${string}`;

/**
 * Declares an index of the table that a class names with `@document`; the creation time is its last field by itself. It
 * stands at the top level of a file: `export const byTeam = index<Task>("by_team", ["team", "rank"]);`
 */
export declare function index<T>(name: string, fields: Array<FieldPath<T>>): Index<T>;
/** Declares an index that is built and cannot be read yet: make an `index` of it when it is to be. */
export declare function stagedIndex<T>(name: string, fields: Array<FieldPath<T>>): void;

/**
 * An index, or a range of it: first any of its fields equal to a value, in their order, with `eq`, then the next one
 * bounded from below and from above. A null is a field that is missing. Each method gives a new range.
 */
export declare class Index<T> {
  private readonly of: T;
  readonly name: string;
  eq<V>(value: V): Index<T>;
  gt<V>(value: V): Index<T>;
  gte<V>(value: V): Index<T>;
  lt<V>(value: V): Index<T>;
  lte<V>(value: V): Index<T>;
}

/** A range of an index by its name, whose bounds say which field they are on. A null is a field that is missing. */
export declare class IndexRange {
  eq<V>(field: string, value: V): this;
  gt<V>(field: string, value: V): this;
  gte<V>(field: string, value: V): this;
  lt<V>(field: string, value: V): this;
  lte<V>(field: string, value: V): this;
}

/** Which page of a query is wanted: a client's `paginationOpts`. */
export declare class PaginationOptions {
  /** The first page, of at most so many documents. */
  constructor(numItems: f64);
  numItems: f64;
  /** Where the page begins: the `continueCursor` of the one before; null for the first. */
  cursor: string | null;
  /** Where the page ends, instead of after so many documents. */
  endCursor: string | null;
  /** The number that clients give the pages of one list. */
  id: Box<f64> | null;
  /** After how many documents read the page ends, whether or not the filter dropped them. */
  maximumRowsRead: Box<f64> | null;
  /** After how many bytes read the page ends. */
  maximumBytesRead: Box<f64> | null;
  /** The page from a cursor on. */
  after(cursor: string): this;
}

/** A page of documents, as `usePaginatedQuery` takes it. */
export declare class PaginationResult<T> {
  page: Array<Doc<T>>;
  /** Whether this is the last page. */
  isDone: bool;
  /** Where the next page begins. */
  continueCursor: string;
  /** Where the page can be split in two. */
  splitCursor: string | null;
  /** `"SplitRecommended"` or `"SplitRequired"`, if it should be. */
  pageStatus: string | null;
}

/** A query of one table that has not been asked yet: all documents, the oldest first. */
export declare class Query<T> {
  /** Reads an index, in its order, or a range of it: `.withIndex(byTeam.eq("red"))`. */
  withIndex(index: Index<T>): this;
  /** Reads an index by its name, or a range of it. */
  withIndexNamed(name: string, range?: IndexRange | null): this;
  byCreationTime(range: TimeRange): this;
  byId(range: IdRange<T>): this;
  order(order: "asc" | "desc"): this;
  order(order: string): this;
  /** Leaves out the documents for which the condition does not hold; they count as read. */
  filter(condition: Expression): this;
  take(limit: u32): Array<Doc<T>>;
  tryTake(limit: u32): Result<Array<Doc<T>>>;
  collect(): Array<Doc<T>>;
  tryCollect(): Result<Array<Doc<T>>>;
  first(): Doc<T> | null;
  unique(): Doc<T> | null;
  iter(): Rows<T>;
  /** One page of the documents. A function reads one page; a cursor of another query ends the call. */
  paginate(options: PaginationOptions): PaginationResult<T>;
  tryPaginate(options: PaginationOptions): Result<PaginationResult<T>>;
  /** How many documents there are, without reading them; not of a query with a filter. */
  count(): f64;
  tryCount(): Result<f64>;
}

/** The documents of a query, as they come. */
export declare class Rows<T> {
  /** The next document; null at the end. */
  next(): Doc<T> | null;
  /** Stops before the end, and lets the host forget the query. */
  close(): void;
}

/** A generator of random numbers (xoshiro256++), not for secrets. */
export declare class Random {
  nextU64(): u64;
  nextF64(): f64;
  below(bound: u64): u64;
  fill(bytes: Uint8Array): void;
  shuffle<T>(items: Array<T>): void;
}

/** Who calls, by the claims of a verified token. */
export declare class Identity {
  readonly tokenIdentifier: string;
  readonly subject: string;
  readonly issuer: string;
  claim(name: string): Value | null;
}

/**
 * The value of a variable of the deployment. Null: there is none. What top-level code keeps of it is made anew by the
 * host when it changes.
 */
export declare function env(name: string): string | null;

/**
 * The SHA-256 digest of some bytes. To keep a secret that is random and long, such as a token, so that whoever reads the
 * table does not have it. Passwords are hashed with `ctx.hashPassword`.
 */
export declare function sha256(data: Uint8Array): Uint8Array;

/** A component that this project, or this component, mounts: see `component`. */
export declare class Component {
  /** The name of the mount. */
  readonly name: string;
  /**
   * The path of one of its public functions, `dir/module:function` or, for `default`, `module`. It is taken wherever a path
   * is: to be called, to be scheduled, and by `ctx.functionHandle`.
   */
  function(path: string): string;
}

/**
 * The component that is mounted by this name, in `host.toml` or `convex.config.ts`. Whether it is there is seen by a call.
 */
export declare function component(name: string): Component;

/** The arguments of a function that takes none: `{}`. */
export declare class NoArgs {}

/** A query that takes an `A` and gives an `R`. `host codegen` writes those of the components that are mounted. */
export declare class QueryReference<A, R> {
  constructor(path: string);
  /** The function's path, which is taken wherever a path is: by `ctx.functionHandle`, say. */
  readonly path: string;
  /** Runs the query, from a function of any kind. Its error is passed on. */
  run(ctx: CallCtx, args: A): R;
  /** The same; its error can be handled. */
  tryRun(ctx: CallCtx, args: A): Result<R>;
  /** Starts the query in an action, and gives the task to wait for. */
  start(ctx: ActionCtx, args: A): Task<R>;
}

/** A mutation that takes an `A` and gives an `R`. */
export declare class MutationReference<A, R> {
  constructor(path: string);
  readonly path: string;
  /** Runs the mutation, from a mutation or an action; of a query it does not compile. Its error is passed on. */
  run(ctx: MutationCtx | ActionCtx, args: A): R;
  /** The same; its error can be handled, and what it wrote is undone then. */
  tryRun(ctx: MutationCtx | ActionCtx, args: A): Result<R>;
  /** Starts the mutation in an action, and gives the task to wait for. */
  start(ctx: ActionCtx, args: A): Task<R>;
  /** Has it called after so many milliseconds. An error is passed on. */
  scheduleAfter(scheduler: Scheduler, milliseconds: f64, args: A): Id<ScheduledFunction>;
  /** Has it called at a time in milliseconds since the epoch. An error is passed on. */
  scheduleAt(scheduler: Scheduler, at: f64, args: A): Id<ScheduledFunction>;
}

/** An action that takes an `A` and gives an `R`. */
export declare class ActionReference<A, R> {
  constructor(path: string);
  readonly path: string;
  /** Runs the action, from another one. Its error is passed on. */
  run(ctx: ActionCtx, args: A): R;
  /** The same; its error can be handled. */
  tryRun(ctx: ActionCtx, args: A): Result<R>;
  /** Starts the action, and gives the task to wait for. */
  start(ctx: ActionCtx, args: A): Task<R>;
  /** Has it called after so many milliseconds. An error is passed on. */
  scheduleAfter(scheduler: Scheduler, milliseconds: f64, args: A): Id<ScheduledFunction>;
  /** Has it called at a time in milliseconds since the epoch. An error is passed on. */
  scheduleAt(scheduler: Scheduler, at: f64, args: A): Id<ScheduledFunction>;
}

/** What every function is given, of whatever kind: the time, random numbers, variables, and who calls. */
export declare class CallCtx {
  /**
   * The time in milliseconds since the epoch. In a query and a mutation it is that of the start, and stands still; in an
   * action it goes on.
   */
  now(): f64;
  /** A random number of at least 0 and below 1. */
  random(): f64;
  rng(): Random;
  /**
   * Random bytes for a secret, such as a token or a key, at most 65,536: nobody can foretell them, whatever else of the
   * call's random numbers is known.
   */
  randomBytes(length: i32): Uint8Array;
  /** The id of the request, as it stands in error messages and in the host's log. */
  requestId(): string;
  /** The value of a variable of the deployment. Null: there is none. A live query that read it runs again when it changes. */
  env(name: string): string | null;
  /**
   * A text by which any function can call that one, whichever component the two are of: it can be stored, and given to a
   * component as an argument. It is taken wherever a path is. An error (`FunctionNotFound`) is passed on.
   */
  functionHandle(path: string): string;
  /** The same; its error can be handled. */
  tryFunctionHandle(path: string): Result<string>;
  /** Who calls. Null: nobody in particular. In a component it is always nobody. */
  identity(): Identity | null;
}

/** The first parameter of a query: it reads, and cannot write. */
export declare class QueryCtx extends CallCtx {
  readonly db: DatabaseReader;
  /** What knows stored files. */
  readonly storage: StorageReader;
  /** Runs another query of the deployment; the path may be one of a component, or a handle. Its error is passed on. */
  runQuery<R>(path: string, args?: AnyObject): R;
  tryRunQuery<R>(path: string, args?: AnyObject): Result<R>;
  runQuery<R, A>(path: string, args: A): R;
  tryRunQuery<R, A>(path: string, args: A): Result<R>;
}

/** A time of the day, in UTC. */
export interface DailyTime {
  /** 0 to 23. */
  hourUTC: i32;
  /** 0 to 59; without it the host picks one by the job's name. */
  minuteUTC?: i32;
}

/**
 * Declares cron jobs, at the top level of a file: mutations and actions of this module that the host calls again and again, as
 * nobody in particular; they may be internal. What a job is made of must be written out there, because it is read when the
 * module is built. Its name is one that no other job of the deployment has.
 *
 * The host refuses a module with a job that cannot be: an hour of 24, a day that never comes. A job whose schedule a
 * deployment leaves as it is goes on as it was. One run of a job is under way at a time; runs that are late, because the one
 * before took too long or no host ran, are skipped, and said in the host's log.
 */
export declare const crons: {
  /** At once when it is first deployed, and then whenever so much time has passed. */
  interval(
    name: string,
    every: { seconds: i32 } | { minutes: i32 } | { hours: i32 },
    path: string,
    args?: AnyObject,
  ): void;
  /** Once in each hour. */
  hourly(name: string, at: { minuteUTC?: i32 }, path: string, args?: AnyObject): void;
  /** Once a day. */
  daily(name: string, at: DailyTime, path: string, args?: AnyObject): void;
  /** Once a week. */
  weekly(
    name: string,
    at: DailyTime & {
      dayOfWeek: "sunday" | "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday";
    },
    path: string,
    args?: AnyObject,
  ): void;
  /** Once a month, on a day from 1 to 31; a month that has no such day is left out. */
  monthly(name: string, at: DailyTime & { day: i32 }, path: string, args?: AnyObject): void;
  /** A cron expression of five fields: minute, hour, day of the month, month, day of the week (Sunday is 0). */
  cron(name: string, expression: string, path: string, args?: AnyObject): void;
};

/**
 * What has mutations and actions called later, each once, as nobody in particular. Scheduling is a part of the transaction:
 * a mutation that fails schedules nothing. From an action it is done at once. An action is begun once, and fails if the host
 * ends before it does. The error codes are `FunctionNotFound`, `WrongFunctionKind` (a query), `InvalidArguments`
 * (not one object, or larger than 4 MiB) and `InvalidTime` (no time, or more than five years ahead). More than 1,000 in a
 * transaction end it.
 */
export declare class Scheduler {
  /** Has a mutation or an action called after so many milliseconds; after 0 means right after this transaction. */
  runAfter(milliseconds: f64, path: string, args?: AnyObject): Id<ScheduledFunction>;
  tryRunAfter(milliseconds: f64, path: string, args?: AnyObject): Result<Id<ScheduledFunction>>;
  runAfter<A>(milliseconds: f64, path: string, args: A): Id<ScheduledFunction>;
  tryRunAfter<A>(milliseconds: f64, path: string, args: A): Result<Id<ScheduledFunction>>;
  /** Has a mutation called at a time in milliseconds since the epoch. One that has passed means at once. */
  runAt(at: f64, path: string, args?: AnyObject): Id<ScheduledFunction>;
  tryRunAt(at: f64, path: string, args?: AnyObject): Result<Id<ScheduledFunction>>;
  runAt<A>(at: f64, path: string, args: A): Id<ScheduledFunction>;
  tryRunAt<A>(at: f64, path: string, args: A): Result<Id<ScheduledFunction>>;
  /** Takes a scheduled function back. One that has come to its end is left as it is. */
  cancel(id: Id<ScheduledFunction>): void;
  tryCancel(id: Id<ScheduledFunction>): Result<bool>;
}

/**
 * A function that is to be called, or was: a document of the host's table `_scheduled_functions`, which is kept for a week
 * after its end. `ctx.db.system.get(id)` reads one.
 */
export declare class ScheduledFunction {
  /** The function, as Convex spells it: `notes.js:remind`. */
  name: string;
  /** Its arguments: one object. */
  args: Array<Value>;
  /** When it is due, in milliseconds since the epoch. */
  scheduledTime: f64;
  /** When it came to its end, in the same. Null: it has not. */
  completedTime: Box<f64> | null;
  /** How far it has come. */
  state: ScheduledState;
}

/** How far a scheduled function has come. */
export declare class ScheduledState {
  /** `"pending"`, `"inProgress"`, `"success"`, `"failed"` or `"canceled"`. */
  kind: string;
  /** Why it has failed. Null: it has not. */
  error: string | null;
}

/** What a query knows of stored files. The error code is `InvalidId`: not the id of a file. */
export declare class StorageReader {
  /** The URL by which everybody may fetch a file, for as long as it is there. Null: it was deleted. */
  getUrl(id: Id<StoredFile>): string | null;
  tryGetUrl(id: Id<StoredFile>): Result<string | null>;
  /** What is known of a file. Null: it was deleted. */
  getMetadata(id: Id<StoredFile>): FileMetadata | null;
  tryGetMetadata(id: Id<StoredFile>): Result<FileMetadata | null>;
}

/** What a mutation does with stored files, as a part of its transaction; it knows of them what a query does. */
export declare class StorageWriter extends StorageReader {
  /**
   * A URL to which a client may `POST` one file, within an hour: its bytes are the body, its type the `Content-Type`. The
   * response is `{"storageId": ID}`. It is good when the mutation is committed.
   */
  generateUploadUrl(): string;
  tryGenerateUploadUrl(): Result<string>;
  /** Deletes a file. Its URL is good for nothing from the commit on. An error is `NotFound`: it was deleted before. */
  delete(id: Id<StoredFile>): void;
  tryDelete(id: Id<StoredFile>): Result<bool>;
}

/** What is known of a stored file. */
export declare class FileMetadata {
  /** The file's name in its URL. */
  storageId: string;
  /** SHA-256 of its bytes, in hex. */
  sha256: string;
  /** How many bytes it has. */
  size: f64;
  /** Its media type. Null: nobody has said one. */
  contentType: string | null;
}

/**
 * A stored file: a document of the host's table `_storage`. `ctx.db.system.get(id)` reads one. An `Id<StoredFile>` is what an
 * upload answers and `store` gives; keep it in a document of your own.
 */
export declare class StoredFile {
  /** SHA-256 of its bytes, in hex. */
  sha256: string;
  /** How many bytes it has. */
  size: f64;
  /** Its media type. Null: nobody has said one. */
  contentType: string | null;
}

/** The first parameter of a mutation: it reads and writes, all or nothing. */
export declare class MutationCtx extends QueryCtx {
  readonly db: DatabaseWriter;
  /** What has other mutations, and actions, called later. */
  readonly scheduler: Scheduler;
  /** What makes upload URLs, and deletes stored files. */
  readonly storage: StorageWriter;
  /**
   * Hashes a password with argon2id and a salt of its own, for `verifyPassword`; the hash is a PHC string. It takes tens of
   * milliseconds, on threads that the host has for it: the mutation ends here, and runs again from its start when the hash
   * is there. An error (`InvalidPassword`: empty, or longer than 1,024 bytes; `Overloaded`) is passed on. More than 8 in a
   * call end it.
   */
  hashPassword(password: string): string;
  tryHashPassword(password: string): Result<string>;
  /**
   * Whether this is the password that was hashed; as slow as `hashPassword`. A further error is `InvalidPasswordHash`: not
   * an argon2id hash as a PHC string, or one that asks for too much.
   */
  verifyPassword(password: string, hash: string): bool;
  tryVerifyPassword(password: string, hash: string): Result<bool>;
  /** Runs another mutation of the deployment, all or nothing. Its error is passed on. */
  runMutation<R>(path: string, args?: AnyObject): R;
  tryRunMutation<R>(path: string, args?: AnyObject): Result<R>;
  runMutation<R, A>(path: string, args: A): R;
  tryRunMutation<R, A>(path: string, args: A): Result<R>;
  /**
   * Signs a token, a JWT, with the host's key (ES256). Anybody can verify it with the keys at `/.well-known/jwks.json`,
   * and read its claims. The host adds `iss` (`CONVEX_CLOUD_URL`), `iat` and `exp`, which the claims may not hold, nor
   * `nbf`, nor names that begin with `convex` or `cvx`. It is good for whole seconds, from one to an hour. An error
   * (`InvalidClaims`, `SigningFailed`) is passed on.
   */
  signJwt(claims: AnyObject, expiresInSeconds: f64): string;
  trySignJwt(claims: AnyObject, expiresInSeconds: f64): Result<string>;
  signJwt<A>(claims: A, expiresInSeconds: f64): string;
  trySignJwt<A>(claims: A, expiresInSeconds: f64): Result<string>;
}

/** What an action has started: it goes on while the action does something else. */
export declare class Task<T> {
  /** Waits for its end, and gives what came of it. An error ends the call. */
  wait(): T;
  tryWait(): Result<T>;
  /** Gives it up: nothing comes of it. A mutation that has begun may still be committed. */
  cancel(): void;
}

/** Names and values of headers, in their order. Names are the same in capitals and small letters. */
export declare class Headers {
  get(name: string): string | null;
  getAll(name: string): Array<string>;
  append(name: string, value: string): void;
  set(name: string, value: string): void;
  /** Each name with its value. */
  readonly entries: Array<Array<string>>;
}

/** A body that goes out, or one that came, to be read piece by piece. */
export declare class Body {
  /** Whether there is a body, be it empty. */
  readonly hasBody: bool;
  /** The next piece of a body that came; null at the end. An error (`BodyBroken`) ends the call. */
  next(): Uint8Array | null;
  /** The same, an empty piece at the end. */
  tryNext(): Result<Uint8Array>;
  /** All of the body, or what is left. An error (`BodyBroken`) ends the call. */
  bytes(): Uint8Array;
  tryBytes(): Result<Uint8Array>;
  text(): string;
  tryText(): Result<string>;
  /** The body as JSON. What is no JSON (`InvalidJson`) ends the call, and so does what is no `T`. */
  json<T>(): T;
  /** The same; that it is no JSON can be handled. Read a `Value` of what may be of any form. */
  tryJson<T>(): Result<T>;
  /** Gives up the rest of a body that nobody wants. */
  close(): void;
}

/** What requests and responses have alike: headers and a body. */
export declare class Message extends Body {
  headers: Headers;
}

/** A request: one that an action makes, or one that an HTTP action is to answer. */
export declare class Request extends Message {
  constructor(method: string, url: string);
  static get(url: string): Request;
  static post(url: string): Request;
  /** In capitals. */
  method: string;
  url: string;
  /** `"follow"`, `"manual"` (the response is what sends the request on), or `"error"`. */
  redirect: string;
  /** The path of the URL, as it is written there. */
  readonly path: string;
  /** The first value of a parameter of the URL's query; null if there is none. */
  query(name: string): string | null;
  withHeader(name: string, value: string): this;
  withText(text: string): this;
  withBytes(bytes: Uint8Array): this;
  /** With a body of plain JSON: every integer is a number. */
  withJson(value: AnyObject): this;
  withJson<A>(value: A): this;
  withRedirect(redirect: string): this;
}

/** A response: what a request was answered with, or what an HTTP action answers. */
export declare class Response extends Message {
  /** Of status 200 if none is given. */
  constructor(status?: i32);
  status: i32;
  /** Whether the status is one of success: from 200 to 299. */
  readonly ok: bool;
  /** Where it came from, after all redirects. */
  url: string;
  /** Whether the request was sent on to there. */
  redirected: bool;
  withHeader(name: string, value: string): this;
  withText(text: string): this;
  withBytes(bytes: Uint8Array): this;
  /** With a body of plain JSON: every integer is a number. */
  withJson(value: AnyObject): this;
  withJson<A>(value: A): this;
}

/** Writes a body piece by piece. What is not ended when the call ends was broken off if that failed. */
export declare class BodyWriter {
  /** Writes a text, and waits until there is room for the next piece. False: nobody reads any more. */
  write(text: string): bool;
  writeBytes(piece: Uint8Array): bool;
  end(): void;
  /** Ends it so that its reader sees that it is not all. */
  breakOff(reason: string): void;
}

/** A request whose body is written while it is sent. */
export declare class Upload {
  readonly body: BodyWriter;
  /** The response, which may be there before the body's end. */
  readonly response: Task<Response>;
}

/** What an action does with stored files: it stores and reads them, and all that a mutation does, each at once. */
export declare class StorageActionWriter extends StorageWriter {
  /**
   * Stores bytes as a file of a type, `""` for none, and gives its id when it is on disk. With a SHA-256, in hex or base64,
   * only bytes of that checksum are stored. An error (`DigestMismatch`, `InvalidDigest`, `FileTooLarge`, `StorageFull`,
   * `TooManyFiles`, `InvalidContentType`, `DiskFull`, `TooManyTasks`) is passed on.
   */
  store(bytes: Uint8Array, contentType?: string, sha256?: string): Id<StoredFile>;
  tryStore(bytes: Uint8Array, contentType?: string, sha256?: string): Result<Id<StoredFile>>;
  startStore(bytes: Uint8Array, contentType?: string, sha256?: string): Task<Id<StoredFile>>;
  /** Stores a file whose bytes are written from then on. One that breaks off (`IncompleteBody`) is not stored. */
  startWriting(contentType?: string, sha256?: string): FileWriter;
  /**
   * Reads a file. Null: it was deleted. Nothing of its bytes is fetched that nobody asks for. An error (`InvalidId`,
   * `StorageFailed`, `TooManyTasks`) is passed on.
   */
  get(id: Id<StoredFile>): FileContent | null;
  tryGet(id: Id<StoredFile>): Result<FileContent | null>;
  startGet(id: Id<StoredFile>): Task<FileContent | null>;
}

/** A file that is stored while it is written. */
export declare class FileWriter {
  /** Writes the bytes; the file is stored when it was ended. */
  readonly body: BodyWriter;
  /** The file's id, which is there when the file is on disk. */
  readonly id: Task<Id<StoredFile>>;
}

/** A stored file that is read: what is known of it, and its bytes. */
export declare class FileContent extends Body {
  readonly metadata: FileMetadata;
}

/**
 * The first parameter of an action and an HTTP action. It has no database: it calls queries and mutations, each a
 * transaction of its own. What is started goes on while the action does something else.
 */
export declare class ActionCtx extends CallCtx {
  /** What has functions called later. From an action each call is done at once, and durable. */
  readonly scheduler: Scheduler;
  /** What stores, reads and deletes files. */
  readonly storage: StorageActionWriter;
  /** Runs a query of the deployment. Its error is passed on. */
  runQuery<R>(path: string, args?: AnyObject): R;
  tryRunQuery<R>(path: string, args?: AnyObject): Result<R>;
  startQuery<R>(path: string, args?: AnyObject): Task<R>;
  runQuery<R, A>(path: string, args: A): R;
  tryRunQuery<R, A>(path: string, args: A): Result<R>;
  startQuery<R, A>(path: string, args: A): Task<R>;
  /** Runs a mutation of the deployment; what it wrote is on disk when this is over. Its error is passed on. */
  runMutation<R>(path: string, args?: AnyObject): R;
  tryRunMutation<R>(path: string, args?: AnyObject): Result<R>;
  startMutation<R>(path: string, args?: AnyObject): Task<R>;
  runMutation<R, A>(path: string, args: A): R;
  tryRunMutation<R, A>(path: string, args: A): Result<R>;
  startMutation<R, A>(path: string, args: A): Task<R>;
  /** Runs another action. Within one language a plain function does without it. Its error is passed on. */
  runAction<R>(path: string, args?: AnyObject): R;
  tryRunAction<R>(path: string, args?: AnyObject): Result<R>;
  startAction<R>(path: string, args?: AnyObject): Task<R>;
  runAction<R, A>(path: string, args: A): R;
  tryRunAction<R, A>(path: string, args: A): Result<R>;
  startAction<R, A>(path: string, args: A): Task<R>;
  /** Waits for so many milliseconds. */
  sleep(milliseconds: f64): void;
  startSleep(milliseconds: f64): Task<bool>;
  /**
   * Sends a request, and gives the response when its head is there, whatever its status is. An error (`FetchFailed`,
   * `AddressRefused`, `FetchTimedOut`, `InvalidRequest`, `TooManyTasks`) is passed on.
   */
  fetch(request: Request): Response;
  tryFetch(request: Request): Result<Response>;
  startFetch(request: Request): Task<Response>;
  /** Sends a request whose body is written from then on. */
  startUpload(request: Request): Upload;
  /** Begins the response of an HTTP action, whose body is written from then on. The action gives null then. */
  respond(response: Response): BodyWriter;
  /** As in a mutation; the action does nothing else meanwhile. */
  hashPassword(password: string): string;
  tryHashPassword(password: string): Result<string>;
  verifyPassword(password: string, hash: string): bool;
  tryVerifyPassword(password: string, hash: string): Result<bool>;
  signJwt(claims: AnyObject, expiresInSeconds: f64): string;
  trySignJwt(claims: AnyObject, expiresInSeconds: f64): Result<string>;
  signJwt<A>(claims: A, expiresInSeconds: f64): string;
  trySignJwt<A>(claims: A, expiresInSeconds: f64): Result<string>;
}

declare global {
  /** Makes an exported function a query: `@query` or `@query("name")`. */
  function query(target: Function, context?: any): any;
  function query(name: string): (target: Function, context?: any) => any;
  /** Makes an exported function a mutation. */
  function mutation(target: Function, context?: any): any;
  function mutation(name: string): (target: Function, context?: any) => any;
  /** A query that only other functions can call. */
  function internalQuery(target: Function, context?: any): any;
  function internalQuery(name: string): (target: Function, context?: any) => any;
  /** A mutation that only other functions can call. */
  function internalMutation(target: Function, context?: any): any;
  function internalMutation(name: string): (target: Function, context?: any) => any;
  /** Makes an exported function an action: it waits for the world. */
  function action(target: Function, context?: any): any;
  function action(name: string): (target: Function, context?: any) => any;
  /** An action that only other functions can call. */
  function internalAction(target: Function, context?: any): any;
  function internalAction(name: string): (target: Function, context?: any) => any;
  /**
   * Makes an exported function answer HTTP requests: `@httpAction("POST", "/hook")`, or `@httpAction("GET", "/files/*")`
   * for all paths that begin so. `(ctx: ActionCtx, request: Request): Response`, or `Response | null` for one that has
   * answered by `ctx.respond`.
   */
  function httpAction(method: string, path: string): (target: Function, context?: any) => any;
  /**
   * Says that objects of a class are the documents of a table, and declares it in the module's schema: the host holds
   * every document that is written to it against the class.
   */
  function document(table: string): (target: any, context?: any) => any;
  /** Leaves the table of a class out of the schema: another class or module declares it, or none. */
  function undeclared(target: any, context?: any): any;
  /** Says what a field is called as JSON, where that can be no name of a field: `@key("first-name") firstName: string`. */
  function key(name: string): (target: any, context?: any) => any;
  /** Says that a field is always there, as a value or as null, where a null is a field that is left out. */
  function orNull(target: any, context?: any): any;
}
