package abi

import "unsafe"

// The world's imports by their canonical names. What does not fit into one
// result comes back through the last parameter, the address of an area of words.

//go:wasmimport weir:guest/db@0.1.0 get
func dbGet(hasTable uint32, table unsafe.Pointer, tableLen uint32, id unsafe.Pointer, idLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 query
func dbQuery(plan unsafe.Pointer, planLen uint32, maxRows uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 query-next
func dbQueryNext(cursor uint32, maxRows uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 query-close
func dbQueryClose(cursor uint32)

//go:wasmimport weir:guest/db@0.1.0 get-many
func dbGetMany(hasTable uint32, table unsafe.Pointer, tableLen uint32, ids unsafe.Pointer, idsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 page
func dbPage(plan unsafe.Pointer, planLen uint32, options unsafe.Pointer, optionsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 count
func dbCount(plan unsafe.Pointer, planLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 normalize-id
func dbNormalizeID(table unsafe.Pointer, tableLen uint32, id unsafe.Pointer, idLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 insert
func dbInsert(table unsafe.Pointer, tableLen uint32, document unsafe.Pointer, documentLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 patch
func dbPatch(hasTable uint32, table unsafe.Pointer, tableLen uint32, id unsafe.Pointer, idLen uint32, fields unsafe.Pointer, fieldsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 replace
func dbReplace(hasTable uint32, table unsafe.Pointer, tableLen uint32, id unsafe.Pointer, idLen uint32, document unsafe.Pointer, documentLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/db@0.1.0 delete
func dbDelete(hasTable uint32, table unsafe.Pointer, tableLen uint32, id unsafe.Pointer, idLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/calls@0.1.0 run-query
func callsRunQuery(path unsafe.Pointer, pathLen uint32, args unsafe.Pointer, argsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/calls@0.1.0 run-mutation
func callsRunMutation(path unsafe.Pointer, pathLen uint32, args unsafe.Pointer, argsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/calls@0.1.0 function-handle
func callsFunctionHandle(path unsafe.Pointer, pathLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/context@0.1.0 now
func contextNow() float64

//go:wasmimport weir:guest/context@0.1.0 random-seed
func contextRandomSeed(answer unsafe.Pointer)

//go:wasmimport weir:guest/context@0.1.0 request-id
func contextRequestID(answer unsafe.Pointer)

//go:wasmimport weir:guest/context@0.1.0 identity
func contextIdentity(answer unsafe.Pointer)

//go:wasmimport weir:guest/variables@0.1.0 get
func variablesGet(name unsafe.Pointer, nameLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/auth@0.1.0 sign-jwt
func authSignJWT(claims unsafe.Pointer, claimsLen uint32, options unsafe.Pointer, optionsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/crypto@0.1.0 hash-password
func cryptoHashPassword(password unsafe.Pointer, passwordLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/crypto@0.1.0 verify-password
func cryptoVerifyPassword(password unsafe.Pointer, passwordLen uint32, hash unsafe.Pointer, hashLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/crypto@0.1.0 random-bytes
func cryptoRandomBytes(length uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/scheduler@0.1.0 run-at
func schedulerRunAt(path unsafe.Pointer, pathLen uint32, args unsafe.Pointer, argsLen uint32, at float64, answer unsafe.Pointer)

//go:wasmimport weir:guest/scheduler@0.1.0 cancel
func schedulerCancel(id unsafe.Pointer, idLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/log@0.1.0 write
func logWrite(level uint32, message unsafe.Pointer, messageLen uint32)

//go:wasmimport weir:guest/tasks@0.1.0 run-query
func tasksRunQuery(path unsafe.Pointer, pathLen uint32, args unsafe.Pointer, argsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/tasks@0.1.0 run-mutation
func tasksRunMutation(path unsafe.Pointer, pathLen uint32, args unsafe.Pointer, argsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/tasks@0.1.0 run-action
func tasksRunAction(path unsafe.Pointer, pathLen uint32, args unsafe.Pointer, argsLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/tasks@0.1.0 sleep
func tasksSleep(milliseconds float64, answer unsafe.Pointer)

//go:wasmimport weir:guest/tasks@0.1.0 wait
func tasksWait(answer unsafe.Pointer)

//go:wasmimport weir:guest/tasks@0.1.0 poll
func tasksPoll(hasTime uint32, milliseconds float64) uint32

//go:wasmimport weir:guest/tasks@0.1.0 cancel
func tasksCancel(task uint32)

//go:wasmimport weir:guest/http@0.1.0 send
func httpSend(request unsafe.Pointer, requestLen uint32, hasBody uint32, body unsafe.Pointer, bodyLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/http@0.1.0 respond
func httpRespond(response unsafe.Pointer, responseLen uint32, hasBody uint32, body unsafe.Pointer, bodyLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/streams@0.1.0 read
func streamsRead(stream uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/streams@0.1.0 create
func streamsCreate(answer unsafe.Pointer)

//go:wasmimport weir:guest/streams@0.1.0 write
func streamsWrite(stream uint32, piece unsafe.Pointer, pieceLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/streams@0.1.0 close
func streamsClose(stream uint32, isBroken uint32, reason unsafe.Pointer, reasonLen uint32)

//go:wasmimport weir:guest/storage@0.1.0 generate-upload-url
func storageGenerateUploadURL(answer unsafe.Pointer)

//go:wasmimport weir:guest/storage@0.1.0 get-url
func storageGetURL(id unsafe.Pointer, idLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/storage@0.1.0 get-metadata
func storageGetMetadata(id unsafe.Pointer, idLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/storage@0.1.0 delete
func storageDelete(id unsafe.Pointer, idLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/storage@0.1.0 store
func storageStore(options unsafe.Pointer, optionsLen uint32, hasBody uint32, body unsafe.Pointer, bodyLen uint32, answer unsafe.Pointer)

//go:wasmimport weir:guest/storage@0.1.0 get
func storageGet(id unsafe.Pointer, idLen uint32, answer unsafe.Pointer)
