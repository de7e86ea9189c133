package abi

import "unsafe"

// answerSpace is where the host puts results of several words. One is enough: a
// result is taken out of it before anything else is asked. A count has eight bytes,
// which want an address that eight divides.
var answerSpace [5]uint64

var answer = (*[10]uint32)(unsafe.Pointer(&answerSpace))

// asking tells the host's build of Go, at the address where it looks, whether the host is being
// asked: what runs meanwhile gives it memory, and can ask nothing itself, not even the time.
var asking = (*uint32)(unsafe.Add(nil, 12272))

// answerArea is where the host is to put its answer; it is asked right after.
func answerArea() unsafe.Pointer {
	*asking = 1
	return unsafe.Pointer(&answerSpace)
}

func textAt(text string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(text)), uint32(len(text))
}

func bytesAt(bytes []byte) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(bytes)), uint32(len(bytes))
}

// list takes what the host put into memory that cabi_realloc gave it.
func list(word int) []byte {
	length := answer[word+1]
	if length == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(unsafe.Add(nil, answer[word])), length)
}

func text(word int) string {
	bytes := list(word)
	return unsafe.String(unsafe.SliceData(bytes), len(bytes))
}

// isSet reads the first byte of a word: whether an option is there, or a result an error.
func isSet(word int) bool {
	return answer[word]&0xff != 0
}

func hostError() *Error {
	return hostErrorAt(1)
}

// hostErrorAt is an error in the words from this one on.
func hostErrorAt(word int) *Error {
	if !isSet(0) {
		return nil
	}
	// Memory is asked for when all has been taken: another goroutine may ask the host meanwhile.
	code, message := text(word), text(word+2)
	return &Error{Code: code, Message: message}
}

// tableAt is a table's name, if it is given: "" is none.
func tableAt(table string) (uint32, unsafe.Pointer, uint32) {
	if table == "" {
		return 0, nil, 0
	}
	at, length := textAt(table)
	return 1, at, length
}

// Get gives the document with this id, of this table if one is named; nil when there is none.
func Get(table, id string) ([]byte, *Error) {
	hasTable, tableAt, tableLen := tableAt(table)
	idAt, idLen := textAt(id)
	dbGet(hasTable, tableAt, tableLen, idAt, idLen, answerArea())
	defer release()
	if err := hostError(); err != nil || !isSet(1) {
		return nil, err
	}
	return list(2), nil
}

// GetMany gives a JSON array of the documents with these ids, a JSON array too.
func GetMany(table string, ids []byte) ([]byte, *Error) {
	hasTable, tableAt, tableLen := tableAt(table)
	idsAt, idsLen := bytesAt(ids)
	dbGetMany(hasTable, tableAt, tableLen, idsAt, idsLen, answerArea())
	defer release()
	if err := hostError(); err != nil {
		return nil, err
	}
	return list(1), nil
}

// Page gives a page of a query, as JSON.
func Page(plan, options []byte) ([]byte, *Error) {
	planAt, planLen := bytesAt(plan)
	optionsAt, optionsLen := bytesAt(options)
	dbPage(planAt, planLen, optionsAt, optionsLen, answerArea())
	defer release()
	if err := hostError(); err != nil {
		return nil, err
	}
	return list(1), nil
}

// Count gives how many documents a query has.
func Count(plan []byte) (uint64, *Error) {
	planAt, planLen := bytesAt(plan)
	dbCount(planAt, planLen, answerArea())
	defer release()
	if err := hostErrorAt(2); err != nil {
		return 0, err
	}
	return answerSpace[1], nil
}

// Query begins a query; the host chooses how many rows a batch has.
func Query(plan []byte) (Batch, *Error) {
	planAt, planLen := bytesAt(plan)
	dbQuery(planAt, planLen, 0, answerArea())
	return batch()
}

// QueryNext gives the next batch of a query.
func QueryNext(cursor uint32) (Batch, *Error) {
	dbQueryNext(cursor, 0, answerArea())
	return batch()
}

func batch() (Batch, *Error) {
	defer release()
	if err := hostError(); err != nil {
		return Batch{}, err
	}
	return Batch{Documents: list(1), Count: answer[3], HasMore: isSet(4), Cursor: answer[5]}, nil
}

// QueryClose drops a query before its end.
func QueryClose(cursor uint32) {
	dbQueryClose(cursor)
}

// NormalizeID gives an id of a table in its canonical form, if it is one.
func NormalizeID(table, id string) (string, bool) {
	tableAt, tableLen := textAt(table)
	idAt, idLen := textAt(id)
	dbNormalizeID(tableAt, tableLen, idAt, idLen, answerArea())
	defer release()
	if !isSet(0) {
		return "", false
	}
	return text(1), true
}

// Insert adds a document and gives its id.
func Insert(table string, document []byte) (string, *Error) {
	tableAt, tableLen := textAt(table)
	documentAt, documentLen := bytesAt(document)
	dbInsert(tableAt, tableLen, documentAt, documentLen, answerArea())
	defer release()
	if err := hostError(); err != nil {
		return "", err
	}
	return text(1), nil
}

