package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"

	"weir.dev/go"
)

func init() {
	weir.Mutation("files:uploadUrl", filesUploadURL)
	weir.Query("files:url", filesURL)
	weir.Query("files:metadata", filesMetadata)
	weir.Query("files:document", filesDocument)
	weir.Query("files:all", filesAll)
	weir.Query("files:tell", filesTell)
	weir.Query("files:fromQuery", filesFromQuery)
	weir.Mutation("files:keep", filesKeep)
	weir.Mutation("files:remove", filesRemove)
	weir.Mutation("files:tryRemove", filesTryRemove)
	weir.Mutation("files:removeAndFail", filesRemoveAndFail)
	weir.Action("files:store", filesStore)
	weir.Action("files:tryStore", filesTryStore)
	weir.Action("files:storeLarge", filesStoreLarge)
	weir.Action("files:storeWhole", filesStoreWhole)
	weir.Action("files:read", filesRead)
	weir.Action("files:tryRead", filesTryRead)
	weir.Action("files:sum", filesSum)
	weir.Action("files:copy", filesCopy)
	weir.Action("files:storeFetched", filesStoreFetched)
	weir.Action("files:tryStoreFetched", filesTryStoreFetched)
	weir.Action("files:life", filesLife)
	weir.Action("files:many", filesMany)
}

type fileID = weir.ID[weir.StoredFile]

// fileText is an id that may be none.
type fileText struct {
	ID string `json:"id"`
}

type fileArgs struct {
	ID fileID `json:"id"`
}

var errNoFile = errors.New("there is no such file")

// orNil is a text, or nil for none.
func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// tellOf is what came of something that may fail.
func tellOf(fine string, err error) string {
	if err != nil {
		return told(err)
	}
	return fine
}

func filesUploadURL(ctx *weir.MutationCtx) (string, error) {
	return ctx.Storage.GenerateUploadURL()
}

func filesURL(ctx *weir.QueryCtx, args fileText) (*string, error) {
	url, err := ctx.Storage.GetURL(fileID(args.ID))
	return orNil(url), err
}

func filesMetadata(ctx *weir.QueryCtx, args fileText) (*weir.FileMetadata, error) {
	return ctx.Storage.GetMetadata(fileID(args.ID))
}

// filesDocument gives the document of a file.
func filesDocument(ctx *weir.QueryCtx, args fileArgs) (*weir.Doc[weir.StoredFile], error) {
	return weir.StoredFiles.Get(ctx, args.ID)
}

func filesAll(ctx *weir.QueryCtx) ([]weir.Doc[weir.StoredFile], error) {
	return weir.StoredFiles.Query(ctx).Collect()
}

// filesTell tells what a query is told of a file that is none.
func filesTell(ctx *weir.QueryCtx, args fileText) ([]string, error) {
	url, urlErr := ctx.Storage.GetURL(fileID(args.ID))
	known, knownErr := ctx.Storage.GetMetadata(fileID(args.ID))
	tells := []string{"a URL", "metadata"}
	if url == "" {
		tells[0] = "none"
	}
	if known == nil {
		tells[1] = "none"
	}
	return []string{tellOf(tells[0], urlErr), tellOf(tells[1], knownErr)}, nil
}

// filesFromQuery tries it in a query, past what the types allow; tells what the host says.
func filesFromQuery(_ *weir.QueryCtx, args fileText) ([]string, error) {
	var storage weir.StorageWriter
	_, err := storage.GenerateUploadURL()
	return []string{tellOf("a URL", err), tellOf("deleted", storage.Delete(fileID(args.ID)))}, nil
}

type keepArgs struct {
	Name string `json:"name"`
	File fileID `json:"file"`
}

// filesKeep keeps a file's id in a document.
func filesKeep(ctx *weir.MutationCtx, args keepArgs) error {
	_, err := tableOf("kept").Insert(ctx, weir.Object{"name": args.Name, "file": string(args.File)})
	return err
}

func filesRemove(ctx *weir.MutationCtx, args fileText) error {
	return ctx.Storage.Delete(fileID(args.ID))
}

func filesTryRemove(ctx *weir.MutationCtx, args fileText) (string, error) {
	return tellOf("deleted", ctx.Storage.Delete(fileID(args.ID))), nil
}

// filesRemoveAndFail deletes a file, sees that it is gone, and fails.
func filesRemoveAndFail(ctx *weir.MutationCtx, args fileText) error {
	if err := ctx.Storage.Delete(fileID(args.ID)); err != nil {
		return err
	}
	if url, err := ctx.Storage.GetURL(fileID(args.ID)); err != nil || url != "" {
		return errors.New("it is still there")
	}
	return errors.New("after all not")
}

type storeArgs struct {
	Text        string                `json:"text"`
	ContentType weir.Optional[string] `json:"contentType"`
	SHA256      weir.Optional[string] `json:"sha256"`
}

func filesStore(ctx *weir.ActionCtx, args storeArgs) (fileID, error) {
	return ctx.Storage.Store(&weir.NewFile{
		ContentType: args.ContentType.Or(""), SHA256: args.SHA256.Or(""), Body: strings.NewReader(args.Text),
	})
}

func filesTryStore(ctx *weir.ActionCtx, args storeArgs) (string, error) {
	_, err := filesStore(ctx, args)
	return tellOf("stored", err), nil
}

type largeArgs struct {
	Size uint32 `json:"size"`
}

