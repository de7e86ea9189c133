package weir

import (
	"reflect"
	"time"

	"weir.dev/go/internal/json"
)

// NoArgs are the arguments of a function that takes none.
type NoArgs struct{}

// Null is the value null, where nothing else can be: the result of a function that gives nothing.
type Null struct{}

// QueryReference is a query that takes an A and gives an R: its path, with what is known of it.
// host codegen writes those of the components that are mounted, in the package components of the
// folder _generated.
type QueryReference[A, R any] string

// MutationReference is a mutation that takes an A and gives an R. A query that calls one does not
// compile.
type MutationReference[A, R any] string

// ActionReference is an action that takes an A and gives an R.
type ActionReference[A, R any] string

// Run runs the query, as [RunQuery] does.
func (reference QueryReference[A, R]) Run(ctx Caller, args A) (R, error) {
	return RunQuery[R](ctx, string(reference), args)
}

// Run runs the mutation, as [RunMutation] does.
func (reference MutationReference[A, R]) Run(ctx MutationCaller, args A) (R, error) {
	return RunMutation[R](ctx, string(reference), args)
}

// Run runs the action, as [RunAction] does.
func (reference ActionReference[A, R]) Run(ctx *ActionCtx, args A) (R, error) {
	return RunAction[R](ctx, string(reference), args)
}

// ScheduleAfter has the mutation called when this time has passed, as [Scheduler.RunAfter] does.
func (reference MutationReference[A, R]) ScheduleAfter(scheduler Scheduler, delay time.Duration, args A) (ID[ScheduledFunction], error) {
	return scheduler.RunAfter(delay, string(reference), args)
}

// ScheduleAt has the mutation called at a time, as [Scheduler.RunAt] does.
func (reference MutationReference[A, R]) ScheduleAt(scheduler Scheduler, at time.Time, args A) (ID[ScheduledFunction], error) {
	return scheduler.RunAt(at, string(reference), args)
}

// ScheduleAfter has the action called when this time has passed, as [Scheduler.RunAfter] does.
func (reference ActionReference[A, R]) ScheduleAfter(scheduler Scheduler, delay time.Duration, args A) (ID[ScheduledFunction], error) {
	return scheduler.RunAfter(delay, string(reference), args)
}

// ScheduleAt has the action called at a time, as [Scheduler.RunAt] does.
func (reference ActionReference[A, R]) ScheduleAt(scheduler Scheduler, at time.Time, args A) (ID[ScheduledFunction], error) {
	return scheduler.RunAt(at, string(reference), args)
}

// Path gives the function's path, which is taken wherever a path is: by FunctionHandle, say.
func (reference QueryReference[A, R]) Path() string { return string(reference) }

// Path gives the function's path, which is taken wherever a path is: by FunctionHandle, say.
func (reference MutationReference[A, R]) Path() string { return string(reference) }

// Path gives the function's path, which is taken wherever a path is: by FunctionHandle, say.
func (reference ActionReference[A, R]) Path() string { return string(reference) }

var nullType = reflect.TypeFor[Null]()

// nullCodec is for what is null and nothing else.
func nullCodec() codec {
	return codec{
		write: func(out []byte, _ reflect.Value) ([]byte, error) { return append(out, "null"...), nil },
		read:  func(reader *json.Reader, _ reflect.Value) error { return reader.ReadNull() },
	}
}
