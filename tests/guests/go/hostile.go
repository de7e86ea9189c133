package main

import (
	"errors"
	"strings"

	"weir.dev/go"
)

func init() {
	weir.Query("hostile:spin", spin)
	weir.Query("hostile:spinOnHost", spinOnHost)
	weir.Query("hostile:hoard", hoard)
	weir.Query("hostile:overflow", overflow)
	weir.Query("hostile:panic", panics)
	weir.Mutation("hostile:writeAndPanic", writeAndPanic)
	weir.Mutation("hostile:writeAndFail", writeAndFail)
	weir.Query("hostile:fail", fail)
	weir.Query("hostile:failWithData", failWithData)
	weir.Query("hostile:hugeResult", hugeResult)
	weir.Query("hostile:deepResult", deepResult)
	weir.Query("hostile:floodLog", floodLog)
	weir.Query("hostile:writeInQuery", writeInQuery)
	weir.Query("hostile:count", count)
	weir.Mutation("hostile:insertMany", insertMany)
	weir.Mutation("hostile:insertStubbornly", insertStubbornly)
	weir.Query("hostile:readMany", readMany)
}

type inTable struct {
	Table string `json:"table"`
}

type message struct {
	Message string `json:"message"`
}

// spin never ends.
func spin(*weir.QueryCtx) error {
	for {
	}
}

// spinOnHost never ends, and asks the host for something each time around.
func spinOnHost(ctx *weir.QueryCtx) error {
	none := weir.NewTable[weir.Object]("none")
	for {
		ctx.Now()
		none.NormalizeID(ctx, "none")
	}
}

var hoarded [][]byte

// hoard takes memory until there is none.
func hoard(*weir.QueryCtx) (int, error) {
	for {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = 1
		}
		hoarded = append(hoarded, block)
	}
}

// overflow calls itself until the stack is full.
func overflow(*weir.QueryCtx) (int, error) {
	return deeper(0), nil
}

//go:noinline
func deeper(depth int) int {
	frame := [64]int{depth}
	return deeper(depth+1) + frame[depth%64]
}

// panics does what it is called.
func panics(_ *weir.QueryCtx, args message) error {
	panic(args.Message)
}

// writeAndPanic panics after a write.
func writeAndPanic(ctx *weir.MutationCtx, args inTable) error {
	if _, err := weir.NewTable[weir.Object](args.Table).Insert(ctx, weir.Object{"by": "writeAndPanic"}); err != nil {
		return err
	}
	panic("after the write")
}

// writeAndFail fails after a write.
func writeAndFail(ctx *weir.MutationCtx, args inTable) error {
	if _, err := weir.NewTable[weir.Object](args.Table).Insert(ctx, weir.Object{"by": "writeAndFail"}); err != nil {
		return err
	}
	return errors.New("after the write")
}

// fail fails with a message.
func fail(_ *weir.QueryCtx, args message) error {
	return errors.New(args.Message)
}

// failWithData fails with data, as an application does.
func failWithData(_ *weir.QueryCtx, args struct {
	Data weir.Value `json:"data"`
}) error {
	return weir.AppError(args.Data)
}

// hugeResult gives a text of this length.
func hugeResult(_ *weir.QueryCtx, args struct {
	Bytes int `json:"bytes"`
}) (string, error) {
	return strings.Repeat("x", args.Bytes), nil
}

// deepResult gives arrays within arrays.
func deepResult(_ *weir.QueryCtx, args struct {
	Depth int `json:"depth"`
}) (weir.Value, error) {
	var result any = []any{}
	for range args.Depth - 1 {
		result = []any{result}
	}
	return result, nil
}

// floodLog writes lines to the log.
func floodLog(_ *weir.QueryCtx, args struct {
	Lines int `json:"lines"`
	Bytes int `json:"bytes"`
}) error {
	line := strings.Repeat("x", args.Bytes)
	for number := range args.Lines {
		weir.Logf("%d %s", number, line)
	}
	return nil
}

// writeInQuery tries to write from a query, past the SDK; gives the host's answer.
func writeInQuery(ctx *weir.QueryCtx, args inTable) (string, error) {
	forged := &weir.MutationCtx{QueryCtx: ctx}
	_, err := weir.NewTable[weir.Object](args.Table).Insert(forged, weir.Object{})
	if err == nil {
		return "written", nil
	}
	return weir.CodeOf(err), nil
}

var calls int

// count tells how often this instance was called: 1, if no state is left from call to call.
func count(*weir.QueryCtx) (int, error) {
	calls++
	return calls, nil
}

// insertMany adds documents with a text of this length.
func insertMany(ctx *weir.MutationCtx, args struct {
	Table string `json:"table"`
	Count int    `json:"count"`
	Bytes int    `json:"bytes"`
}) error {
	table, text := weir.NewTable[weir.Object](args.Table), strings.Repeat("x", args.Bytes)
	for range args.Count {
		if _, err := table.Insert(ctx, weir.Object{"text": text}); err != nil {
			return err
		}
	}
	return nil
}

// insertStubbornly adds documents, and goes on after what the host says about it.
func insertStubbornly(ctx *weir.MutationCtx, args struct {
	Table string `json:"table"`
	Count int    `json:"count"`
}) (int, error) {
	table, inserted := weir.NewTable[weir.Object](args.Table), 0
	for range args.Count {
		if _, err := table.Insert(ctx, weir.Object{}); err == nil {
			inserted++
		}
	}
	return inserted, nil
}

// readMany reads one document after the other that is not there.
func readMany(ctx *weir.QueryCtx, args struct {
	ID    weir.ID[weir.Value] `json:"id"`
	Count int                 `json:"count"`
}) error {
	for range args.Count {
		if _, err := weir.Get(ctx, args.ID); err != nil {
			return err
		}
	}
	return nil
}
