// A list of things to do, the same for everyone who looks at it.
package main

import (
	"errors"
	"strings"

	"weir.dev/go"
)

// Todo is a document of the table todos.
type Todo struct {
	Text string `json:"text"`
	Done bool   `json:"done"`
}

var (
	todos  = weir.NewTable[Todo]("todos")
	byDone = todos.Index("by_done", "done")
)

func init() {
	weir.Query("todos:list", list)
	weir.Mutation("todos:add", add)
	weir.Mutation("todos:toggle", toggle)
	weir.Mutation("todos:clearDone", clearDone)
}

// list gives everything on the list, the oldest first.
func list(ctx *weir.QueryCtx) ([]weir.Doc[Todo], error) {
	return todos.Query(ctx).Collect()
}

type addArgs struct {
	Text string `json:"text"`
}

// add puts something on the list.
func add(ctx *weir.MutationCtx, args addArgs) (weir.ID[Todo], error) {
	text := strings.TrimSpace(args.Text)
	if text == "" {
		return "", errors.New("write what is to do")
	}
	return todos.Insert(ctx, Todo{Text: text})
}

type toggleArgs struct {
	ID weir.ID[Todo] `json:"id"`
}

// toggle marks something as done, or as not done after all.
func toggle(ctx *weir.MutationCtx, args toggleArgs) error {
	todo, err := todos.Get(ctx, args.ID)
	if err != nil {
		return err
	}
	if todo == nil {
		return errors.New("this is no longer on the list")
	}
	return todos.Patch(ctx, args.ID, weir.Object{"done": !todo.Value.Done})
}

// clearDone takes off the list what is done, and says how many that were.
func clearDone(ctx *weir.MutationCtx) (int, error) {
	done, err := todos.Query(ctx).By(byDone.Eq(true)).Collect()
	if err != nil {
		return 0, err
	}
	for _, todo := range done {
		if err := todos.Delete(ctx, todo.ID); err != nil {
			return 0, err
		}
	}
	return len(done), nil
}

func main() {}
