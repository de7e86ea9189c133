package weir

import (
	"reflect"
	"runtime"
	"runtime/debug"
)

const (
	// stackBytesMax is where a recursion ends; the host's own limit is mostly met before.
	stackBytesMax = 8 << 20
	// heapBytesSoftMax is where the collector begins to run: the host gives a call 64 MiB.
	heapBytesSoftMax = 40 << 20
	// smallBytesMax is up to where a call finds a block of memory at hand.
	smallBytesMax = 4 << 10
)

// kept holds what would otherwise be on the stack.
var kept struct {
	bytes    []byte
	pointers []*byte
}

// warmUp is the last thing that runs while the module is built: each call begins
// with the memory that it leaves.
func warmUp() {
	debug.SetMaxStack(stackBytesMax)
	isBuilt = true
	describe()
	runtime.GC()
	// A call has memory enough as a rule, and none of it outlives the call.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapBytesSoftMax)
	// The collector has taken back the blocks of each size that were at hand.
	// Go's sizes lie about an eighth apart.
	for size := 8; size <= smallBytesMax; size += max(8, size/8&^7) {
		kept.bytes = make([]byte, size)
		kept.pointers = make([]*byte, size/8)
	}
	practise()
	kept.bytes, kept.pointers = nil, nil
}

// practise does what a call does, so that what Go makes at the first time is there.
func practise() {
	type practice struct {
		Texts []string          `json:"texts"`
		Maybe Optional[float64] `json:"maybe"`
		Any   Value             `json:"any"`
	}
	path := "practice"
	made := queryOf(path, "internal")
	functions[path] = &made
	defer delete(functions, path)
	made.body = reflect.ValueOf(func(_ *QueryCtx, args practice) ([]Doc[practice], error) {
		return []Doc[practice]{{Value: args}}, nil
	})
	if err := made.inspect(); err != nil {
		panic(err)
	}
	call(path, []byte(`{"texts":["a","b"],"maybe":1.5,"any":{"a":[1,null,{"$integer":"AAAAAAAAAAA="}]}}`))
}
