package main

import (
	"maps"
	"testing"

	"weir.dev/go/weirtest"
)

func expect(t *testing.T, db *weirtest.Database, votes float64, counts map[string]float64) {
	t.Helper()
	result := weirtest.Query[Result](db, "poll:result", nil)
	if result.Votes != votes || !maps.Equal(result.Counts, counts) {
		t.Errorf("the result is %+v, not %v votes and %v", result, votes, counts)
	}
}

func TestVotesAreCountedInTheComponent(t *testing.T) {
	db := weirtest.New(t)
	weirtest.Mutation[any](db, "poll:vote", Ballot{"ada", []string{"tea", "cake"}})
	weirtest.Mutation[any](db, "poll:vote", Ballot{"bob", []string{"tea"}})
	expect(t, db, 3, map[string]float64{"tea": 2, "cake": 1})
}

func TestWhatFailsInTheAppLeavesNothingInTheComponent(t *testing.T) {
	db := weirtest.New(t)
	_, err := weirtest.TryMutation[any](db, "poll:vote", Ballot{"ada", []string{"tea", "cake", "tea"}})
	if err == nil {
		t.Error("a ballot with a choice twice was taken")
	}
	expect(t, db, 0, map[string]float64{})
}

func TestWhatFailsInTheComponentLeavesNothingInTheApp(t *testing.T) {
	db := weirtest.New(t)
	for _, voter := range []string{"ada", "bob", "eve"} {
		weirtest.Mutation[any](db, "poll:vote", Ballot{voter, []string{"tea"}})
	}
	_, err := weirtest.TryMutation[any](db, "poll:vote", Ballot{"joe", []string{"cake", "tea"}})
	failed, ok := err.(*weirtest.Error)
	if !ok || failed.Data == nil {
		t.Fatalf("the error is %#v", err)
	}
	expect(t, db, 3, map[string]float64{"tea": 3})
}
