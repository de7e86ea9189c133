package main

import (
	"fmt"

	"weir.dev/go"
)

// Task is a document of the table tasks, which has indexes.
type Task struct {
	Team  string                  `json:"team"`
	Rank  float64                 `json:"rank"`
	Title string                  `json:"title"`
	Done  bool                    `json:"done"`
	Meta  weir.Optional[TaskMeta] `json:"meta"`
}

// TaskMeta is what is known about a task.
type TaskMeta struct {
	Owner weir.Optional[string] `json:"owner"`
}

type taskID = weir.ID[Task]

var (
	tasks      = weir.NewTable[Task]("tasks")
	byTeamRank = tasks.Index("by_team_rank", "team", "rank")
	byOwner    = tasks.Index("by_owner", "meta.owner")
	indexes    = weir.NewSystemTable[indexState]("_indexes")
)

func init() {
	tasks.StagedIndex("by_title", "title")
	weir.Mutation("tasks:insert", insertTask)
	weir.Mutation("tasks:rename", renameTask)
	weir.Mutation("tasks:move", moveTask)
	weir.Mutation("tasks:remove", removeTask)
	weir.Query("tasks:range", tasksInRange)
	weir.Query("tasks:byOwner", tasksByOwner)
	weir.Query("tasks:first", firstTask)
	weir.Query("tasks:unique", uniqueTask)
	weir.Query("tasks:page", pageOfTasks)
	weir.Query("tasks:openPage", pageOfOpenTasks)
	weir.Query("tasks:twoPages", twoPages)
	weir.Query("tasks:countAll", countAll)
	weir.Query("tasks:countTeam", countTeam)
	weir.Mutation("tasks:countInside", countInside)
	weir.Query("tasks:many", manyTasks)
	weir.Query("tasks:wrong", wrong)
	weir.Query("tasks:indexes", listIndexes)
}

type byTaskID struct {
	ID taskID `json:"id"`
}

type inTeam struct {
	Team string `json:"team"`
}

func insertTask(ctx *weir.MutationCtx, args struct {
	inTeam
	Rank  float64               `json:"rank"`
	Title string                `json:"title"`
	Done  bool                  `json:"done"`
	Owner weir.Optional[string] `json:"owner"`
}) (taskID, error) {
	task := Task{Team: args.Team, Rank: args.Rank, Title: args.Title, Done: args.Done}
	if args.Owner.Present {
		task.Meta = weir.Some(TaskMeta{Owner: args.Owner})
	}
	return tasks.Insert(ctx, task)
}

// renameTask changes a field that is in no index that can be read.
func renameTask(ctx *weir.MutationCtx, args struct {
	byTaskID
	Title string `json:"title"`
}) error {
	return weir.Patch(ctx, args.ID, weir.Object{"title": args.Title})
}

func moveTask(ctx *weir.MutationCtx, args struct {
	byTaskID
	inTeam
	Rank float64 `json:"rank"`
}) error {
	return tasks.Patch(ctx, args.ID, weir.Object{"team": args.Team, "rank": args.Rank})
}

func removeTask(ctx *weir.MutationCtx, args byTaskID) error {
	return tasks.Delete(ctx, args.ID)
}

// tasksInRange gives those of a team whose rank is at least `from` and below `to`.
func tasksInRange(ctx *weir.QueryCtx, args struct {
	inTeam
	From  weir.Optional[float64] `json:"from"`
	To    weir.Optional[float64] `json:"to"`
	Order string                 `json:"order"`
	Take  weir.Optional[int]     `json:"take"`
}) ([]weir.Doc[Task], error) {
	index := byTeamRank.Eq(args.Team)
	if from, ok := args.From.Get(); ok {
		index = index.Gte(from)
	}
	if to, ok := args.To.Get(); ok {
		index = index.Lt(to)
	}
	query := tasks.Query(ctx).By(index).Order(orderNamed(args.Order))
	if limit, ok := args.Take.Get(); ok {
		return query.Take(limit)
	}
	return query.Collect()
}

// tasksByOwner gives those of an owner, or of nobody.
func tasksByOwner(ctx *weir.QueryCtx, args TaskMeta) ([]weir.Doc[Task], error) {
	return tasks.Query(ctx).By(byOwner.Eq(args.Owner)).Collect()
}

