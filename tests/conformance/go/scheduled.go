package main

import (
	"errors"
	"fmt"
	clock "time"

	"weir.dev/go"
)

func init() {
	weir.InternalMutation("scheduled:add", addLater)
	weir.Mutation("scheduled:fail", failLater)
	weir.Mutation("scheduled:after", scheduleAfter)
	weir.Mutation("scheduled:at", scheduleAt)
	weir.Mutation("scheduled:tell", tellScheduling)
	weir.Query("scheduled:fromQuery", scheduleFromQuery)
	weir.Mutation("scheduled:afterAndFail", scheduleAndFail)
	weir.Mutation("scheduled:many", scheduleMany)
	weir.InternalMutation("scheduled:again", scheduleAgain)
	weir.Mutation("scheduled:cancel", cancelScheduled)
	weir.Mutation("scheduled:tryCancel", tryCancelScheduled)
	weir.Query("scheduled:state", scheduledState)
	weir.Query("scheduled:document", scheduledDocument)
	weir.Query("scheduled:all", allScheduled)
}

type jobID = weir.ID[weir.ScheduledFunction]

type laterArgs struct {
	Text string `json:"text"`
}

// addLater writes down that it was called, and who by.
func addLater(ctx *weir.MutationCtx, args laterArgs) error {
	weir.Logf("adding %s", args.Text)
	by := "nobody"
	if who := ctx.Identity(); who != nil {
		by = who.Subject()
	}
	_, err := tableOf("done").Insert(ctx, weir.Object{"text": args.Text, "at": ctx.Now(), "by": by})
	return err
}

// failLater writes something down, and fails.
func failLater(ctx *weir.MutationCtx, args laterArgs) error {
	if _, err := tableOf("done").Insert(ctx, weir.Object{"text": args.Text}); err != nil {
		return err
	}
	return fmt.Errorf("not today: %s", args.Text)
}

type afterArgs struct {
	Ms   uint32     `json:"ms"`
	Path string     `json:"path"`
	Args weir.Value `json:"args"`
}

// scheduleAfter has a function called after so many milliseconds.
func scheduleAfter(ctx *weir.MutationCtx, args afterArgs) (jobID, error) {
	return ctx.Scheduler.RunAfter(clock.Duration(args.Ms)*clock.Millisecond, args.Path, args.Args)
}

type atArgs struct {
	At   float64    `json:"at"`
	Path string     `json:"path"`
	Args weir.Value `json:"args"`
}

func timeOf(ms float64) clock.Time {
	return clock.UnixMicro(int64(ms * 1e3))
}

// scheduleAt has one called at a time.
func scheduleAt(ctx *weir.MutationCtx, args atArgs) (jobID, error) {
	return ctx.Scheduler.RunAt(timeOf(args.At), args.Path, args.Args)
}

// tellScheduling does the same, or tells why not.
func tellScheduling(ctx *weir.MutationCtx, args atArgs) (string, error) {
	if _, err := scheduleAt(ctx, args); err != nil {
		return told(err), nil
	}
	return "scheduled", nil
}

// scheduleFromQuery tries it in a query, past what the types allow; tells what the host
// says.
func scheduleFromQuery(_ *weir.QueryCtx, args toCall) ([]string, error) {
	tell := func(fine string, err error) string {
		if err != nil {
			return told(err)
		}
		return fine
	}
	var scheduler weir.Scheduler
	_, err := scheduler.RunAt(timeOf(0), args.Path, args.Args)
	return []string{tell("scheduled", err), tell("canceled", scheduler.Cancel(""))}, nil
}

type toCall struct {
	Path string     `json:"path"`
	Args weir.Value `json:"args"`
}

// scheduleAndFail has one called, and fails.
func scheduleAndFail(ctx *weir.MutationCtx, args toCall) error {
	if _, err := ctx.Scheduler.RunAfter(0, args.Path, args.Args); err != nil {
		return err
	}
	return errors.New("after all not")
}

type manyArgs struct {
	Count int     `json:"count"`
	At    float64 `json:"at"`
}

// scheduleMany has one called so often.
func scheduleMany(ctx *weir.MutationCtx, args manyArgs) (int, error) {
	for i := range args.Count {
		text := laterArgs{fmt.Sprint(i)}
		if _, err := ctx.Scheduler.RunAt(timeOf(args.At), "scheduled:add", text); err != nil {
			return 0, err
		}
	}
	return args.Count, nil
}

type leftArgs struct {
	Left int `json:"left"`
}

// scheduleAgain writes a number down, and has itself called a second later, until none is
// left.
func scheduleAgain(ctx *weir.MutationCtx, args leftArgs) error {
	_, err := tableOf("done").Insert(ctx, weir.Object{"left": args.Left, "at": ctx.Now()})
	if err == nil && args.Left > 0 {
		_, err = ctx.Scheduler.RunAfter(clock.Second, "scheduled:again", leftArgs{args.Left - 1})
	}
	return err
}

type jobArgs struct {
	ID jobID `json:"id"`
}

// cancelScheduled takes a function back.
func cancelScheduled(ctx *weir.MutationCtx, args jobArgs) error {
	return ctx.Scheduler.Cancel(args.ID)
}

type cancelArgs struct {
	ID string `json:"id"`
}

// tryCancelScheduled does the same with what may be no id, or tells why not.
func tryCancelScheduled(ctx *weir.MutationCtx, args cancelArgs) (string, error) {
	if err := ctx.Scheduler.Cancel(jobID(args.ID)); err != nil {
		return told(err), nil
	}
	return "fine", nil
}

// job is what has become of a function.
type job struct {
	Name string       `json:"name"`
	Args []weir.Value `json:"args"`
	Due  float64      `json:"due"`
	// Ended is nil while it has not come to its end.
	Ended weir.Value `json:"ended"`
	State string     `json:"state"`
}

// scheduledState reads what has become of a function.
func scheduledState(ctx *weir.QueryCtx, args jobArgs) (*job, error) {
	found, err := weir.ScheduledFunctions.Get(ctx, args.ID)
	if err != nil || found == nil {
		return nil, err
	}
	read := jobOf(found.Value)
	return &read, nil
}

// scheduledDocument reads its document as it is.
func scheduledDocument(ctx *weir.QueryCtx, args jobArgs) (*weir.Doc[weir.ScheduledFunction], error) {
	return weir.ScheduledFunctions.Get(ctx, args.ID)
}

// allScheduled reads the same of all.
func allScheduled(ctx *weir.QueryCtx) ([]job, error) {
	found, err := weir.ScheduledFunctions.Query(ctx).Collect()
	jobs := make([]job, 0, len(found))
	for _, each := range found {
		jobs = append(jobs, jobOf(each.Value))
	}
	return jobs, err
}

func jobOf(found weir.ScheduledFunction) job {
	read := job{Name: found.Name, Args: found.Args, Due: found.ScheduledTime, State: string(found.State.Kind)}
	if ended, ok := found.CompletedTime.Get(); ok {
		read.Ended = ended
	}
	switch found.State.Kind {
	case weir.ScheduledInProgress:
		read.State = "in progress"
	case weir.ScheduledFailed:
		read.State += ": " + found.State.Error
	}
	return read
}
