package main

import (
	"testing"

	"weir.dev/go"
	"weir.dev/go/weirtest"
)

func TestTheListIsKept(t *testing.T) {
	db := weirtest.New(t)
	id := weirtest.Mutation[weir.ID[Todo]](db, "todos:add", addArgs{"  buy milk "})
	db.Advance(1)
	weirtest.Mutation[any](db, "todos:add", addArgs{"sleep"})
	weirtest.Mutation[any](db, "todos:toggle", toggleArgs{id})

	list := weirtest.Query[[]weir.Doc[Todo]](db, "todos:list", nil)
	if len(list) != 2 || list[0].Value != (Todo{"buy milk", true}) || list[1].Value.Done {
		t.Fatalf("the list is %+v", list)
	}
	if gone := weirtest.Mutation[int](db, "todos:clearDone", nil); gone != 1 {
		t.Errorf("%d were taken off the list", gone)
	}
}

func TestNothingIsNotAdded(t *testing.T) {
	db := weirtest.New(t)
	_, err := weirtest.TryMutation[any](db, "todos:add", addArgs{" "})
	if err == nil || err.Error() != "Uncaught Error: write what is to do" {
		t.Errorf("the error is %v", err)
	}
	if writes := db.Last().Writes; len(writes) != 0 {
		t.Errorf("it wrote %v", writes)
	}
}