// Patch sets some fields of a document.
func Patch(table, id string, fields []byte) *Error {
	hasTable, tableAt, tableLen := tableAt(table)
	idAt, idLen := textAt(id)
	fieldsAt, fieldsLen := bytesAt(fields)
	dbPatch(hasTable, tableAt, tableLen, idAt, idLen, fieldsAt, fieldsLen, answerArea())
	defer release()
	return hostError()
}

// Replace puts another document in the place of one.
func Replace(table, id string, document []byte) *Error {
	hasTable, tableAt, tableLen := tableAt(table)
	idAt, idLen := textAt(id)
	documentAt, documentLen := bytesAt(document)
	dbReplace(hasTable, tableAt, tableLen, idAt, idLen, documentAt, documentLen, answerArea())
	defer release()
	return hostError()
}

// Delete removes a document.
func Delete(table, id string) *Error {
	hasTable, tableAt, tableLen := tableAt(table)
	idAt, idLen := textAt(id)
	dbDelete(hasTable, tableAt, tableLen, idAt, idLen, answerArea())
	defer release()
	return hostError()
}

// RunQuery runs a query of the deployment.
func RunQuery(path string, args []byte) ([]byte, *Error) {
	pathAt, pathLen := textAt(path)
	argsAt, argsLen := bytesAt(args)
	callsRunQuery(pathAt, pathLen, argsAt, argsLen, answerArea())
	return callResult()
}

// RunMutation runs a mutation of the deployment.
func RunMutation(path string, args []byte) ([]byte, *Error) {
	pathAt, pathLen := textAt(path)
	argsAt, argsLen := bytesAt(args)
	callsRunMutation(pathAt, pathLen, argsAt, argsLen, answerArea())
	return callResult()
}

// FunctionHandle gives the handle of a function.
func FunctionHandle(path string) (string, *Error) {
	pathAt, pathLen := textAt(path)
	callsFunctionHandle(pathAt, pathLen, answerArea())
	handle, failed := callResult()
	return string(handle), failed
}

func callResult() ([]byte, *Error) {
	defer release()
	if !isSet(0) {
		return list(1), nil
	}
	var data []byte
	if isSet(5) {
		data = list(6)
	}
	err := hostError()
	err.Data = data
	return nil, err
}

// Now gives the time at the start of the call, in milliseconds since the epoch.
func Now() float64 {
	return contextNow()
}

// RandomSeed gives the call's 32 random bytes.
func RandomSeed() []byte {
	contextRandomSeed(answerArea())
	defer release()
	return list(0)
}

// RequestID gives the id of the request.
func RequestID() string {
	contextRequestID(answerArea())
	defer release()
	return text(0)
}

// Identity gives the caller's claims as JSON; nil for nobody in particular.
func Identity() []byte {
	contextIdentity(answerArea())
	defer release()
	if !isSet(0) {
		return nil
	}
	return list(1)
}

// Variable gives the value of a variable, and whether there is one.
func Variable(name string) (string, bool) {
	nameAt, nameLen := textAt(name)
	variablesGet(nameAt, nameLen, answerArea())
	defer release()
	if !isSet(0) {
		return "", false
	}
	return text(1), true
}

// HashPassword gives the hash of a password.
func HashPassword(password string) (string, *Error) {
	passwordAt, passwordLen := textAt(password)
	cryptoHashPassword(passwordAt, passwordLen, answerArea())
	defer release()
	if err := hostError(); err != nil {
		return "", err
	}
	return text(1), nil
}

// VerifyPassword tells whether a password is that of a hash.
func VerifyPassword(password, hash string) (bool, *Error) {
	passwordAt, passwordLen := textAt(password)
	hashAt, hashLen := textAt(hash)
	cryptoVerifyPassword(passwordAt, passwordLen, hashAt, hashLen, answerArea())
	defer release()
	if err := hostError(); err != nil {
		return false, err
	}
	return isSet(1), nil
}

// RandomBytes gives so many random bytes.
func RandomBytes(length uint32) ([]byte, *Error) {
	cryptoRandomBytes(length, answerArea())
	defer release()
	if err := hostError(); err != nil {
		return nil, err
	}
	return list(1), nil
}

// RunAt has a mutation called at a time, and gives the id of its document.
func RunAt(path string, args []byte, at float64) (string, *Error) {
	pathAt, pathLen := textAt(path)
	argsAt, argsLen := bytesAt(args)
	schedulerRunAt(pathAt, pathLen, argsAt, argsLen, at, answerArea())
	defer release()
	if err := hostError(); err != nil {
		return "", err
	}
	return text(1), nil
}

// Cancel takes a scheduled function back.
func Cancel(id string) *Error {
	idAt, idLen := textAt(id)
	schedulerCancel(idAt, idLen, answerArea())
	defer release()
	return hostError()
}

// Log writes one line.
func Log(level Level, message string) {
	messageAt, messageLen := textAt(message)
	logWrite(uint32(level), messageAt, messageLen)
}

// SignJWT gives a token of these claims, a JSON object.
func SignJWT(claims, options []byte) (string, *Error) {
	claimsAt, claimsLen := bytesAt(claims)
	optionsAt, optionsLen := bytesAt(options)
	authSignJWT(claimsAt, claimsLen, optionsAt, optionsLen, answerArea())
	defer release()
	if err := hostError(); err != nil {
		return "", err
	}
	return text(1), nil
}
