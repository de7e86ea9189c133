package main

import (
	"errors"
	"fmt"

	"weir.dev/go"
)

func init() {
	weir.Query("errors:fail", fail)
	weir.Query("errors:failWithData", failWithData)
	weir.Mutation("errors:writeAndFail", writeAndFail)
}

func fail(_ *weir.QueryCtx, args struct {
	Message string `json:"message"`
}) error {
	return errors.New(args.Message)
}

func failWithData(_ *weir.QueryCtx, args struct {
	Data weir.Value `json:"data"`
}) error {
	return weir.AppError(args.Data)
}

// writeAndFail fails after it has written `{label}`; with data if it is given.
func writeAndFail(ctx *weir.MutationCtx, args struct {
	inTable
	Label string                `json:"label"`
	Data  weir.Optional[string] `json:"data"`
}) error {
	if _, err := tableOf(args.Table).Insert(ctx, weir.Object{"label": args.Label}); err != nil {
		return err
	}
	if why, ok := args.Data.Get(); ok {
		return weir.AppError(weir.Object{"why": why})
	}
	return fmt.Errorf("failed after writing %s", args.Label)
}
