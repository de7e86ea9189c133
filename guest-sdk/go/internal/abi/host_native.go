//go:build !wasm

package abi

import (
	"fmt"
	"os"
)

// What stands in for the host outside of WebAssembly, so that editors, `go vet`
// and tests of code that needs no host work.

const noContext = "weir: a function's context exists only within the host; test functions with weir.dev/go/weirtest"

func noDatabase() *Error {
	return &Error{Code: "NoHost", Message: "a database exists only within the host"}
}

func noCalls() *Error {
	return &Error{Code: "NoHost", Message: "other functions exist only within the host"}
}

// Get says that there is no host.
func Get(string, string) ([]byte, *Error) { return nil, noDatabase() }

// GetMany says that there is no host.
func GetMany(string, []byte) ([]byte, *Error) { return nil, noDatabase() }

// Page says that there is no host.
func Page([]byte, []byte) ([]byte, *Error) { return nil, noDatabase() }

// Count says that there is no host.
func Count([]byte) (uint64, *Error) { return 0, noDatabase() }

// Query says that there is no host.
func Query([]byte) (Batch, *Error) { return Batch{}, noDatabase() }

// QueryNext says that there is no host.
func QueryNext(uint32) (Batch, *Error) { return Batch{}, noDatabase() }

// QueryClose does nothing.
func QueryClose(uint32) {}

// NormalizeID knows no ids.
func NormalizeID(string, string) (string, bool) { return "", false }

// Insert says that there is no host.
func Insert(string, []byte) (string, *Error) { return "", noDatabase() }

// Patch says that there is no host.
func Patch(string, string, []byte) *Error { return noDatabase() }

// Replace says that there is no host.
func Replace(string, string, []byte) *Error { return noDatabase() }

// Delete says that there is no host.
func Delete(string, string) *Error { return noDatabase() }

func noCrypto() *Error {
	return &Error{Code: "NoHost", Message: "passwords and secrets exist only within the host"}
}

// HashPassword says that there is no host.
func HashPassword(string) (string, *Error) { return "", noCrypto() }

// VerifyPassword says that there is no host.
func VerifyPassword(string, string) (bool, *Error) { return false, noCrypto() }

// RandomBytes says that there is no host.
func RandomBytes(uint32) ([]byte, *Error) { return nil, noCrypto() }

func noScheduler() *Error {
	return &Error{Code: "NoHost", Message: "functions are scheduled only within the host"}
}

// RunAt says that there is no host.
func RunAt(string, []byte, float64) (string, *Error) { return "", noScheduler() }

// Cancel says that there is no host.
func Cancel(string) *Error { return noScheduler() }

// RunQuery says that there is no host.
func RunQuery(string, []byte) ([]byte, *Error) { return nil, noCalls() }

// RunMutation says that there is no host.
func RunMutation(string, []byte) ([]byte, *Error) { return nil, noCalls() }

// FunctionHandle says that there is no host.
func FunctionHandle(string) (string, *Error) { return "", noCalls() }

// SignJWT says that there is no host.
func SignJWT([]byte, []byte) (string, *Error) {
	return "", &Error{Code: "NoHost", Message: "tokens are signed only within the host"}
}

// Now panics.
func Now() float64 { panic(noContext) }

// RandomSeed panics.
func RandomSeed() []byte { panic(noContext) }

// RequestID panics.
func RequestID() string { panic(noContext) }

// Identity panics.
func Identity() []byte { panic(noContext) }

// Variable knows no variables.
func Variable(string) (string, bool) { return "", false }

// Log writes to standard error.
func Log(level Level, message string) {
	names := [...]string{"DEBUG", "INFO", "LOG", "WARN", "ERROR"}
	fmt.Fprintf(os.Stderr, "[%s] %s\n", names[level], message)
}
