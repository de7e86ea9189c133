package abi

import (
	"syscall"
	"unsafe"
)

// handedOver holds what the host was given memory for and nobody has taken yet:
// the collector sees no pointer to it from outside.
var handedOver [][]byte

// nowhere is the address of what has no bytes.
var nowhere [8]byte

// result is where the host finds what an export gives; resultBytes keeps what it points to.
var (
	result      [6]uint32
	resultBytes [2][]byte
)

// procPin and procUnpin keep Go's scheduler from running another goroutine in between. While a
// goroutine is pinned no collection begins, nor does it help with one.
//
//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

// realloc gives the host memory for what it hands over. Nothing can be asked of the host from here,
// so no other goroutine may run: a collection that begins lets some.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldLen, align, newLen uint32) unsafe.Pointer {
	if newLen == 0 {
		return unsafe.Pointer(&nowhere)
	}
	// Everything that the world hands over is made of bytes; a larger block is aligned to eight.
	procPin()
	bytes := make([]byte, newLen)
	procUnpin()
	if oldLen > 0 {
		copy(bytes, unsafe.Slice((*byte)(old), oldLen))
	}
	handedOver = append(handedOver, bytes)
	return unsafe.Pointer(&bytes[0])
}

// release forgets what was handed over: it has been taken, or is garbage. The host has answered.
func release() {
	*asking = 0
	clear(handedOver)
	handedOver = handedOver[:0]
}

//go:wasmexport describe
func describe() unsafe.Pointer {
	put(0, 0, module.Describe())
	return unsafe.Pointer(&result)
}

//go:wasmexport call
func call(path unsafe.Pointer, pathLen uint32, args unsafe.Pointer, argsLen uint32) unsafe.Pointer {
	pathText := unsafe.String((*byte)(path), pathLen)
	argsBytes := unsafe.Slice((*byte)(args), argsLen)
	release()
	value, failure := module.Call(pathText, argsBytes)
	endLines()
	result = [6]uint32{}
	if failure == nil {
		put(1, 0, value)
		return unsafe.Pointer(&result)
	}
	result[0] = 1
	put(1, 0, []byte(failure.Message))
	if failure.Data != nil {
		result[3] = 1
		put(4, 1, failure.Data)
	}
	return unsafe.Pointer(&result)
}

// endLines makes log lines of what was printed without a line break at its end.
func endLines() {
	for _, printed := range []int{syscall.Stdout, syscall.Stderr} {
		// There is always something to print to.
		_ = syscall.Fsync(printed)
	}
}

// warmUp is called by the build before it takes the module's memory as the
// memory that each call begins with.
//
//go:wasmexport weir-warm-up
func warmUp() {
	module.WarmUp()
}

func put(word, slot int, bytes []byte) {
	resultBytes[slot] = bytes
	at, length := bytesAt(bytes)
	result[word], result[word+1] = uint32(uintptr(at)), length
}
