package main

import (
	"testing"

	"weir.dev/go"
	"weir.dev/go/weirtest"
)

func TestAPageIsClipped(t *testing.T) {
	db := weirtest.New(t)
	db.OnFetch(func(request *weirtest.Request) *weirtest.Response {
		if request.URL == "https://example.com/a" {
			return weirtest.Text(200, "a page")
		}
		return nil
	})
	id := weirtest.Action[weir.ID[Note]](db, "notes:clip", clipArgs{"https://example.com/a"})
	note := weirtest.Query[*weir.Doc[Note]](db, "notes:read", noteArgs{id})
	if note.Value.Text != "a page" {
		t.Errorf("it is %+v", note)
	}
}
