package main

import (
	"strings"
	"testing"

	"weir.dev/go"
	"weir.dev/go/weirtest"
)

func TestEachUserHasNotesAndABadge(t *testing.T) {
	db := weirtest.New(t)
	ada, bob := db.AsUser(weir.Object{"subject": "ada"}), db.AsUser(weir.Object{"subject": "bob"})
	weirtest.Mutation[any](db, "notes:write", textArgs{"ada", "hi"})
	for user, count := range map[*weirtest.Database]int{ada: 1, bob: 0, db: 0} {
		if found := weirtest.Query[[]weir.Doc[Note]](user, "notes:mine", nil); len(found) != count {
			t.Errorf("there are %d notes and not %d", len(found), count)
		}
	}
	token := weirtest.Mutation[string](bob, "notes:badge", roomArgs{"red"})
	claims, err := weirtest.VerifyToken[weir.Object](db, token)
	if err != nil || claims["sub"] != "bob" || claims["room"] != "red" {
		t.Errorf("the claims are %v, the error %v", claims, err)
	}
	if _, err := weirtest.TryMutation[string](db, "notes:badge", roomArgs{"red"}); err == nil || !strings.Contains(err.Error(), "sign in first") {
		t.Errorf("the error is %v", err)
	}
	db.Advance(300_000)
	if _, err := weirtest.VerifyToken[weir.Object](db, token); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("the error is %v", err)
	}
}
