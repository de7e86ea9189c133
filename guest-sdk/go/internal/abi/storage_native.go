//go:build !wasm

package abi

func noFiles() *Error {
	return &Error{Code: "NoHost", Message: "stored files exist only within the host"}
}

// GenerateUploadURL says that there is no host.
func GenerateUploadURL() (string, *Error) { return "", noFiles() }

// FileURL says that there is no host.
func FileURL(string) (string, bool, *Error) { return "", false, noFiles() }

// FileMetadata says that there is no host.
func FileMetadata(string) ([]byte, *Error) { return nil, noFiles() }

// DeleteFile says that there is no host.
func DeleteFile(string) *Error { return noFiles() }

// BeginStore says that there is no host.
func BeginStore([]byte, []byte) (uint32, *Error) { return 0, noFiles() }

// BeginGetFile says that there is no host.
func BeginGetFile(string) (uint32, *Error) { return 0, noFiles() }
