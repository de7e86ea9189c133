package main

import (
	"fmt"
	"testing"

	"weir.dev/go"
	"weir.dev/go/weirtest"
)

func TestTheLatestMessagesComeOldestFirst(t *testing.T) {
	db := weirtest.New(t)
	for number := range messagesShown + 2 {
		weirtest.Mutation[any](db, "chat:sendMessage", Message{"ada", fmt.Sprint(number)})
		db.Advance(1)
	}
	shown := weirtest.Query[[]weir.Doc[Message]](db, "chat:getMessages", nil)
	if len(shown) != messagesShown || shown[0].Value.Body != "2" || shown[49].Value != (Message{"ada", "51"}) {
		t.Errorf("%d messages are shown: %+v", len(shown), shown)
	}
}

func TestAMessageHasAnAuthor(t *testing.T) {
	db := weirtest.New(t)
	_, err := weirtest.TryMutation[any](db, "chat:sendMessage", weir.Object{"body": "hi"})
	failed, ok := err.(*weirtest.Error)
	if !ok || failed.Code != "ArgumentValidationError" {
		t.Fatalf("the error is %#v", err)
	}
	if writes := db.Last().Writes; len(writes) != 0 {
		t.Errorf("it wrote %v", writes)
	}
}
