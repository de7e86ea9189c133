package weir

import (
	"context"
	"fmt"
	"io"

	"weir.dev/go/internal/abi"
)

// StoredFiles is the host's table of stored files.
var StoredFiles = NewSystemTable[StoredFile]("_storage")

// StoredFile is a document of [StoredFiles]. An ID[StoredFile] is what an upload answers and
// Store gives; keep it in a document of your own.
type StoredFile struct {
	// SHA256 is that of its bytes, in hex.
	SHA256 string `json:"sha256"`
	// Size is how many bytes it has.
	Size float64 `json:"size"`
	// ContentType is its media type; absent if nobody has said one.
	ContentType Optional[string] `json:"contentType"`
}

// FileMetadata is what GetMetadata tells of a stored file.
type FileMetadata struct {
	// StorageID is the file's name in its URL.
	StorageID string `json:"storageId"`
	// SHA256 is that of its bytes, in hex.
	SHA256 string `json:"sha256"`
	// Size is how many bytes it has.
	Size float64 `json:"size"`
	// ContentType is its media type; nil if nobody has said one.
	ContentType *string `json:"contentType"`
}

// StorageReader is what a query knows of stored files.
type StorageReader struct{}

// StorageWriter is what a mutation does with stored files, as a part of its transaction; it
// knows of them what a query does.
type StorageWriter struct{ StorageReader }

// StorageActionWriter is what an action does with stored files: it stores and reads them, and
// does all that a mutation does, each at once.
type StorageActionWriter struct {
	StorageWriter
	// context ends what is waited for, as that of the [ActionCtx]; nil: nothing does.
	context context.Context
}

// GetURL gives the URL by which everybody may fetch a file, for as long as it is there; "": it
// was deleted. The error, by [CodeOf], is InvalidId, for what is not the id of a file.
func (StorageReader) GetURL(id ID[StoredFile]) (string, error) {
	url, _, failed := abi.FileURL(string(id))
	return url, fromHost(failed)
}

// GetMetadata tells what is known of a file; nil: it was deleted. The errors are those of
// GetURL.
func (StorageReader) GetMetadata(id ID[StoredFile]) (*FileMetadata, error) {
	found, failed := abi.FileMetadata(string(id))
	if failed != nil || found == nil {
		return nil, fromHost(failed)
	}
	metadata := &FileMetadata{}
	if err := Unmarshal(found, metadata); err != nil {
		return nil, fmt.Errorf("reading what is known of a file: %w", err)
	}
	return metadata, nil
}

// GenerateUploadURL gives a URL to which a client may POST one file, within an hour: its bytes
// are the body, its type the Content-Type. The response is {"storageId": ID}. It is good when
// the mutation is committed.
func (StorageWriter) GenerateUploadURL() (string, error) {
	url, failed := abi.GenerateUploadURL()
	return url, fromHost(failed)
}

// Delete deletes a file. Its URL is good for nothing from the commit on.
//
// The errors, by [CodeOf]: InvalidId; NotFound, for one that was deleted before.
func (StorageWriter) Delete(id ID[StoredFile]) error {
	return fromHost(abi.DeleteFile(string(id)))
}

// NewFile is a file that an action stores.
type NewFile struct {
	// ContentType is its media type; "": none.
	ContentType string
	// SHA256 is that of its bytes, in hex or base64: only a file of that checksum is stored.
	// "": any.
	SHA256 string
	// Body gives its bytes; nil: there are none. A *bytes.Reader, *bytes.Buffer or
	// *strings.Reader goes to the host at once, any other one, such as the body of a [Response]
	// or a [Stream], as it gives its pieces.
	Body io.Reader
}

// Store stores a file, and gives its id when it is on disk.
//
//	id, err := ctx.Storage.Store(&weir.NewFile{ContentType: "image/png", Body: bytes.NewReader(image)})
//
// The errors, by [CodeOf]: DigestMismatch and InvalidDigest; FileTooLarge; StorageFull and
// TooManyFiles, when the host keeps no more; InvalidContentType; IncompleteBody, when the body
// broke off; DiskFull; TooManyTasks. An error of the body is passed on.
func (writer StorageActionWriter) Store(file *NewFile) (ID[StoredFile], error) {
	whole, stream, err := handOver(file.Body)
	if err != nil {
		return "", err
	}
	options := storeOptions{ContentType: given(file.ContentType), SHA256: given(file.SHA256)}
	if stream != nil {
		options.Stream = Some(stream.number)
	}
	text, err := Marshal(options)
	if err != nil {
		return "", err
	}
	stored, err := start(writer.context, func() (uint32, *abi.Error) { return abi.BeginStore(text, whole) })
	if err != nil {
		return "", err
	}
	if stream != nil {
		go sendBeside(stream, file.Body, stored)
	}
	answer, err := stored.wait(writer.context)
	if err != nil {
		return "", err
	}
	var id ID[StoredFile]
	if err := Unmarshal(answer, &id); err != nil {
		return "", fmt.Errorf("reading the id of a file: %w", err)
	}
	return id, nil
}

type storeOptions struct {
	ContentType Optional[string] `json:"contentType"`
	SHA256      Optional[string] `json:"sha256"`
	Stream      Optional[uint32] `json:"stream"`
}

// given is a text that may be left out.
func given(text string) Optional[string] {
	if text == "" {
		return Optional[string]{}
	}
	return Some(text)
}

// FileContent is a stored file that an action reads: its bytes come piece by piece, by Read.
type FileContent struct {
	FileMetadata
	body io.Reader
}

// Get gives a file to read; nil: it was deleted. Nothing of its bytes is fetched that nobody
// reads; io.ReadAll gives all of them, within the 64 MiB of memory that a call has.
//
// The errors, by [CodeOf]: InvalidId; StorageFailed, when its bytes cannot be reached;
// TooManyTasks.
func (writer StorageActionWriter) Get(id ID[StoredFile]) (*FileContent, error) {
	found, err := finish(writer.context, func() (uint32, *abi.Error) { return abi.BeginGetFile(string(id)) })
	if err != nil {
		return nil, err
	}
	var head *fileHead
	if err := Unmarshal(found, &head); err != nil {
		return nil, fmt.Errorf("reading the head of a file: %w", err)
	}
	if head == nil {
		return nil, nil
	}
	metadata := FileMetadata{head.StorageID, head.SHA256, head.Size, head.ContentType}
	return &FileContent{metadata, incomingOf(writer.context, &head.Stream)}, nil
}

type fileHead struct {
	StorageID   string  `json:"storageId"`
	SHA256      string  `json:"sha256"`
	Size        float64 `json:"size"`
	ContentType *string `json:"contentType"`
	Stream      uint32  `json:"stream"`
}

// Read gives the next piece, or as much of it as there is room for.
func (file *FileContent) Read(into []byte) (int, error) { return file.body.Read(into) }

// Text reads all of the file as text; what is not UTF-8 becomes U+FFFD.
func (file *FileContent) Text() (string, error) { return textOf(file.body) }

// Close gives up the rest of the file, if nobody wants it.
func (file *FileContent) Close() error {
	if closer, ok := file.body.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
