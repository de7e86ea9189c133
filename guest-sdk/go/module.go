package weir

import (
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"weir.dev/go/internal/abi"
)

func init() {
	abi.Serve(abi.Module{Describe: describe, Call: call, WarmUp: warmUp})
}

func sortedPaths() []string {
	return slices.Sorted(maps.Keys(functions))
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
