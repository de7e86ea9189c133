// Package abi is the border to the host: the world's functions in Go's types.
// It alone knows the canonical ABI; outside of WebAssembly, every call of it says
// that there is no host.
package abi

// Level tells how much a log line matters, in the order of the world's enum.
type Level uint32

// The levels of log lines.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelLog
	LevelWarn
	LevelError
)

// Error is why the host did not do what it was asked, or why a called function failed.
type Error struct {
	Code    string
	Message string
	// Data is the JSON of an application error; nil when there is none.
	Data []byte
}

// Batch is a part of a query's answer.
type Batch struct {
	// Documents is a JSON array.
	Documents []byte
	Count     uint32
	// Cursor says where the rest begins, if HasMore.
	Cursor  uint32
	HasMore bool
}

// Completion is the end of a task.
type Completion struct {
	Task   uint32
	Answer []byte
	// Err is why there is no answer.
	Err *Error
}

// Failure is a function's own error.
type Failure struct {
	Message string
	// Data is the JSON of an application error; nil when there is none.
	Data []byte
}

// Module is what answers the host's two questions.
type Module struct {
	// Describe gives the manifest.
	Describe func() []byte
	// Call runs a function; one of its results is nil.
	Call func(path string, args []byte) ([]byte, *Failure)
	// WarmUp runs once while the module is built, after every init.
	WarmUp func()
}

var module Module

// Serve sets what answers the host.
func Serve(answers Module) {
	module = answers
}
