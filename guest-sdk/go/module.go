package weir

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"weir.dev/go/internal/abi"
)

// stackBytesMax is where a recursion ends; the host's own limit is mostly met before.
const stackBytesMax = 8 << 20

// heapBytesSoftMax is where the collector begins to run: the host gives a call 64 MiB.
const heapBytesSoftMax = 40 << 20

func init() {
	abi.Serve(abi.Module{Describe: describe, Call: call, WarmUp: warmUp})
}

func sortedPaths() []string {
	return slices.Sorted(maps.Keys(functions))
}

// warmUp is the last thing that runs while the module is built: each call begins
// with the memory that it leaves.
func warmUp() {
	debug.SetMaxStack(stackBytesMax)
	describe()
	// A call has memory enough as a rule, and none of it outlives the call.
	runtime.GC()
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapBytesSoftMax)
}

// reportPanic tells the host why the call is about to trap. The last line is what
// the caller reads; where it was is for the log.
func reportPanic() {
	reason := recover()
	if reason == nil {
		return
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(debug.Stack())), "\n") {
		abi.Log(abi.LevelDebug, strings.ReplaceAll(line, "\t", "    "))
	}
	abi.Log(abi.LevelError, fmt.Sprintf("panic: %v", reason))
	// The adapter makes a trap of it.
	os.Exit(2)
}
