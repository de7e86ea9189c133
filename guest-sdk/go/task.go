package weir

import (
	"runtime"

	"weir.dev/go/internal/abi"
)

// pendingTask is work that goes on in the host for an action.
type pendingTask struct {
	number uint32
	done   chan struct{}
	answer []byte
	err    error
}

// Of all goroutines one waits in the host, and tells the others what has come to its end:
// the one whose token is in waiter.
var (
	waiter  = make(chan struct{}, 1)
	running = map[uint32]*pendingTask{}
	// begun counts what goroutines have asked for.
	begun uint64
)

// start keeps a task that the host has begun.
func start(number uint32, failed *abi.Error) (*pendingTask, error) {
	begun++
	if failed != nil {
		return nil, fromHost(failed)
	}
	started := &pendingTask{number: number, done: make(chan struct{})}
	running[number] = started
	return started, nil
}

// wait gives what came of a task; other goroutines go on meanwhile.
func (task *pendingTask) wait() ([]byte, error) {
	begun++
	select {
	case <-task.done:
	case waiter <- struct{}{}:
		task.waitInHost()
		<-waiter
	}
	return task.answer, task.err
}

func (task *pendingTask) waitInHost() {
	for {
		letOthersBegin()
		select {
		case <-task.done:
			return
		default:
		}
		completion, failed := abi.Wait()
		if failed != nil {
			task.end(nil, fromHost(failed))
			return
		}
		if ended, ok := running[completion.Task]; ok {
			ended.end(completion.Answer, fromHost(completion.Err))
		}
	}
}

// letOthersBegin runs the other goroutines until each waits for something: while one waits in
// the host, none runs. Go's scheduler takes the goroutine that yields first, sometimes, so it
// yields twice.
func letOthersBegin() {
	for before := begun - 1; before != begun; {
		before = begun
		runtime.Gosched()
		runtime.Gosched()
	}
}

func (task *pendingTask) end(answer []byte, err error) {
	delete(running, task.number)
	task.answer, task.err = answer, err
	close(task.done)
}

// finish is the end of a task that was just begun.
func finish(number uint32, failed *abi.Error) ([]byte, error) {
	started, err := start(number, failed)
	if err != nil {
		return nil, err
	}
	return started.wait()
}
