package abi

// GenerateUploadURL gives a URL for one upload.
func GenerateUploadURL() (string, *Error) {
	storageGenerateUploadURL(answerArea())
	defer release()
	if err := hostError(); err != nil {
		return "", err
	}
	return text(1), nil
}

// FileURL gives the URL of a file, and whether there is one.
func FileURL(id string) (string, bool, *Error) {
	idAt, idLen := textAt(id)
	storageGetURL(idAt, idLen, answerArea())
	defer release()
	if err := hostError(); err != nil || !isSet(1) {
		return "", false, err
	}
	return text(2), true, nil
}

// FileMetadata gives what is known of a file, as JSON; nil when there is none.
func FileMetadata(id string) ([]byte, *Error) {
	idAt, idLen := textAt(id)
	storageGetMetadata(idAt, idLen, answerArea())
	defer release()
	if err := hostError(); err != nil || !isSet(1) {
		return nil, err
	}
	return list(2), nil
}

// DeleteFile deletes a file.
func DeleteFile(id string) *Error {
	idAt, idLen := textAt(id)
	storageDelete(idAt, idLen, answerArea())
	defer release()
	return hostError()
}

// BeginStore begins to store a file; a nil body is none, or a stream that the options name.
func BeginStore(options, body []byte) (uint32, *Error) {
	optionsAt, optionsLen := bytesAt(options)
	bodyAt, bodyLen := bytesAt(body)
	storageStore(optionsAt, optionsLen, isThere(body), bodyAt, bodyLen, answerArea())
	return number()
}

// BeginGetFile begins to read a file.
func BeginGetFile(id string) (uint32, *Error) {
	idAt, idLen := textAt(id)
	storageGet(idAt, idLen, answerArea())
	return number()
}
