package weir

import (
	"errors"

	"weir.dev/go/internal/abi"
)

// failure is an error that the host knows more of than its text.
type failure struct {
	message string
	code    string
	// data is JSON for the client; nil when there is none.
	data []byte
}

func (failed *failure) Error() string {
	return failed.message
}

// AppError is an application error: the client gets data itself, as the data of
// a ConvexError. Use it for what a program is to react to.
func AppError(data any) error {
	json, err := Marshal(data)
	if err != nil {
		return errors.New("the data of an error cannot be written: " + err.Error())
	}
	return &failure{message: string(json), data: json}
}

// CodeOf gives the short name of an error that the host gave, such as NotFound or
// InvalidId, or that of a function which was called: ApplicationError for its own
// errors, FunctionNotFound, ...; "" for all others.
func CodeOf(err error) string {
	if failed := failureIn(err); failed != nil {
		return failed.code
	}
	return ""
}

// DataOf gives the data of an application error, and whether it has any.
func DataOf(err error) (Value, bool) {
	failed := failureIn(err)
	if failed == nil || failed.data == nil {
		return nil, false
	}
	var data Value
	return data, Unmarshal(failed.data, &data) == nil
}

func failureIn(err error) *failure {
	var failed *failure
	if errors.As(err, &failed) {
		return failed
	}
	return nil
}

func fromHost(err *abi.Error) error {
	if err == nil {
		return nil
	}
	return &failure{message: err.Message, code: err.Code, data: err.Data}
}

// toHost is an error as the host takes it: its text, and the data it has or wraps.
func toHost(err error) *abi.Failure {
	result := &abi.Failure{Message: err.Error()}
	if failed := failureIn(err); failed != nil {
		result.Data = failed.data
	}
	return result
}
