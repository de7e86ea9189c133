package weir

import (
	"context"

	"weir.dev/go/internal/abi"
)

// pendingTask is work that goes on in the host for an action.
type pendingTask struct {
	number uint32
	done   chan struct{}
	answer []byte
	err    error
}

// One goroutine waits for the ends of tasks, while any is under way, and tells the others.
var (
	running      = map[uint32]*pendingTask{}
	isDelivering bool
)

// start keeps a task that the host begins, unless the context is done already.
func start(c context.Context, begin func() (uint32, *abi.Error)) (*pendingTask, error) {
	if c != nil && c.Err() != nil {
		return nil, c.Err()
	}
	number, failed := begin()
	if failed != nil {
		return nil, fromHost(failed)
	}
	started := &pendingTask{number: number, done: make(chan struct{})}
	running[number] = started
	if !isDelivering {
		isDelivering = true
		go deliver()
	}
	return started, nil
}

// deliver tells whoever waits for a task what came of it, until none is under way.
func deliver() {
	for len(running) > 0 {
		completion, isThere, failed := abi.Wait()
		if failed != nil {
			endAll(fromHost(failed))
		}
		if ended, ok := running[completion.Task]; ok && isThere {
			ended.end(completion.Answer, fromHost(completion.Err))
		}
	}
	isDelivering = false
}

func endAll(err error) {
	for _, task := range running {
		task.end(nil, err)
	}
}

// wait gives what came of a task; other goroutines go on meanwhile. If the context is done
// before, the task is given up; a nil one never is.
func (task *pendingTask) wait(c context.Context) ([]byte, error) {
	var isDone <-chan struct{}
	if c != nil {
		isDone = c.Done()
	}
	select {
	case <-task.done:
	case <-isDone:
		task.giveUp(c.Err())
	}
	return task.answer, task.err
}

// giveUp ends a task with an error, unless it has ended.
func (task *pendingTask) giveUp(err error) {
	if running[task.number] == task {
		abi.CancelTask(task.number)
		task.end(nil, err)
	}
}

func (task *pendingTask) end(answer []byte, err error) {
	delete(running, task.number)
	task.answer, task.err = answer, err
	close(task.done)
}

// finish starts a task, and gives what came of it.
func finish(c context.Context, begin func() (uint32, *abi.Error)) ([]byte, error) {
	started, err := start(c, begin)
	if err != nil {
		return nil, err
	}
	return started.wait(c)
}
