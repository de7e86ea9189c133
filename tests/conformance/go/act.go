package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	clock "time"

	"weir.dev/go"
)

func init() {
	weir.InternalMutation("act:note", actNote)
	weir.Query("act:notes", actNotes)
	weir.Mutation("act:refuse", actRefuse)
	weir.InternalQuery("act:whoAsks", actWhoAsks)
	weir.Action("act:relay", actRelay)
	weir.Action("act:together", actTogether)
	weir.Action("act:clock", actClock)
	weir.Action("act:fetch", actFetch)
	weir.Action("act:tryFetch", actTryFetch)
	weir.Action("act:exchange", actExchange)
	weir.Action("act:pieces", actPieces)
	weir.Action("act:upload", actUpload)
	weir.Action("act:both", actBoth)
	weir.Action("act:many", actMany)
	weir.Action("act:fail", actFail)
	weir.Action("act:data", actData)
	weir.Action("act:tryCall", actTryCall)
	weir.Action("act:nest", actNest)
	weir.Action("act:later", actLater)
	weir.Action("act:who", actWho)
	weir.Action("act:variable", actVariable)
}

type actText struct {
	Text string `json:"text"`
}

func actNote(ctx *weir.MutationCtx, args actText) (float64, error) {
	if _, err := tableOf("acted").Insert(ctx, weir.Object{"text": args.Text, "at": ctx.Now()}); err != nil {
		return 0, err
	}
	count, err := tableOf("acted").Query(ctx).Count()
	return float64(count), err
}

func actNotes(ctx *weir.QueryCtx) ([]weir.Value, error) {
	notes, err := tableOf("acted").Query(ctx).Collect()
	texts := make([]weir.Value, 0, len(notes))
	for _, note := range notes {
		texts = append(texts, note.Value.(weir.Object)["text"])
	}
	return texts, err
}

// actRefuse writes something down, and fails with data.
func actRefuse(ctx *weir.MutationCtx, args actText) error {
	if _, err := tableOf("acted").Insert(ctx, weir.Object{"text": args.Text}); err != nil {
		return err
	}
	return weir.AppError(weir.Object{"code": "Refused", "text": args.Text, "left": int64(5)})
}

func subjectOf(who *weir.Identity) *string {
	if who == nil {
		return nil
	}
	subject := who.Subject()
	return &subject
}

func actWhoAsks(ctx *weir.QueryCtx) (weir.Value, error) {
	if who := subjectOf(ctx.Identity()); who != nil {
		return *who, nil
	}
	return nil, nil
}

// actRelay writes a text down, and gives all that are there.
func actRelay(ctx *weir.ActionCtx, args actText) ([]weir.Value, error) {
	weir.Logf("relaying %s", args.Text)
	if _, err := weir.RunMutation[float64](ctx, "act:note", args); err != nil {
		return nil, err
	}
	return weir.RunQuery[[]weir.Value](ctx, "act:notes", nil)
}

type eachMs struct {
	Each []uint32 `json:"each"`
}

type together struct {
	Order []uint32 `json:"order"`
	Took  float64  `json:"took"`
}

// actTogether tells in which order several sleeps at the same time end, and how long they took.
func actTogether(ctx *weir.ActionCtx, args eachMs) (together, error) {
	began := ctx.Now()
	ended := make(chan uint32)
	for _, ms := range args.Each {
		go func() {
			if ctx.Sleep(clock.Duration(ms)*clock.Millisecond) == nil {
				ended <- ms
			}
		}()
	}
	order := make([]uint32, 0, len(args.Each))
	for range args.Each {
		order = append(order, <-ended)
	}
	return together{order, ctx.Now() - began}, nil
}

type actMs struct {
	Ms uint32 `json:"ms"`
}

// actClock tells how far the clock goes while an action sleeps, and while it does not.
func actClock(ctx *weir.ActionCtx, args actMs) ([]float64, error) {
	began, goBegan := ctx.Now(), clock.Now()
	computed := ctx.Now() - began
	err := ctx.Sleep(clock.Duration(args.Ms) * clock.Millisecond)
	slept := ctx.Now() - began
	// Without its reading of the monotonic clock a time is the wall clock's.
	wall, monotonic := clock.Now().Round(0).Sub(goBegan.Round(0)), clock.Since(goBegan)
	for _, passed := range []clock.Duration{wall, monotonic} {
		if passed.Round(clock.Millisecond) != clock.Duration(slept)*clock.Millisecond {
			return nil, fmt.Errorf("Go's clocks went on by %v and %v, the call's by %v ms", wall, monotonic, slept)
		}
	}
	return []float64{computed, slept}, err
}

