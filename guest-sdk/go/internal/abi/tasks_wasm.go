package abi

import (
	"fmt"
	"os"
	"syscall"
)

// tasksFile is the descriptor under which the host's build of Go has the tasks: it can be read
// from, as Go's scheduler sees it, when a task has ended.
const tasksFile = 3

// tasksConn is that descriptor, once it is needed.
var tasksConn syscall.RawConn

// What a poll tells, in the order of the world's enum; anything else is that one has ended, or
// that none is under way.
const polledTime = 1

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

// Wait waits until a task has come to its end. Meanwhile the other goroutines go on, and Go's
// timers: when all of them wait, it is Go's scheduler that waits in the host. False: there is no
// end, or it was that of a task that was given up meanwhile.
func Wait() (Completion, bool, *Error) {
	if err := waitAsFile(); err != nil {
		message := fmt.Sprintf("Go's scheduler does not poll what the host gives it: %v", err)
		return Completion{}, false, &Error{Code: "InternalServerError", Message: message}
	}
	// Other goroutines have run since the scheduler was told, and may have given the task up.
	if tasksPoll(1, 0) == polledTime {
		return Completion{}, false, nil
	}
	completion, failed := take()
	return completion, failed == nil, failed
}

// waitAsFile waits as for a file from which there is nothing to be read yet.
func waitAsFile() error {
	if tasksConn == nil {
		conn, err := os.NewFile(tasksFile, "tasks").SyscallConn()
		if err != nil {
			return err
		}
		tasksConn = conn
	}
	// It is asked once before the wait, and once after it.
	hasWaited := false
	return tasksConn.Read(func(uintptr) bool {
		wasAsked := hasWaited
		hasWaited = true
		return wasAsked
	})
}

// take takes the end of a task; while there is none, everything stands still.
func take() (Completion, *Error) {
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
