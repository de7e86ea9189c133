// Package weirtest runs functions in tests, on the host's real database in
// memory: each test has a database of its own, with a clock and an identity that
// it sets.
//
//	func TestMessagesAreKept(t *testing.T) {
//		db := weirtest.New(t)
//		weirtest.Mutation[any](db, "chat:sendMessage", Message{User: "ada", Body: "hi"})
//		messages := weirtest.Query[[]weir.Doc[Message]](db, "chat:getMessages", nil)
//		...
//	}
//
// The functions are built and served by `host test`, once a test run. The binary
// is the one that WEIR_HOST names, else `host` on the search path. Every database
// begins with the deployment's variables of the file that WEIR_TEST_ENV_FILE names,
// lines NAME=value, if it is set.
package weirtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"weir.dev/go"
)

// hostVariable names the binary that serves the functions.
const hostVariable = "WEIR_HOST"

// Host serves the functions of one project until the test run ends.
type Host struct {
	mutex  sync.Mutex
	input  io.Writer
	output *bufio.Reader
	errors *bytes.Buffer
	lastID int

	handlersMutex sync.Mutex
	// handlers answer the requests of actions, of each database.
	handlers map[int]func(*Request) *Response
	// answering is the database whose handler runs; 0: none.
	answering atomic.Int64
}

var (
	hostsMutex sync.Mutex
	hosts      = map[string]*Host{}
)

// Open serves the functions of the project in this folder; "" is the folder of
// the test. It is built once a test run.
func Open(t testing.TB, project string) *Host {
	t.Helper()
	folder, err := filepath.Abs(project)
	if err != nil {
		t.Fatal(err)
	}
	hostsMutex.Lock()
	defer hostsMutex.Unlock()
	if host, ok := hosts[folder]; ok {
		return host
	}
	host, err := start(folder)
	if err != nil {
		t.Fatal(err)
	}
	hosts[folder] = host
	return host
}

// start runs `host test`. It ends by itself when its input does: at the latest,
// when this process ends.
func start(folder string) (*Host, error) {
	program := os.Getenv(hostVariable)
	if program == "" {
		program = "host"
	}
	command := exec.Command(program, "test", folder)
	host := &Host{errors: &bytes.Buffer{}, handlers: map[int]func(*Request) *Response{}}
	command.Stderr = host.errors
	input, inputErr := command.StdinPipe()
	output, outputErr := command.StdoutPipe()
	if err := errors.Join(inputErr, outputErr); err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("weirtest: %s cannot be run: %w; put `host` on the search path, or name it in %s",
			program, err, hostVariable)
	}
	host.input, host.output = input, bufio.NewReader(output)
	var ready struct{ Ready bool }
	if err := host.receive(&ready); err != nil || !ready.Ready {
		// All that it had to say has been said only when it has ended.
		input.Close()
		_ = command.Wait()
		return nil, fmt.Errorf("weirtest: %s test %s does not start:\n%s", program, folder, host.errors)
	}
	return host, nil
}

func (host *Host) receive(answer any) error {
	line, err := host.output.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, answer)
}

// request is what `host test` is asked; fields that are absent are left out.
type request struct {
	ID       int             `json:"id"`
	Op       string          `json:"op"`
	DB       int             `json:"db,omitempty"`
	Now      *float64        `json:"now,omitempty"`
	Advance  *float64        `json:"advance,omitempty"`
	Seed     *uint64         `json:"seed,omitempty"`
	Kind     string          `json:"kind,omitempty"`
	Path     string          `json:"path,omitempty"`
	Args     json.RawMessage `json:"args,omitempty"`
	Identity json.RawMessage `json:"identity,omitempty"`
	Token    string          `json:"token,omitempty"`
	// Method, Headers and Body are those of a request to an HTTP action.
	Method  string      `json:"method,omitempty"`
	Headers weir.Header `json:"headers,omitempty"`
	// Body is nil where there is none.
	Body *[]byte `json:"body,omitempty"`
	// URL, ContentType and File are of files.
	URL         string `json:"url,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	File        string `json:"file,omitempty"`
	// Variables are those to set; nil: to remove.
	Variables map[string]*string `json:"variables,omitempty"`
}

type answer struct {
	ID      int             `json:"id"`
	Failure string          `json:"failure"`
	DB      int             `json:"db"`
	Value   json.RawMessage `json:"value"`
	Claims  json.RawMessage `json:"claims"`
	// Scheduled are the scheduled functions that were called.
	Scheduled []scheduledRun `json:"scheduled"`
	// Fetch are requests of actions, which are to be answered before anything else.
	Fetch     []sentRequest    `json:"fetch"`
	Calls     []calledFunction `json:"calls"`
	Requests  []sentRequest    `json:"requests"`
	Response  httpResponse     `json:"response"`
	StorageID string           `json:"storageId"`
	File      *File            `json:"file"`
	Error     *failure         `json:"error"`
	LogLines  []string         `json:"logLines"`
	Reads     []Read           `json:"reads"`
	Writes    json.RawMessage  `json:"writes"`
}

type httpResponse struct {
	Status  int         `json:"status"`
	Headers weir.Header `json:"headers"`
	Body    [][]byte    `json:"body"`
	Broken  string      `json:"broken"`
}

type scheduledRun struct {
	ID       string          `json:"id"`
	Cron     string          `json:"cron"`
	Path     string          `json:"path"`
	Args     json.RawMessage `json:"args"`
	Value    json.RawMessage `json:"value"`
	Error    *failure        `json:"error"`
	LogLines []string        `json:"logLines"`

	Calls    []calledFunction `json:"calls"`
	Requests []sentRequest    `json:"requests"`
}

type failure struct {
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// ask sends a request and gives its answer.
func (host *Host) ask(asked request) (answer, error) {
	host.mutex.Lock()
	defer host.mutex.Unlock()
	host.lastID++
	asked.ID = host.lastID
	var got answer
	err := host.write(asked)
	if err == nil {
		err = host.receive(&got)
	}
	for err == nil && got.Fetch != nil {
		if err = host.answer(got.DB, got.Fetch); err == nil {
			got = answer{}
			err = host.receive(&got)
		}
	}
	switch {
	case err != nil:
		return got, fmt.Errorf("weirtest: `host test` has ended (%w)", err)
	case got.Failure != "":
		return got, fmt.Errorf("weirtest: %s", got.Failure)
	case got.ID != asked.ID:
		return got, fmt.Errorf("weirtest: `host test` answered %d where %d was asked", got.ID, asked.ID)
	}
	return got, nil
}
