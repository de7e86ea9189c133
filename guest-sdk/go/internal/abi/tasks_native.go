//go:build !wasm

package abi

func noTasks() (uint32, *Error) {
	return 0, &Error{Code: "NoHost", Message: "actions run only within the host"}
}

// BeginQuery says that there is no host.
func BeginQuery(string, []byte) (uint32, *Error) { return noTasks() }

// BeginMutation says that there is no host.
func BeginMutation(string, []byte) (uint32, *Error) { return noTasks() }

// BeginAction says that there is no host.
func BeginAction(string, []byte) (uint32, *Error) { return noTasks() }

// BeginSleep says that there is no host.
func BeginSleep(float64) (uint32, *Error) { return noTasks() }

// Wait says that there is no host.
func Wait() (Completion, bool, *Error) {
	_, err := noTasks()
	return Completion{}, false, err
}

// CancelTask does nothing.
func CancelTask(uint32) {}

// Send says that there is no host.
func Send([]byte, []byte) (uint32, *Error) { return noTasks() }

// Respond says that there is no host.
func Respond([]byte, []byte) *Error {
	_, err := noTasks()
	return err
}

// ReadStream says that there is no host.
func ReadStream(uint32) (uint32, *Error) { return noTasks() }

// CreateStream says that there is no host.
func CreateStream() (uint32, *Error) { return noTasks() }

// WriteStream says that there is no host.
func WriteStream(uint32, []byte) (uint32, *Error) { return noTasks() }

// CloseStream does nothing.
func CloseStream(uint32, string) {}
