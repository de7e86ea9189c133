package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"weir.dev/go"
)

func init() {
	weir.Query("waits:inQuery", waitsInQuery)
	weir.Query("waits:nothing", func(*weir.QueryCtx) error { return nil })
	weir.Action("waits:sleep", waitsSleep)
	weir.Action("waits:order", waitsOrder)
	weir.Action("waits:ticks", waitsTicks)
	weir.Action("waits:fetch", waitsFetch)
	weir.Action("waits:body", waitsBody)
	weir.Action("waits:upload", waitsUpload)
	weir.Action("waits:call", waitsCall)
	weir.Action("waits:cancel", waitsCancel)
	weir.Action("waits:doneBefore", waitsDoneBefore)
	weir.Action("waits:forever", waitsForever)
	weir.Action("waits:collect", waitsCollect)
	weir.HTTPAction("waits:answer", "GET /waits", waitsAnswer)
}

type waitMs struct {
	Ms int `json:"ms"`
}

func (args waitMs) duration() time.Duration { return time.Duration(args.Ms) * time.Millisecond }

type urlWithin struct {
	URL string `json:"url"`
	waitMs
}

// waited is why something ended, and after how many whole milliseconds.
func waited(ctx *weir.ActionCtx, began float64, err error) []weir.Value {
	why := "fine"
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		why = "DeadlineExceeded"
	case errors.Is(err, context.Canceled):
		why = "Canceled"
	case err != nil:
		why = weir.CodeOf(err) + ": " + err.Error()
	}
	return []weir.Value{why, int(ctx.Now() - began)}
}

func waitsInQuery(*weir.QueryCtx) error {
	time.Sleep(time.Second)
	return nil
}

// waitsSleep sleeps as Go does; how far both clocks have gone on.
func waitsSleep(ctx *weir.ActionCtx, args waitMs) ([]int, error) {
	began, beganInGo := ctx.Now(), time.Now()
	time.Sleep(args.duration())
	return []int{int(ctx.Now() - began), int(time.Since(beganInGo).Milliseconds())}, nil
}

// waitsOrder waits in each way at the same time; who was ready in which order.
func waitsOrder(ctx *weir.ActionCtx) ([]string, error) {
	ended := make(chan string)
	go func() {
		time.Sleep(40 * time.Millisecond)
		ended <- "time.Sleep 40"
	}()
	go func() {
		if err := ctx.Sleep(30 * time.Millisecond); err == nil {
			ended <- "ctx.Sleep 30"
		}
	}()
	go func() {
		<-time.After(20 * time.Millisecond)
		ended <- "time.After 20"
	}()
	time.AfterFunc(50*time.Millisecond, func() { ended <- "time.AfterFunc 50" })
	go func() {
		if err := ctx.Sleep(10 * time.Millisecond); err == nil {
			ended <- "ctx.Sleep 10"
		}
	}()
	stopped := time.AfterFunc(15*time.Millisecond, func() { ended <- "never" })
	stopped.Stop()
	order := make([]string, 5)
	for i := range order {
		order[i] = <-ended
	}
	return order, nil
}

// waitsTicks counts the ticks of so long, beside a task.
func waitsTicks(ctx *weir.ActionCtx, args waitMs) (int, error) {
	ticker := time.NewTicker(args.duration())
	defer ticker.Stop()
	slept := make(chan error)
	go func() { slept <- ctx.Sleep(args.duration()*10 + args.duration()/2) }()
	for ticks := 0; ; ticks++ {
		select {
		case <-ticker.C:
		case err := <-slept:
			return ticks, err
		}
	}
}

// waitsFetch fetches within a time, and goes on after that.
func waitsFetch(ctx *weir.ActionCtx, args urlWithin) ([]weir.Value, error) {
	began := ctx.Now()
	within, cancel := context.WithTimeout(ctx.Context(), args.duration())
	defer cancel()
	_, err := ctx.WithContext(within).Fetch(&weir.Request{URL: args.URL})
	said := waited(ctx, began, err)
	_, err = weir.RunQuery[weir.Value](ctx, "waits:nothing", nil)
	return said, err
}

