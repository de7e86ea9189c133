package main

import (
	"errors"
	"io"
	"strings"
	"time"

	"weir.dev/go"
)

// Actions that do what they must not.
func init() {
	weir.Action("rogue:spin", rogueSpin)
	weir.Action("rogue:hoard", rogueHoard)
	weir.Action("rogue:overflow", rogueOverflow)
	weir.Action("rogue:nest", rogueNest)
	weir.Action("rogue:forget", rogueForget)
	weir.Action("rogue:waitForNothing", rogueWaitForNothing)
	weir.Action("rogue:crowd", rogueCrowd)
	weir.Action("rogue:hugeResult", rogueHugeResult)
	weir.Action("rogue:fetch", rogueFetch)
	weir.Action("rogue:readTwice", rogueReadTwice)
	weir.HTTPAction("rogue:large", "GET /large", rogueLarge)
	weir.HTTPAction("rogue:half", "GET /half", rogueHalf)
	weir.HTTPAction("rogue:loop", "GET /loop", rogueLoop)
	weir.HTTPAction("rogue:mute", "GET /mute", rogueMute)
}

// rogueSpin never ends.
func rogueSpin(*weir.ActionCtx) error {
	for {
	}
}

// rogueHoard takes memory until there is none.
func rogueHoard(*weir.ActionCtx) (int, error) { return hoard(nil) }

// rogueOverflow calls itself until the stack is full.
func rogueOverflow(*weir.ActionCtx) (int, error) { return deeper(0), nil }

// rogueNest calls itself as an action, one in the other, without end.
func rogueNest(ctx *weir.ActionCtx) (weir.Value, error) {
	return weir.RunAction[weir.Value](ctx, "rogue:nest", nil)
}

// rogueForget begins what takes long, and does not wait for it.
func rogueForget(ctx *weir.ActionCtx) (string, error) {
	begun := make(chan struct{})
	go func() {
		close(begun)
		_ = ctx.Sleep(24 * time.Hour)
	}()
	<-begun
	time.Sleep(time.Millisecond)
	return "done", nil
}

// rogueWaitForNothing waits for what never happens.
func rogueWaitForNothing(*weir.ActionCtx) error {
	<-make(chan struct{})
	return nil
}

// rogueCrowd does more than a thousand things at once.
func rogueCrowd(ctx *weir.ActionCtx) error {
	errs := make(chan error)
	for range 2000 {
		go func() { errs <- ctx.Sleep(24 * time.Hour) }()
	}
	return <-errs
}

// rogueHugeResult gives a text of this length.
func rogueHugeResult(_ *weir.ActionCtx, args struct {
	Bytes int `json:"bytes"`
}) (string, error) {
	return strings.Repeat("x", args.Bytes), nil
}

type rogueURL struct {
	URL string `json:"url"`
}

// rogueFetch tells the error of a request.
func rogueFetch(ctx *weir.ActionCtx, args rogueURL) (string, error) {
	if _, err := ctx.Fetch(&weir.Request{URL: args.URL}); err != nil {
		return weir.CodeOf(err) + ": " + err.Error(), nil
	}
	return "fetched", nil
}

// rogueReadTwice reads a body by two goroutines at once.
func rogueReadTwice(ctx *weir.ActionCtx, args rogueURL) error {
	response, err := ctx.Fetch(&weir.Request{URL: args.URL})
	if err != nil {
		return err
	}
	errs := make(chan error)
	for range 2 {
		go func() {
			_, err := response.Text()
			errs <- err
		}()
	}
	return errors.Join(<-errs, <-errs)
}

// rogueLarge answers with more than there is memory for.
func rogueLarge(*weir.ActionCtx, *weir.Request) (*weir.Response, error) {
	return weir.Text(200, strings.Repeat("x", 100<<20)), nil
}

// halfOfABody writes half of a body, and goes on with that.
func halfOfABody(rest func()) (*weir.Response, error) {
	body := weir.Stream(func(out io.Writer) error {
		if _, err := io.WriteString(out, "half"); err != nil {
			return err
		}
		rest()
		return nil
	})
	return &weir.Response{Body: body}, nil
}

// rogueHalf writes half of a body, and waits for what never happens.
func rogueHalf(*weir.ActionCtx, *weir.Request) (*weir.Response, error) {
	return halfOfABody(func() { <-make(chan struct{}) })
}

// rogueLoop writes half of a body, and loops.
func rogueLoop(*weir.ActionCtx, *weir.Request) (*weir.Response, error) {
	return halfOfABody(func() {
		// Until the half is on its way: no goroutine interrupts another one.
		time.Sleep(time.Millisecond)
		for {
		}
	})
}

// rogueMute gives no response.
func rogueMute(*weir.ActionCtx, *weir.Request) (*weir.Response, error) { return nil, nil }
