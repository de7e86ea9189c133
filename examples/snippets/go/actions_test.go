package main

import (
	"strings"
	"testing"
	"time"

	"weir.dev/go"
	"weir.dev/go/weirtest"
)

const (
	pageA = "https://example.com/a"
	pageB = "https://example.com/b"
)

func TestTwoPagesTakeAsLongAsTheSlowerOne(t *testing.T) {
	db := weirtest.New(t)
	db.OnFetch(func(request *weirtest.Request) *weirtest.Response {
		response := weirtest.Text(200, request.URL)
		response.Delay = time.Second
		if request.URL == pageA {
			response.Delay = 3 * time.Second
		}
		return response
	})
	begun := 1_767_225_600_000.0
	db.SetNow(begun)
	ids := weirtest.Action[[]weir.ID[Note]](db, "notes:clipBoth", clipBothArgs{pageA, pageB})
	last := db.Last()
	if len(ids) != 2 || len(last.Requests) != 2 || last.Requests[0].Status != 200 || len(last.Writes) != 2 {
		t.Errorf("it did %+v", last)
	}
	if len(last.Calls) != 2 || last.Calls[0].Path != "notes:write" || last.Calls[0].Args["text"] != pageB {
		t.Errorf("it called %+v", last.Calls)
	}
	written := weirtest.Query[[]weir.Doc[Note]](db, "notes:latest", nil)[0].CreationTime
	if written < begun+3_000 || written > begun+3_100 {
		t.Errorf("it was written %v ms after the beginning", written-begun)
	}
}

func TestWhatAPageIsNotAnsweredWithFailsTheAction(t *testing.T) {
	db := weirtest.New(t)
	for _, answer := range []struct {
		response *weirtest.Response
		expected string
	}{
		{weirtest.Text(404, "gone"), "answers 404"},
		{weirtest.Failure("connection refused"), "connection refused"},
		{&weirtest.Response{Failure: "too slow", Code: "FetchTimedOut"}, "too slow"},
	} {
		db.OnFetch(func(*weirtest.Request) *weirtest.Response { return answer.response })
		_, err := weirtest.TryAction[weir.ID[Note]](db, "notes:clip", clipArgs{pageA})
		if err == nil || !strings.Contains(err.Error(), answer.expected) {
			t.Errorf("%q: %v", answer.expected, err)
		}
	}
	if err := db.Last().Requests[0].Err; err == nil || err.Code != "FetchTimedOut" {
		t.Errorf("its request failed with %+v", err)
	}
}

// failing is a test that may fail.
type failing struct {
	testing.TB
	said string
}

func (t *failing) Helper() {}

func (t *failing) Fatal(args ...any) {
	t.said = args[0].(error).Error()
	panic(t)
}

func TestNoRequestReachesTheNetwork(t *testing.T) {
	inner := &failing{TB: t}
	db := weirtest.Open(t, "").Database(inner, weirtest.Options{})
	clip := func() {
		defer func() { _ = recover() }()
		_, _ = weirtest.TryAction[weir.ID[Note]](db, "notes:clip", clipArgs{pageA})
	}
	clip()
	if !strings.Contains(inner.said, "the test answers no request to GET "+pageA+": give") {
		t.Errorf("it says %q", inner.said)
	}
	// A handler that ends its test leaves the host ready for the next one.
	db.OnFetch(func(*weirtest.Request) *weirtest.Response { panic("on purpose") })
	clip()
	if notes := weirtest.Query[[]weir.Doc[Note]](db, "notes:latest", nil); len(notes) != 0 {
		t.Errorf("there are %+v", notes)
	}
}

func TestARequestBecomesANote(t *testing.T) {
	db := weirtest.New(t)
	for _, sent := range []struct {
		method, body string
		status       int
	}{
		{"POST", `{"author":"ada","text":"hi"}`, 201},
		{"POST", "no JSON", 400},
		{"GET", "", 404},
	} {
		response, err := db.Do(&weirtest.Request{Method: sent.method, URL: "/notes", Body: []byte(sent.body)})
		if err != nil || response.Status != sent.status {
			t.Errorf("%+v: %+v, %v", sent, response, err)
		}
	}
	if notes := weirtest.Query[[]weir.Doc[Note]](db, "notes:latest", nil); len(notes) != 1 {
		t.Errorf("there are %+v", notes)
	}
}

func TestFilesComeByUploadsByActionsAndByTheTest(t *testing.T) {
	db := weirtest.New(t)
	url := weirtest.Mutation[string](db, "notes:upload", nil)
	file, err := db.Upload(url, []byte("a picture"), "image/png")
	if err != nil {
		t.Fatal(err)
	}
	picture := weirtest.Query[string](db, "notes:picture", fileArgs{file})
	if kept := db.File(picture); kept == nil || kept.ContentType != "image/png" || string(kept.Body) != "a picture" {
		t.Errorf("it is %+v", kept)
	}
	if _, err := db.Upload(url, nil, ""); err == nil || err.(*weirtest.Error).Code != "UploadTokenUsed" {
		t.Errorf("again: %v", err)
	}
	if put := db.StoreFile(nil, ""); weirtest.Query[string](db, "notes:picture", fileArgs{put}) == picture {
		t.Error("two files have one URL")
	}
	db.OnFetch(func(*weirtest.Request) *weirtest.Response { return weirtest.Text(200, "<p>hi</p>") })
	page := weirtest.Action[weir.ID[weir.StoredFile]](db, "notes:savePage", clipArgs{pageA})
	if kept := db.File(string(page)); kept == nil || string(kept.Body) != "<p>hi</p>" {
		t.Errorf("it is %+v", kept)
	}
	if none := db.File("nothing"); none != nil {
		t.Errorf("there is %+v", none)
	}
}
