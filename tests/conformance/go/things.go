package main

import (
	"fmt"

	"weir.dev/go"
)

func init() {
	weir.Mutation("things:insert", insertThing)
	weir.Query("things:get", getThing)
	weir.Query("things:list", listThings)
	weir.Mutation("things:patch", patchThing)
	weir.Mutation("things:replace", replaceThing)
	weir.Mutation("things:remove", removeThing)
	weir.Query("things:normalize", normalize)
	weir.Mutation("things:attempt", attempt)
	weir.Query("things:readMany", readMany)
}

// thingID is the id of a document of any table; as an argument, a text.
type thingID = weir.ID[weir.Value]

type thing struct {
	ID thingID `json:"id"`
}

type valued struct {
	thing
	Value weir.Value `json:"value"`
}

func insertThing(ctx *weir.MutationCtx, args struct {
	inTable
	Value weir.Value `json:"value"`
}) (thingID, error) {
	return tableOf(args.Table).Insert(ctx, args.Value)
}

func getThing(ctx *weir.QueryCtx, args thing) (*weir.Doc[weir.Value], error) {
	return weir.Get(ctx, args.ID)
}

func listThings(ctx *weir.QueryCtx, args inTable) ([]weir.Doc[weir.Value], error) {
	return tableOf(args.Table).Query(ctx).Collect()
}

func patchThing(ctx *weir.MutationCtx, args valued) error {
	return weir.Patch(ctx, args.ID, args.Value)
}

func replaceThing(ctx *weir.MutationCtx, args valued) error {
	return weir.Replace(ctx, args.ID, args.Value)
}

func removeThing(ctx *weir.MutationCtx, args thing) error {
	return weir.Delete(ctx, args.ID)
}

func normalize(ctx *weir.QueryCtx, args struct {
	inTable
	ID string `json:"id"`
}) (*thingID, error) {
	id, ok := tableOf(args.Table).NormalizeID(ctx, args.ID)
	if !ok {
		return nil, nil
	}
	return &id, nil
}

// attempt tries an operation; gives `fine`, or what the host said against it. The
// call goes on either way.
func attempt(ctx *weir.MutationCtx, args struct {
	inTable
	valued
	Operation string `json:"operation"`
}) (string, error) {
	var err error
	switch args.Operation {
	case "get":
		_, err = weir.Get(ctx, args.ID)
	case "insert":
		_, err = tableOf(args.Table).Insert(ctx, args.Value)
	case "patch":
		err = weir.Patch(ctx, args.ID, args.Value)
	case "replace":
		err = weir.Replace(ctx, args.ID, args.Value)
	case "delete":
		err = weir.Delete(ctx, args.ID)
	case "query":
		_, err = tableOf(args.Table).Query(ctx).Collect()
	default:
		return "", fmt.Errorf("no operation %s", args.Operation)
	}
	if err != nil {
		return fmt.Sprintf("%s: %v", weir.CodeOf(err), err), nil
	}
	return "fine", nil
}

// readMany reads a document so many times; gives how often it was there.
func readMany(ctx *weir.QueryCtx, args struct {
	thing
	counted
}) (int, error) {
	found := 0
	for range args.Count {
		document, err := weir.Get(ctx, args.ID)
		if err != nil {
			return 0, err
		}
		if document != nil {
			found++
		}
	}
	return found, nil
}