// filesStoreLarge stores so many bytes, piece by piece.
func filesStoreLarge(ctx *weir.ActionCtx, args largeArgs) (fileID, error) {
	body := weir.Stream(func(out io.Writer) error {
		content := make([]byte, args.Size)
		for at := range content {
			content[at] = byte(at % 251)
		}
		for len(content) > 0 {
			size := min(len(content), 100_000)
			if _, err := out.Write(content[:size]); err != nil {
				return err
			}
			content = content[size:]
		}
		return nil
	})
	return ctx.Storage.Store(&weir.NewFile{ContentType: "application/octet-stream", Body: body})
}

// filesStoreWhole stores so many bytes at once.
func filesStoreWhole(ctx *weir.ActionCtx, args largeArgs) (fileID, error) {
	content := make([]byte, args.Size)
	for at := range content {
		content[at] = byte(at % 251)
	}
	return ctx.Storage.Store(&weir.NewFile{Body: bytes.NewReader(content)})
}

// fileContent is a file with its text.
type fileContent struct {
	Text        string                `json:"text"`
	Size        float64               `json:"size"`
	ContentType weir.Optional[string] `json:"contentType"`
}

func filesRead(ctx *weir.ActionCtx, args fileText) (*fileContent, error) {
	file, err := ctx.Storage.Get(fileID(args.ID))
	if err != nil || file == nil {
		return nil, err
	}
	text, err := file.Text()
	content := &fileContent{Text: text, Size: file.Size}
	if file.ContentType != nil {
		content.ContentType = weir.Some(*file.ContentType)
	}
	return content, err
}

func filesTryRead(ctx *weir.ActionCtx, args fileText) (string, error) {
	file, err := ctx.Storage.Get(fileID(args.ID))
	if file == nil {
		return tellOf("none", err), nil
	}
	return tellOf("a file", err), nil
}

// filesSum tells how many bytes a file has, and what they come to, read piece by piece.
func filesSum(ctx *weir.ActionCtx, args fileArgs) ([]float64, error) {
	file, err := ctx.Storage.Get(args.ID)
	if err != nil {
		return nil, err
	}
	if file == nil {
		return nil, errNoFile
	}
	size, sum := 0.0, 0.0
	piece := make([]byte, 4096)
	for {
		read, err := file.Read(piece)
		size += float64(read)
		for _, value := range piece[:read] {
			sum += float64(value)
		}
		if err == io.EOF {
			return []float64{size, sum}, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// filesCopy stores what a file holds once more.
func filesCopy(ctx *weir.ActionCtx, args fileArgs) (fileID, error) {
	file, err := ctx.Storage.Get(args.ID)
	if err != nil {
		return "", err
	}
	if file == nil {
		return "", errNoFile
	}
	made := &weir.NewFile{Body: file}
	if file.ContentType != nil {
		made.ContentType = *file.ContentType
	}
	return ctx.Storage.Store(made)
}

// filesStoreFetched stores what a page gives.
func filesStoreFetched(ctx *weir.ActionCtx, args actURL) (fileID, error) {
	page, err := ctx.Fetch(&weir.Request{URL: args.URL})
	if err != nil {
		return "", err
	}
	return ctx.Storage.Store(&weir.NewFile{ContentType: "text/plain", Body: page.Body})
}

// filesTryStoreFetched tells whether what a page gives is stored.
func filesTryStoreFetched(ctx *weir.ActionCtx, args actURL) (bool, error) {
	page, err := ctx.Fetch(&weir.Request{URL: args.URL})
	if err != nil {
		return false, err
	}
	_, err = ctx.Storage.Store(&weir.NewFile{Body: page.Body})
	return err == nil, nil
}

// filesLife does everything that there is to do with a file.
func filesLife(ctx *weir.ActionCtx, args actText) ([]weir.Value, error) {
	uploadURL, err := ctx.Storage.GenerateUploadURL()
	if err != nil {
		return nil, err
	}
	id, err := ctx.Storage.Store(&weir.NewFile{Body: strings.NewReader(args.Text)})
	if err != nil {
		return nil, err
	}
	url, urlErr := ctx.Storage.GetURL(id)
	known, knownErr := ctx.Storage.GetMetadata(id)
	if err := errors.Join(urlErr, knownErr, ctx.Storage.Delete(id)); err != nil {
		return nil, err
	}
	noURL, urlErr := ctx.Storage.GetURL(id)
	unknown, knownErr := ctx.Storage.GetMetadata(id)
	gone, err := ctx.Storage.Get(id)
	return []weir.Value{
		strings.Contains(uploadURL, "/api/storage/upload?token="),
		strings.HasSuffix(url, known.StorageID),
		known.Size,
		noURL == "",
		unknown == nil,
		gone == nil,
	}, errors.Join(urlErr, knownErr, err)
}

type fileTexts struct {
	Texts []string `json:"texts"`
}

// filesMany stores texts at the same time, and reads them at the same time.
func filesMany(ctx *weir.ActionCtx, args fileTexts) ([]string, error) {
	ids, errs := make([]fileID, len(args.Texts)), make([]error, len(args.Texts))
	each := func(work func(at int)) {
		var all sync.WaitGroup
		for at := range args.Texts {
			all.Go(func() { work(at) })
		}
		all.Wait()
	}
	each(func(at int) {
		ids[at], errs[at] = ctx.Storage.Store(&weir.NewFile{Body: strings.NewReader(args.Texts[at])})
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	texts := make([]string, len(ids))
	each(func(at int) {
		file, err := ctx.Storage.Get(ids[at])
		if err == nil {
			texts[at], err = file.Text()
		}
		errs[at] = err
	})
	return texts, errors.Join(errs...)
}
