package weir

import (
	"io"
	"strings"
	"testing"
)

func TestAPatternIsARoute(t *testing.T) {
	good := map[string]route{
		"POST /hook":     {"POST", "/hook", false},
		"GET /":          {"GET", "/", true},
		"GET /files/":    {"GET", "/files/", true},
		"GET /files/{$}": {"GET", "/files/", false},
		"OPTIONS /a/b.c": {"OPTIONS", "/a/b.c", false},
	}
	for pattern, wanted := range good {
		if found, err := parsePattern(pattern); err != nil || found != wanted {
			t.Errorf("%s: %+v (%v)", pattern, found, err)
		}
	}
	for _, pattern := range []string{"", "/hook", "POST", "post /hook", "HEAD /a", "POST hook", "GET /a b", "GET /{id}"} {
		if _, err := parsePattern(pattern); err == nil {
			t.Errorf("%q is a pattern", pattern)
		}
	}
}

func TestARouteIsTakenOnce(t *testing.T) {
	answer := func(*ActionCtx, *Request) (*Response, error) { return nil, nil }
	HTTPAction("test:first", "GET /taken/", answer)
	defer delete(functions, "test:first")
	manifest := string(describe())
	if !strings.Contains(manifest, `"routes":[{"method":"GET","pathPrefix":"/taken/","function":"test:first"}]`) {
		t.Errorf("its route is not in %s", manifest)
	}
	defer func() {
		if said := recover(); said == nil || !strings.Contains(said.(string), "answer the same requests") {
			t.Errorf("it said %v", said)
		}
	}()
	HTTPAction("test:second", "GET /taken/", answer)
}

func TestHeadersAreFoundHoweverTheyAreSpelt(t *testing.T) {
	var header Header
	header.Add("Set-Cookie", "a")
	header.Add("set-cookie", "b")
	if header.Get("SET-COOKIE") != "a" || len(header.Values("set-cookie")) != 2 || header.Get("x") != "" {
		t.Errorf("found in %v", header)
	}
	header.Set("set-cookie", "c")
	if len(header) != 1 || header.Get("Set-Cookie") != "c" {
		t.Errorf("set to %v", header)
	}
}

func TestARequestHasAPathAndParameters(t *testing.T) {
	request := &Request{URL: "https://a.example/b%20c/d?e=f+g&e=h", Body: strings.NewReader("\xff{}")}
	if value, ok := request.Query("e"); request.Path() != "/b%20c/d" || value != "f g" || !ok {
		t.Errorf("%s has %q", request.Path(), value)
	}
	if _, ok := request.Query("x"); ok {
		t.Error("there is no x")
	}
	if text, err := request.Text(); text != "\uFFFD{}" || err != nil {
		t.Errorf("it is %q (%v)", text, err)
	}
}

func TestWhatAFunctionWritesIsABody(t *testing.T) {
	body := Stream(func(out io.Writer) error {
		_, err := io.WriteString(out, "half")
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	if read, err := io.ReadAll(body); string(read) != "half" || err != io.ErrUnexpectedEOF {
		t.Errorf("%q (%v)", read, err)
	}
}