// fetched is a response, as far as it is the same each time.
type fetched struct {
	Status     int    `json:"status"`
	OK         bool   `json:"ok"`
	URL        string `json:"url"`
	Redirected bool   `json:"redirected"`
	// Headers are those that begin with `x-`.
	Headers [][]string `json:"headers"`
	Body    string     `json:"body"`
}

func fetch(ctx *weir.ActionCtx, request *weir.Request) (fetched, error) {
	response, err := ctx.Fetch(request)
	if err != nil {
		return fetched{}, err
	}
	headers := [][]string{}
	for _, field := range response.Header {
		if strings.HasPrefix(field[0], "x-") {
			headers = append(headers, field[:])
		}
	}
	body, err := response.Text()
	return fetched{response.Status, response.OK(), response.URL, response.Redirected, headers, body}, err
}

type fetchArgs struct {
	URL      string                `json:"url"`
	Method   string                `json:"method"`
	Headers  [][]string            `json:"headers"`
	Body     weir.Optional[string] `json:"body"`
	Redirect weir.Optional[string] `json:"redirect"`
}

func actFetch(ctx *weir.ActionCtx, args fetchArgs) (fetched, error) {
	request := &weir.Request{
		Method: args.Method, URL: args.URL, Redirect: weir.Redirect(args.Redirect.Or("")),
	}
	for _, field := range args.Headers {
		request.Header.Add(field[0], field[1])
	}
	if body, ok := args.Body.Get(); ok {
		request.Body = strings.NewReader(body)
	}
	return fetch(ctx, request)
}

type tryFetchArgs struct {
	URL      string                `json:"url"`
	Redirect weir.Optional[string] `json:"redirect"`
}

// actTryFetch tells why a request fails.
func actTryFetch(ctx *weir.ActionCtx, args tryFetchArgs) (string, error) {
	response, err := fetch(ctx, &weir.Request{URL: args.URL, Redirect: weir.Redirect(args.Redirect.Or(""))})
	if err != nil {
		return told(err), nil
	}
	return strconv.Itoa(response.Status), nil
}

type exchangeArgs struct {
	URL  string `json:"url"`
	Text string `json:"text"`
}

// actExchange sends JSON, and reads a field of the JSON that comes back.
func actExchange(ctx *weir.ActionCtx, args exchangeArgs) (weir.Value, error) {
	text, err := json.Marshal(actText{args.Text})
	if err != nil {
		return nil, err
	}
	response, err := ctx.Fetch(&weir.Request{
		Method: "POST", URL: args.URL, Header: weir.Header{{"content-type", "application/json"}},
		Body: bytes.NewReader(text),
	})
	if err != nil {
		return nil, err
	}
	var answer weir.Object
	err = response.JSON(&answer)
	return answer["body"], err
}

type actURL struct {
	URL string `json:"url"`
}

// actPieces reads a body piece by piece, and tells how it ended.
func actPieces(ctx *weir.ActionCtx, args actURL) ([]string, error) {
	response, err := ctx.Fetch(&weir.Request{URL: args.URL})
	if err != nil {
		return nil, err
	}
	var text []byte
	piece := make([]byte, 64)
	for {
		size, err := response.Body.Read(piece)
		text = append(text, piece[:size]...)
		if err == io.EOF {
			return []string{string(text), "the end"}, nil
		}
		if err != nil {
			return []string{string(text), weir.CodeOf(err)}, nil
		}
	}
}

type uploadArgs struct {
	URL    string   `json:"url"`
	Pieces []string `json:"pieces"`
}

// actUpload sends a body piece by piece.
func actUpload(ctx *weir.ActionCtx, args uploadArgs) (fetched, error) {
	body := weir.Stream(func(out io.Writer) error {
		for _, piece := range args.Pieces {
			if _, err := io.WriteString(out, piece); err != nil {
				return err
			}
		}
		return nil
	})
	return fetch(ctx, &weir.Request{Method: "POST", URL: args.URL, Body: body})
}

type bothArgs struct {
	First  string `json:"first"`
	Second string `json:"second"`
}

