// The world's imports, in the flattened form of the canonical ABI: a text or a
// list is an address and a length, an option begins with 0 or 1, and a result
// of more than one number is written to an area whose address comes last.
// The layouts of those areas are in `results.ts`.

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "get")
export declare function dbGet(hasTable: i32, table: usize, tableLength: usize, id: usize, idLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "query")
export declare function dbQuery(plan: usize, planLength: usize, maxRows: u32, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "query-next")
export declare function dbQueryNext(cursor: u32, maxRows: u32, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "query-close")
export declare function dbQueryClose(cursor: u32): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "get-many")
export declare function dbGetMany(hasTable: i32, table: usize, tableLength: usize, ids: usize, idsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "page")
export declare function dbPage(plan: usize, planLength: usize, options: usize, optionsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "count")
export declare function dbCount(plan: usize, planLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "normalize-id")
export declare function dbNormalizeId(table: usize, tableLength: usize, id: usize, idLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "insert")
export declare function dbInsert(table: usize, tableLength: usize, document: usize, documentLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "patch")
export declare function dbPatch(hasTable: i32, table: usize, tableLength: usize, id: usize, idLength: usize, fields: usize, fieldsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "replace")
export declare function dbReplace(hasTable: i32, table: usize, tableLength: usize, id: usize, idLength: usize, document: usize, documentLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/db@0.1.0", "delete")
export declare function dbDelete(hasTable: i32, table: usize, tableLength: usize, id: usize, idLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/context@0.1.0", "now")
export declare function contextNow(): f64;

// @ts-ignore: decorator
@external("weir:guest/context@0.1.0", "random-seed")
export declare function contextRandomSeed(area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/context@0.1.0", "request-id")
export declare function contextRequestId(area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/context@0.1.0", "identity")
export declare function contextIdentity(area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/calls@0.1.0", "run-query")
export declare function callsRunQuery(path: usize, pathLength: usize, args: usize, argsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/calls@0.1.0", "run-mutation")
export declare function callsRunMutation(path: usize, pathLength: usize, args: usize, argsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/calls@0.1.0", "function-handle")
export declare function callsFunctionHandle(path: usize, pathLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/variables@0.1.0", "get")
export declare function variablesGet(name: usize, nameLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/auth@0.1.0", "sign-jwt")
export declare function authSignJwt(claims: usize, claimsLength: usize, options: usize, optionsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/crypto@0.1.0", "hash-password")
export declare function cryptoHashPassword(password: usize, passwordLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/crypto@0.1.0", "verify-password")
export declare function cryptoVerifyPassword(password: usize, passwordLength: usize, hash: usize, hashLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/crypto@0.1.0", "random-bytes")
export declare function cryptoRandomBytes(length: u32, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/crypto@0.1.0", "digest")
export declare function cryptoDigest(algorithm: usize, algorithmLength: usize, data: usize, dataLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/scheduler@0.1.0", "run-at")
export declare function schedulerRunAt(path: usize, pathLength: usize, args: usize, argsLength: usize, at: f64, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/scheduler@0.1.0", "cancel")
export declare function schedulerCancel(id: usize, idLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/exit@0.1.0", "fail")
export declare function exitFail(message: usize, messageLength: usize, hasData: i32, data: usize, dataLength: usize): void;

// @ts-ignore: decorator
@external("weir:guest/log@0.1.0", "write")
export declare function logWrite(level: i32, message: usize, messageLength: usize): void;

// @ts-ignore: decorator
@external("weir:guest/calls@0.1.0", "run-action")
export declare function callsRunAction(path: usize, pathLength: usize, args: usize, argsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/tasks@0.1.0", "run-query")
export declare function tasksRunQuery(path: usize, pathLength: usize, args: usize, argsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/tasks@0.1.0", "run-mutation")
export declare function tasksRunMutation(path: usize, pathLength: usize, args: usize, argsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/tasks@0.1.0", "run-action")
export declare function tasksRunAction(path: usize, pathLength: usize, args: usize, argsLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/tasks@0.1.0", "sleep")
export declare function tasksSleep(milliseconds: f64, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/tasks@0.1.0", "wait")
export declare function tasksWait(area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/tasks@0.1.0", "cancel")
export declare function tasksCancel(task: u32): void;

// @ts-ignore: decorator
@external("weir:guest/http@0.1.0", "send")
export declare function httpSend(request: usize, requestLength: usize, hasBody: i32, body: usize, bodyLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/http@0.1.0", "respond")
export declare function httpRespond(response: usize, responseLength: usize, hasBody: i32, body: usize, bodyLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/streams@0.1.0", "read")
export declare function streamsRead(stream: u32, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/streams@0.1.0", "create")
export declare function streamsCreate(area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/streams@0.1.0", "write")
export declare function streamsWrite(stream: u32, piece: usize, pieceLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/streams@0.1.0", "close")
export declare function streamsClose(stream: u32, isBroken: i32, reason: usize, reasonLength: usize): void;

// @ts-ignore: decorator
@external("weir:guest/storage@0.1.0", "generate-upload-url")
export declare function storageGenerateUploadUrl(area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/storage@0.1.0", "get-url")
export declare function storageGetUrl(id: usize, idLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/storage@0.1.0", "get-metadata")
export declare function storageGetMetadata(id: usize, idLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/storage@0.1.0", "delete")
export declare function storageDelete(id: usize, idLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/storage@0.1.0", "store")
export declare function storageStore(options: usize, optionsLength: usize, hasBody: i32, body: usize, bodyLength: usize, area: usize): void;

// @ts-ignore: decorator
@external("weir:guest/storage@0.1.0", "get")
export declare function storageGet(id: usize, idLength: usize, area: usize): void;
