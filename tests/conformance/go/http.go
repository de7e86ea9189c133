package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	clock "time"

	"weir.dev/go"
)

func init() {
	weir.HTTPAction("http:hello", "GET /hello", httpHello)
	weir.HTTPAction("http:echo", "POST /echo", httpEcho)
	weir.HTTPAction("http:whole", "PUT /whole", httpWhole)
	weir.HTTPAction("http:files", "GET /files/", httpFiles)
	weir.HTTPAction("http:pieces", "GET /pieces", httpPieces)
	weir.HTTPAction("http:broken", "GET /broken", httpBroken)
	weir.HTTPAction("http:fail", "GET /fail", httpFail)
	weir.HTTPAction("http:note", "POST /note", httpNote)
	weir.HTTPAction("http:who", "GET /who", httpWho)
}

// or gives a text, or another where it is empty.
func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func httpHello(_ *weir.ActionCtx, request *weir.Request) (*weir.Response, error) {
	name, _ := request.Query("name")
	text := fmt.Sprintf("%s %s: hello, %s", request.Method, request.Path(), or(name, "nobody"))
	response := weir.Text(200, text)
	response.Header.Set("x-two", or(request.Header.Get("X-Two"), "none"))
	return response, nil
}

// httpEcho sends the body back as it comes.
func httpEcho(_ *weir.ActionCtx, request *weir.Request) (*weir.Response, error) {
	contentType := or(request.Header.Get("content-type"), "text/plain")
	return &weir.Response{
		Status: 201, Header: weir.Header{{"content-type", contentType}}, Body: request.Body,
	}, nil
}

// httpWhole gives the whole body, and how long it is.
func httpWhole(_ *weir.ActionCtx, request *weir.Request) (*weir.Response, error) {
	text, err := request.Text()
	return weir.Text(200, fmt.Sprintf("%d bytes: %s", len(text), text)), err
}

func httpFiles(_ *weir.ActionCtx, request *weir.Request) (*weir.Response, error) {
	names := strings.Split(request.Path(), "/")[2:]
	text, err := json.Marshal(map[string][]string{"names": names})
	return weir.JSON(200, text), err
}

// httpPieces writes three pieces, one after the other, the last from a query.
func httpPieces(ctx *weir.ActionCtx, _ *weir.Request) (*weir.Response, error) {
	body := weir.Stream(func(out io.Writer) error {
		if _, err := io.WriteString(out, "one"); err != nil {
			return err
		}
		if err := ctx.Sleep(clock.Millisecond); err != nil {
			return err
		}
		if _, err := io.WriteString(out, "two"); err != nil {
			return err
		}
		notes, err := weir.RunQuery[[]weir.Value](ctx, "act:notes", nil)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%d notes", len(notes))
		return err
	})
	return &weir.Response{Header: weir.Header{{"content-type", "text/event-stream"}}, Body: body}, nil
}

func httpBroken(*weir.ActionCtx, *weir.Request) (*weir.Response, error) {
	return &weir.Response{Body: weir.Stream(func(out io.Writer) error {
		if _, err := io.WriteString(out, "half"); err != nil {
			return err
		}
		return errors.New("no other half")
	})}, nil
}

func httpFail(*weir.ActionCtx, *weir.Request) (*weir.Response, error) {
	return nil, errors.New("no such page")
}

// httpNote writes a text down that comes as JSON.
func httpNote(ctx *weir.ActionCtx, request *weir.Request) (*weir.Response, error) {
	var args weir.Object
	if err := request.JSON(&args); err != nil {
		return weir.Text(400, "this is not JSON"), nil
	}
	count, err := weir.RunMutation[float64](ctx, "act:note", args)
	if err != nil {
		return nil, err
	}
	header := weir.Header{{"x-count", strconv.FormatFloat(count, 'f', -1, 64)}}
	return &weir.Response{Status: 204, Header: header}, nil
}

func httpWho(ctx *weir.ActionCtx, _ *weir.Request) (*weir.Response, error) {
	who := "nobody"
	if identity := ctx.Identity(); identity != nil {
		who = identity.Subject()
	}
	return weir.Text(200, who), nil
}