// firstTask gives the one of a team with the highest rank.
func firstTask(ctx *weir.QueryCtx, args inTeam) (*weir.Doc[Task], error) {
	return tasks.Query(ctx).By(byTeamRank.Eq(args.Team)).Order(weir.Desc).First()
}

func uniqueTask(ctx *weir.QueryCtx, args struct {
	inTeam
	Rank float64 `json:"rank"`
}) (*weir.Doc[Task], error) {
	return tasks.Query(ctx).By(byTeamRank.Eq(args.Team).Eq(args.Rank)).Unique()
}

type paginated struct {
	PaginationOpts weir.PaginationOptions `json:"paginationOpts"`
}

func pageOfTasks(ctx *weir.QueryCtx, args struct {
	inTeam
	paginated
}) (weir.PaginationResult[Task], error) {
	return tasks.Query(ctx).By(byTeamRank.Eq(args.Team)).Paginate(args.PaginationOpts)
}

// pageOfOpenTasks gives those that are not done, the newest first.
func pageOfOpenTasks(ctx *weir.QueryCtx, args paginated) (weir.PaginationResult[Task], error) {
	query := tasks.Query(ctx).Order(weir.Desc).Filter(weir.Field("done").Eq(false))
	return query.Paginate(args.PaginationOpts)
}

func twoPages(ctx *weir.QueryCtx) error {
	if _, err := tasks.Query(ctx).Paginate(weir.FirstPage(1)); err != nil {
		return err
	}
	_, err := tasks.Query(ctx).Paginate(weir.FirstPage(1))
	return err
}

func countAll(ctx *weir.QueryCtx) (int, error) {
	return tasks.Query(ctx).Count()
}

func countTeam(ctx *weir.QueryCtx, args inTeam) (int, error) {
	return tasks.Query(ctx).By(byTeamRank.Eq(args.Team)).Count()
}

// countInside inserts one into a team, and counts.
func countInside(ctx *weir.MutationCtx, args inTeam) ([]int, error) {
	if _, err := tasks.Insert(ctx, Task{Team: args.Team, Title: "counted"}); err != nil {
		return nil, err
	}
	all, err := countAll(ctx.QueryCtx)
	if err != nil {
		return nil, err
	}
	team, err := countTeam(ctx.QueryCtx, args)
	return []int{all, team}, err
}

func manyTasks(ctx *weir.QueryCtx, args struct {
	IDs []string `json:"ids"`
}) ([]*weir.Doc[Task], error) {
	ids := make([]taskID, len(args.IDs))
	for i, id := range args.IDs {
		ids[i] = taskID(id)
	}
	return weir.GetMany(ctx, ids)
}

// wrong does something that is wrong, whose error ends the call.
func wrong(ctx *weir.QueryCtx, args struct {
	Kind string `json:"kind"`
}) error {
	query, by := tableOf("tasks").Query(ctx), "by_team_rank"
	team := weir.Eq("red").On("team")
	switch args.Kind {
	case "unknown":
		query = query.WithIndex("by_nothing")
	case "staged":
		query = query.WithIndex("by_title")
	case "order":
		query = query.WithIndex(by, weir.Eq(1).On("rank"))
	case "twice":
		query = query.WithIndex(by, team, weir.Gt(1).On("rank"), weir.Gt(2).On("rank"))
	case "field":
		query = query.WithIndex(by, weir.Eq("t").On("title"))
	case "afterRange":
		query = query.WithIndex(by, team, weir.Gt(1).On("rank"), weir.Eq(2).On("rank"))
	case "system":
		query = tableOf("_indexes").Query(ctx)
	case "noItems":
		_, err := query.Paginate(weir.FirstPage(0))
		return err
	default:
		return fmt.Errorf("nothing wrong is called %s", args.Kind)
	}
	_, err := query.Collect()
	return err
}

type indexState struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Staged bool   `json:"staged"`
}

// listIndexes gives what the database says of its indexes.
func listIndexes(ctx *weir.QueryCtx) ([]indexState, error) {
	states := []indexState{}
	for index, err := range indexes.Query(ctx).All() {
		if err != nil {
			return nil, err
		}
		states = append(states, index.Value)
	}
	return states, nil
}
