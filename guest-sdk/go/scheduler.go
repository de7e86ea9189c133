package weir

import (
	"time"

	"weir.dev/go/internal/abi"
)

// Scheduler has mutations and actions called later, each once, as nobody in particular.
// Scheduling is a part of the transaction: a mutation that fails schedules nothing. From an
// action it is done at once. An action is begun once, and fails if the host ends before it
// does.
type Scheduler struct{}

// ScheduledFunctions is the host's table of functions that are to be called, or were.
// What became of one is kept for a week after its end.
var ScheduledFunctions = NewSystemTable[ScheduledFunction]("_scheduled_functions")

// ScheduledFunction is a document of [ScheduledFunctions].
type ScheduledFunction struct {
	// Name is the function, as Convex spells it: notes.js:remind.
	Name string `json:"name"`
	// Args are its arguments: one object.
	Args []Value `json:"args"`
	// ScheduledTime is when it is due, in milliseconds since the epoch.
	ScheduledTime float64 `json:"scheduledTime"`
	// CompletedTime is when it came to its end, in the same; absent until then.
	CompletedTime Optional[float64] `json:"completedTime"`
	// State tells how far it has come.
	State ScheduledState `json:"state"`
}

// ScheduledState tells how far a scheduled function has come.
type ScheduledState struct {
	Kind ScheduledKind `json:"kind"`
	// Error is why it has failed; "" for the other kinds.
	Error string `json:"error,omitempty"`
}

// ScheduledKind is a kind of [ScheduledState].
type ScheduledKind string

const (
	// ScheduledPending: it waits for its time.
	ScheduledPending ScheduledKind = "pending"
	// ScheduledInProgress: it runs. Of actions alone: a mutation has run, or waits.
	ScheduledInProgress ScheduledKind = "inProgress"
	// ScheduledSuccess: it has run.
	ScheduledSuccess ScheduledKind = "success"
	// ScheduledFailed: it has failed, and its writes were undone.
	ScheduledFailed ScheduledKind = "failed"
	// ScheduledCanceled: it was taken back before it ran.
	ScheduledCanceled ScheduledKind = "canceled"
)

// RunAfter has a mutation or an action of this deployment called when this time has passed, of any
// module and language, or of a [Component], or by a handle; it may be internal. After zero, or less, means right after this
// transaction. Args is a struct or an [Object]; nil: none. Whether the function takes
// them is seen when it is called.
//
//	ctx.Scheduler.RunAfter(time.Minute, "notes:remind", args)
//
// The errors, by [CodeOf]: FunctionNotFound; WrongFunctionKind, for a query;
// InvalidArguments, for what is not one object, or larger than 4 MiB; InvalidTime, for
// more than five years ahead. More than 1,000 in a transaction, or arguments of more
// than 16 MiB, end it.
func (Scheduler) RunAfter(delay time.Duration, path string, args any) (ID[ScheduledFunction], error) {
	return runAt(abi.Now()+float64(delay)/float64(time.Millisecond), path, args)
}

// RunAt does the same at a time. One that has passed means right after this transaction;
// one before 1970 is an InvalidTime.
func (Scheduler) RunAt(at time.Time, path string, args any) (ID[ScheduledFunction], error) {
	return runAt(float64(at.UnixMicro())/1e3, path, args)
}

func runAt(at float64, path string, args any) (ID[ScheduledFunction], error) {
	if args == nil {
		args = Object{}
	}
	json, err := Marshal(args)
	if err != nil {
		return "", err
	}
	id, failed := abi.RunAt(path, json, at)
	return ID[ScheduledFunction](id), fromHost(failed)
}

// Cancel takes a scheduled function back. One that has come to its end is left as it is.
//
// The errors, by [CodeOf]: InvalidId, for what RunAt did not give; NotFound, for one that
// came to its end more than a week ago.
func (Scheduler) Cancel(id ID[ScheduledFunction]) error {
	return fromHost(abi.Cancel(string(id)))
}