// actBoth fetches two pages at the same time.
func actBoth(ctx *weir.ActionCtx, args bothArgs) ([]string, error) {
	texts, errs := make([]string, 2), make([]error, 2)
	var fetching sync.WaitGroup
	for i, url := range []string{args.First, args.Second} {
		fetching.Add(1)
		go func() {
			defer fetching.Done()
			page, err := fetch(ctx, &weir.Request{URL: url})
			texts[i], errs[i] = page.Body, err
		}()
	}
	fetching.Wait()
	return texts, errors.Join(errs...)
}

type actTexts struct {
	Texts []string `json:"texts"`
}

// actMany writes many texts down at the same time, and a sleep beside it.
func actMany(ctx *weir.ActionCtx, args actTexts) ([]weir.Value, error) {
	errs := make(chan error)
	go func() { errs <- ctx.Sleep(clock.Millisecond) }()
	for _, text := range args.Texts {
		go func() {
			_, err := weir.RunMutation[float64](ctx, "act:note", actText{text})
			errs <- err
		}()
	}
	for range len(args.Texts) + 1 {
		if err := <-errs; err != nil {
			return nil, err
		}
	}
	notes, err := weir.RunQuery[[]weir.Value](ctx, "act:notes", nil)
	slices.SortFunc(notes, func(a, b weir.Value) int { return strings.Compare(a.(string), b.(string)) })
	return notes, err
}

type actMessage struct {
	Message string `json:"message"`
}

func actFail(_ *weir.ActionCtx, args actMessage) error {
	return errors.New(args.Message)
}

// actData tells what a mutation fails with that an action calls, and that what it wrote is not
// there.
func actData(ctx *weir.ActionCtx, args actText) (weir.Value, error) {
	_, err := weir.RunMutation[weir.Value](ctx, "act:refuse", args)
	if err == nil {
		return nil, errors.New("it did not fail")
	}
	data, _ := weir.DataOf(err)
	left, queryErr := weir.RunQuery[[]weir.Value](ctx, "act:notes", nil)
	return weir.Object{"code": weir.CodeOf(err), "data": data, "left": left}, queryErr
}

type tryCallArgs struct {
	Kind string     `json:"kind"`
	Path string     `json:"path"`
	Args weir.Value `json:"args"`
}

// actTryCall calls a function as what it may not be; the error's code and words.
func actTryCall(ctx *weir.ActionCtx, args tryCallArgs) (string, error) {
	var err error
	switch args.Kind {
	case "query":
		_, err = weir.RunQuery[weir.Value](ctx, args.Path, args.Args)
	case "mutation":
		_, err = weir.RunMutation[weir.Value](ctx, args.Path, args.Args)
	default:
		_, err = weir.RunAction[weir.Value](ctx, args.Path, args.Args)
	}
	if err != nil {
		return told(err), nil
	}
	return "fine", nil
}

// actNest calls itself so often, one inside the other.
func actNest(ctx *weir.ActionCtx, args depth) (float64, error) {
	if args.Depth == 0 {
		return 0, nil
	}
	below, err := weir.RunAction[float64](ctx, "act:nest", depth{args.Depth - 1})
	return below + 1, err
}

type actLaterArgs struct {
	Ms   uint32 `json:"ms"`
	Text string `json:"text"`
}

// actLater schedules a mutation and an action, and takes another one back.
func actLater(ctx *weir.ActionCtx, args actLaterArgs) error {
	delay := clock.Duration(args.Ms) * clock.Millisecond
	if _, err := ctx.Scheduler.RunAfter(delay, "act:note", actText{args.Text + " by mutation"}); err != nil {
		return err
	}
	if _, err := ctx.Scheduler.RunAfter(delay+clock.Millisecond, "act:relay", actText{args.Text + " by action"}); err != nil {
		return err
	}
	id, err := ctx.Scheduler.RunAfter(delay, "act:note", actText{"never"})
	if err != nil {
		return err
	}
	return ctx.Scheduler.Cancel(id)
}

// actWho tells who the action is called by, and who a query of it.
func actWho(ctx *weir.ActionCtx) ([]weir.Value, error) {
	var own weir.Value
	if who := subjectOf(ctx.Identity()); who != nil {
		own = *who
	}
	asks, err := weir.RunQuery[weir.Value](ctx, "act:whoAsks", nil)
	return []weir.Value{own, asks}, err
}

type actName struct {
	Name string `json:"name"`
}

func actVariable(ctx *weir.ActionCtx, args actName) (weir.Value, error) {
	if value, ok := ctx.Env(args.Name); ok {
		return value, nil
	}
	return nil, nil
}
