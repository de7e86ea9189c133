package weirtest

import "weir.dev/go"

// File is a stored file.
type File struct {
	Body []byte `json:"body"`
	// ContentType is its media type; "": whoever stored it has said none.
	ContentType string `json:"contentType"`
	// SHA256 is the checksum of its bytes, in hex.
	SHA256 string `json:"sha256"`
}

// StoreFile stores a file, as an upload would, and gives its id. The content type may be "".
func (db *Database) StoreFile(body []byte, contentType string) weir.ID[weir.StoredFile] {
	db.t.Helper()
	got := db.ask(request{Op: "storeFile", Body: present(body), ContentType: contentType})
	return weir.ID[weir.StoredFile](got.StorageID)
}

// Upload uploads a file to a URL that a function has made, as a client would, and gives its
// id; or an [*Error]: the URL is no upload URL of this database, was used, or is too old.
func (db *Database) Upload(url string, body []byte, contentType string) (weir.ID[weir.StoredFile], error) {
	db.t.Helper()
	got := db.ask(request{Op: "upload", URL: url, Body: present(body), ContentType: contentType})
	if err := db.failed(got.Error); err != nil {
		return "", err
	}
	return weir.ID[weir.StoredFile](got.StorageID), nil
}

// File gives a stored file, by its id or its URL; nil: there is none, or it was deleted.
func (db *Database) File(id string) *File {
	db.t.Helper()
	return db.ask(request{Op: "file", File: id}).File
}

// present is a body that is there, also where it is empty.
func present(body []byte) *[]byte {
	if body == nil {
		body = []byte{}
	}
	return &body
}
