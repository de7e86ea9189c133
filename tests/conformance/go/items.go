package main

import (
	"errors"
	"strconv"
	"strings"

	"weir.dev/go"
)

// Item is what the queries read of documents, which may have more fields.
type Item struct {
	Label string `json:"label"`
}

func init() {
	weir.Mutation("items:fill", fill)
	weir.Query("items:list", listItems)
	weir.Query("items:first", first)
	weir.Query("items:unique", unique)
	weir.Mutation("items:stamp", stamp)
	weir.Query("items:stampedFrom", stampedFrom)
	weir.Query("items:position", position)
	weir.Query("items:compare", compare)
	weir.Query("items:matching", matching)
	weir.Query("items:madeBetween", madeBetween)
	weir.Query("items:byId", itemsByID)
}

func items(ctx *weir.QueryCtx, table string) *weir.TableQuery[Item] {
	return weir.NewTable[Item](table).Query(ctx)
}

func labels(documents []weir.Doc[Item], err error) ([]string, error) {
	labels := make([]string, 0, len(documents))
	for _, document := range documents {
		labels = append(labels, document.Value.Label)
	}
	return labels, err
}

func label(document *weir.Doc[Item], err error) (*string, error) {
	if document == nil {
		return nil, err
	}
	return &document.Value.Label, err
}

func orderNamed(name string) weir.Order {
	if name == "desc" {
		return weir.Desc
	}
	return weir.Asc
}

// fill adds items with the labels "0", "1", ... and a text of this length.
func fill(ctx *weir.MutationCtx, args struct {
	inTable
	counted
	Bytes int `json:"bytes"`
}) error {
	text := strings.Repeat("x", args.Bytes)
	for number := range args.Count {
		item := weir.Object{"label": strconv.Itoa(number), "text": text}
		if _, err := tableOf(args.Table).Insert(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

type ordered struct {
	inTable
	Order string `json:"order"`
}

// listItems gives them in an order, and at most Limit of them if it is given.
func listItems(ctx *weir.QueryCtx, args struct {
	ordered
	Limit weir.Optional[int] `json:"limit"`
}) ([]string, error) {
	query := items(ctx, args.Table).Order(orderNamed(args.Order))
	if limit, ok := args.Limit.Get(); ok {
		return labels(query.Take(limit))
	}
	return labels(query.Collect())
}

func first(ctx *weir.QueryCtx, args ordered) (*string, error) {
	return label(items(ctx, args.Table).Order(orderNamed(args.Order)).First())
}

type labelled struct {
	inTable
	Label string `json:"label"`
}

// unique gives the only one with this label.
func unique(ctx *weir.QueryCtx, args labelled) (*string, error) {
	return label(items(ctx, args.Table).Filter(weir.Field("label").Eq(args.Label)).Unique())
}

// Stamped is an item with the timestamp of the commit that added it.
type Stamped struct {
	Label string               `json:"label"`
	At    weir.CommitTimestamp `json:"at"`
}

// stamp adds an item with the timestamp of the commit, finds it by that, and gives it as it was found.
func stamp(ctx *weir.MutationCtx, args inTable) (weir.CommitTimestamp, error) {
	table := weir.NewTable[Stamped](args.Table, weir.Undeclared)
	if _, err := table.Insert(ctx, Stamped{Label: "stamped", At: weir.PendingCommit}); err != nil {
		return 0, err
	}
	found, err := table.Query(ctx).Filter(weir.Field("at").Eq(weir.PendingCommit)).Unique()
	if err != nil {
		return 0, err
	}
	if found == nil || found.Value.At != weir.PendingCommit {
		return 0, errors.New("it is not pending")
	}
	return found.Value.At, nil
}

// stampedFrom gives those that the commit with this timestamp, or a later one, has added.
func stampedFrom(ctx *weir.QueryCtx, args struct {
	inTable
	At int64 `json:"at"`
}) ([]string, error) {
	return labels(items(ctx, args.Table).Filter(weir.Field("at").Gte(args.At)).Collect())
}

// position goes through the items one by one until the label is found; gives how
// many that took, -1 if there is none.
func position(ctx *weir.QueryCtx, args labelled) (int, error) {
	number := 0
	for item, err := range items(ctx, args.Table).All() {
		if err != nil {
			return 0, err
		}
		if number++; item.Value.Label == args.Label {
			return number, nil
		}
	}
	return -1, nil
}

// compare gives those whose field compares so with a value.
func compare(ctx *weir.QueryCtx, args struct {
	inTable
	Operator string     `json:"operator"`
	Field    string     `json:"field"`
	Value    weir.Value `json:"value"`
}) ([]string, error) {
	operators := map[string]func(weir.Expression, any) weir.Expression{
		"eq": weir.Expression.Eq, "neq": weir.Expression.Neq, "lt": weir.Expression.Lt,
		"lte": weir.Expression.Lte, "gt": weir.Expression.Gt, "gte": weir.Expression.Gte,
	}
	operator, ok := operators[args.Operator]
	if !ok {
		operator = weir.Expression.Gte
	}
	return labels(items(ctx, args.Table).Filter(operator(weir.Field(args.Field), args.Value)).Collect())
}

// matching gives those for which the condition of this name holds.
func matching(ctx *weir.QueryCtx, args struct {
	inTable
	Condition string `json:"condition"`
}) ([]string, error) {
	return labels(items(ctx, args.Table).Filter(conditionNamed(args.Condition)).Collect())
}

func conditionNamed(name string) weir.Expression {
	a, b := weir.Field("a"), weir.Field("b")
	switch name {
	case "and":
		return a.Gt(1).And(b.Lt(5))
	case "or":
		return a.Gt(3).Or(b.Gt(5))
	case "not":
		return a.Gt(1).Not()
	case "add":
		return a.Add(b).Eq(7)
	case "sub":
		return a.Sub(b).Eq(-3)
	case "mul":
		return a.Mul(b).Eq(10)
	case "div":
		return a.Div(b).Eq(0.5)
	case "mod":
		return a.Mod(2).Eq(1)
	case "neg":
		return a.Neg().Lt(-2)
	case "fields":
		return a.Eq(b)
	case "inner":
		return weir.Field("inner.deep").Eq("yes")
	case "constant":
		return a.Eq(weir.Field("a"))
	}
	return a
}

// madeBetween gives those made in a time: from From on, and before To; To too if
// Closed, and not From itself.
func madeBetween(ctx *weir.QueryCtx, args struct {
	inTable
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Closed bool    `json:"closed"`
}) ([]string, error) {
	lower, upper := weir.Gte(args.From), weir.Lt(args.To)
	if args.Closed {
		lower, upper = weir.Gt(args.From), weir.Lte(args.To)
	}
	return labels(items(ctx, args.Table).ByCreationTime(lower, upper).Collect())
}

// itemsByID gives those whose id compares so with this one, in descending order.
func itemsByID(ctx *weir.QueryCtx, args struct {
	inTable
	Operator string `json:"operator"`
	ID       string `json:"id"`
}) ([]string, error) {
	bounds := map[string]func(any) weir.Bound{"eq": weir.Eq, "lt": weir.Lt, "lte": weir.Lte, "gt": weir.Gt}
	bound, ok := bounds[args.Operator]
	if !ok {
		bound = weir.Gte
	}
	return labels(items(ctx, args.Table).ByID(bound(args.ID)).Order(weir.Desc).Collect())
}
