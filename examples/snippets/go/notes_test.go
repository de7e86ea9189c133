package main

import (
	"testing"

	"weir.dev/go"
	"weir.dev/go/weirtest"
)

func TestANoteCanBeStarred(t *testing.T) {
	db := weirtest.New(t)
	id := weirtest.Mutation[weir.ID[Note]](db, "notes:write", textArgs{"ada", "hi"})
	weirtest.Mutation[any](db, "notes:star", noteArgs{id})
	starred := weirtest.Query[[]weir.Doc[Note]](db, "notes:starred", leastArgs{1})
	if len(starred) != 1 {
		t.Errorf("%d notes are starred", len(starred))
	}
}