// waitsBody reads a body until its context is done.
func waitsBody(ctx *weir.ActionCtx, args urlWithin) ([]weir.Value, error) {
	began := ctx.Now()
	within, cancel := context.WithTimeout(ctx.Context(), args.duration())
	defer cancel()
	response, err := ctx.WithContext(within).Fetch(&weir.Request{URL: args.URL})
	if err != nil {
		return nil, err
	}
	first := make([]byte, 5)
	if _, err := io.ReadFull(response.Body, first); err != nil {
		return nil, err
	}
	<-within.Done()
	_, err = response.Text()
	said := append(waited(ctx, began, err), string(first))
	if _, again := response.Text(); again != err {
		return nil, fmt.Errorf("first %v, then %v", err, again)
	}
	return said, nil
}

// waitsUpload sends a body that does not end, within a time; how its writer ended.
func waitsUpload(ctx *weir.ActionCtx, args urlWithin) ([]weir.Value, error) {
	began := ctx.Now()
	within, cancel := context.WithTimeout(ctx.Context(), args.duration())
	defer cancel()
	written := make(chan error, 1)
	body := weir.Stream(func(out io.Writer) error {
		for {
			if _, err := io.WriteString(out, "more "); err != nil {
				written <- err
				return err
			}
			time.Sleep(time.Millisecond)
		}
	})
	_, err := ctx.WithContext(within).Fetch(&weir.Request{Method: "POST", URL: args.URL, Body: body})
	return append(waited(ctx, began, err), (<-written).Error()), nil
}

// waitsCall waits for an action that takes longer.
func waitsCall(ctx *weir.ActionCtx, args waitMs) ([]weir.Value, error) {
	began := ctx.Now()
	within, cancel := context.WithTimeout(ctx.Context(), args.duration())
	defer cancel()
	_, err := weir.RunAction[weir.Value](ctx.WithContext(within), "waits:sleep", waitMs{args.Ms * 100})
	return waited(ctx, began, err), nil
}

// waitsCancel takes many sleeps back at once; how many said so, and when.
func waitsCancel(ctx *weir.ActionCtx, args waitMs) ([]weir.Value, error) {
	began := ctx.Now()
	within, cancel := context.WithCancel(ctx.Context())
	var sleeping sync.WaitGroup
	ended := map[string]int{}
	for range 100 {
		sleeping.Add(1)
		go func() {
			defer sleeping.Done()
			err := ctx.WithContext(within).Sleep(time.Hour)
			ended[fmt.Sprint(waited(ctx, began, err)...)]++
		}()
	}
	time.Sleep(args.duration())
	cancel()
	sleeping.Wait()
	return []weir.Value{ended[fmt.Sprint("Canceled", args.Ms)], int(ctx.Now() - began)}, nil
}

// waitsDoneBefore begins nothing in a context that is done.
func waitsDoneBefore(ctx *weir.ActionCtx) ([]weir.Value, error) {
	began := ctx.Now()
	within, cancel := context.WithCancel(ctx.Context())
	cancel()
	err := ctx.WithContext(within).Sleep(time.Hour)
	_, second := ctx.WithContext(within).Fetch(&weir.Request{URL: "https://nobody.example"})
	if !errors.Is(second, context.Canceled) {
		return nil, fmt.Errorf("the request: %v", second)
	}
	return waited(ctx, began, err), nil
}

// waitsForever gives up all that it could wait for, and waits.
func waitsForever(ctx *weir.ActionCtx) error {
	within, cancel := context.WithTimeout(ctx.Context(), time.Millisecond)
	defer cancel()
	if err := ctx.WithContext(within).Sleep(time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	<-make(chan struct{})
	return nil
}

// waitsCollect collects garbage while timers and tasks go on.
func waitsCollect(ctx *weir.ActionCtx) (int, error) {
	errs := make(chan error)
	for i := range 20 {
		go func() {
			for range 10 {
				text := strings.Repeat("x", 100_000+i)
				time.Sleep(time.Duration(i) * time.Millisecond)
				if _, err := weir.RunQuery[weir.Value](ctx, "waits:nothing", nil); err != nil || len(text) < i {
					errs <- err
					return
				}
				runtime.GC()
			}
			errs <- nil
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			return 0, err
		}
	}
	return 20, nil
}

// waitsAnswer writes a piece now and then.
func waitsAnswer(*weir.ActionCtx, *weir.Request) (*weir.Response, error) {
	body := weir.Stream(func(out io.Writer) error {
		for _, piece := range []string{"now ", "and ", "then"} {
			time.Sleep(5 * time.Millisecond)
			if _, err := io.WriteString(out, piece); err != nil {
				return err
			}
		}
		return nil
	})
	return &weir.Response{Body: body}, nil
}
