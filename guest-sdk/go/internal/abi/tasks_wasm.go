package abi

// BeginQuery begins a query of the deployment, and gives the task's number.
func BeginQuery(path string, args []byte) (uint32, *Error) {
	pathAt, pathLen := textAt(path)
	argsAt, argsLen := bytesAt(args)
	tasksRunQuery(pathAt, pathLen, argsAt, argsLen, answerArea())
	return number()
}

// BeginMutation begins a mutation.
func BeginMutation(path string, args []byte) (uint32, *Error) {
	pathAt, pathLen := textAt(path)
	argsAt, argsLen := bytesAt(args)
	tasksRunMutation(pathAt, pathLen, argsAt, argsLen, answerArea())
	return number()
}

// BeginAction begins an action.
func BeginAction(path string, args []byte) (uint32, *Error) {
	pathAt, pathLen := textAt(path)
	argsAt, argsLen := bytesAt(args)
	tasksRunAction(pathAt, pathLen, argsAt, argsLen, answerArea())
	return number()
}

// BeginSleep begins to wait for so many milliseconds.
func BeginSleep(milliseconds float64) (uint32, *Error) {
	tasksSleep(milliseconds, answerArea())
	return number()
}

// number is that of a task or a stream.
func number() (uint32, *Error) {
	defer release()
	if err := hostError(); err != nil {
		return 0, err
	}
	return answer[1], nil
}

// Wait waits until a task has come to its end.
func Wait() (Completion, *Error) {
	tasksWait(answerArea())
	defer release()
	if err := hostError(); err != nil {
		return Completion{}, err
	}
	completion := Completion{Task: answer[1]}
	if !isSet(2) {
		completion.Answer = list(3)
		return completion, nil
	}
	code, message := text(3), text(5)
	var data []byte
	if isSet(7) {
		data = list(8)
	}
	completion.Err = &Error{Code: code, Message: message, Data: data}
	return completion, nil
}

// CancelTask gives a task up.
func CancelTask(task uint32) {
	tasksCancel(task)
}

// Send sends a request; a nil body is none, or a stream that the request names.
func Send(request, body []byte) (uint32, *Error) {
	requestAt, requestLen := bytesAt(request)
	bodyAt, bodyLen := bytesAt(body)
	httpSend(requestAt, requestLen, isThere(body), bodyAt, bodyLen, answerArea())
	return number()
}

// Respond begins the response of an HTTP action.
func Respond(response, body []byte) *Error {
	responseAt, responseLen := bytesAt(response)
	bodyAt, bodyLen := bytesAt(body)
	httpRespond(responseAt, responseLen, isThere(body), bodyAt, bodyLen, answerArea())
	defer release()
	return hostError()
}

func isThere(body []byte) uint32 {
	if body == nil {
		return 0
	}
	return 1
}

// ReadStream asks for the next piece of a stream.
func ReadStream(stream uint32) (uint32, *Error) {
	streamsRead(stream, answerArea())
	return number()
}

// CreateStream gives the number of a stream that the action writes.
func CreateStream() (uint32, *Error) {
	streamsCreate(answerArea())
	return number()
}

// WriteStream adds a piece to a stream.
func WriteStream(stream uint32, piece []byte) (uint32, *Error) {
	pieceAt, pieceLen := bytesAt(piece)
	streamsWrite(stream, pieceAt, pieceLen, answerArea())
	return number()
}

// CloseStream ends a stream; with a reason, it was broken off.
func CloseStream(stream uint32, reason string) {
	isBroken, reasonAt, reasonLen := tableAt(reason)
	streamsClose(stream, isBroken, reasonAt, reasonLen)
}
