package main

import (
	"testing"

	"weir.dev/go"
	"weir.dev/go/weirtest"
)

func TestANoteIsRemovedLaterUnlessItIsKept(t *testing.T) {
	db := weirtest.New(t)
	var ids [2]weir.ID[Note]
	var jobs [2]weir.ID[weir.ScheduledFunction]
	for i := range ids {
		ids[i] = weirtest.Mutation[weir.ID[Note]](db, "notes:write", textArgs{"ada", "hi"})
		jobs[i] = weirtest.Mutation[weir.ID[weir.ScheduledFunction]](db, "notes:removeLater", noteArgs{ids[i]})
	}
	weirtest.Mutation[any](db, "notes:keep", jobArgs{jobs[0]})
	if runs := db.Advance(3_000_000); len(runs) != 0 {
		t.Errorf("too early: %+v", runs)
	}
	runs := db.Advance(600_000)
	if len(runs) != 1 || runs[0].ID != jobs[1] || runs[0].Path != "notes:remove" || runs[0].Err != nil {
		t.Errorf("these ran: %+v", runs)
	}
	left := weirtest.Query[[]weir.Doc[Note]](db, "notes:latest", nil)
	if len(left) != 1 || left[0].ID != ids[0] {
		t.Errorf("these are left: %+v", left)
	}
	if runs := db.FinishScheduled(); len(runs) != 0 {
		t.Errorf("twice: %+v", runs)
	}
}

func TestAFortuneIsWrittenEachMorning(t *testing.T) {
	db := weirtest.New(t)
	runs := db.Advance(2 * 24 * 3_600_000)
	if len(runs) != 2 || runs[0].Cron != "fortune of the day" || runs[1].Err != nil {
		t.Errorf("these ran: %+v", runs)
	}
	if written := weirtest.Query[[]weir.Doc[Note]](db, "notes:latest", nil); len(written) != 2 {
		t.Errorf("these are written: %+v", written)
	}
}
