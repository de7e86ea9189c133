package weirtest

import (
	"encoding/json"
	"fmt"
	"time"

	"weir.dev/go"
)

// Request is one that an action sends, or one that a test sends to an HTTP action.
type Request struct {
	// Method is GET unless it is said.
	Method string
	// URL is where it goes to: in full, and normalised, from an action; path and query,
	// as in "/hook?id=7", to an HTTP action.
	URL string
	// Header has names in small letters in what an action sends.
	Header weir.Header
	// Body is all that is sent; nil: there is none.
	Body []byte
}

// JSON reads the body as JSON.
func (request *Request) JSON(into any) error {
	return weir.Unmarshal(request.Body, into)
}

// Response is what a test answers to an action, or what an HTTP action answers to a test.
type Response struct {
	// Status is from 200 to 599.
	Status int
	Header weir.Header
	// Body is all of the body.
	Body []byte
	// Pieces are the body as it comes, piece by piece; in an answer to an action, in the
	// place of Body.
	Pieces [][]byte
	// Broken is why the body breaks off after that; "": it does not.
	Broken string
	// Delay is how long the answer to an action takes, on the test's clock.
	Delay time.Duration
	// Failure is why an action gets no response, in the place of all but Delay.
	Failure string
	// Code is the code of the failure: FetchFailed unless it is said, FetchTimedOut, or
	// AddressRefused.
	Code string
}

// Text is a response with this text.
func Text(status int, text string) *Response {
	header := weir.Header{{"content-type", "text/plain; charset=utf-8"}}
	return &Response{Status: status, Header: header, Body: []byte(text)}
}

// JSON is a response with this JSON.
func JSON(status int, text string) *Response {
	return &Response{Status: status, Header: weir.Header{{"content-type", "application/json"}}, Body: []byte(text)}
}

// Failure is an answer to an action: there is no response, because the connection failed
// for this reason.
func Failure(reason string) *Response {
	return &Response{Failure: reason}
}

// JSON reads the body as JSON.
func (response *Response) JSON(into any) error {
	return weir.Unmarshal(response.Body, into)
}

// Call is a function that an action called.
type Call struct {
	// Kind is query, mutation or action.
	Kind string
	Path string
	Args weir.Object
	// LogLines are what it logged, as `[LEVEL] text`.
	LogLines []string
	// Value is its result; nil if it failed, or the action did not wait for it.
	Value weir.Value
	// Err is why it failed; nil: it did not.
	Err *Error
}

// SentRequest is a request that an action has sent.
type SentRequest struct {
	Request
	// Status is that of the response; 0: there was none, or the action did not wait for it.
	Status int
	// Err is why there was none; nil: there was one, or the action did not wait for it.
	Err *Error
}

// OnFetch has the requests answered that actions send from now on, in the place of what
// did before. No test reaches the network: a request that the handler answers with nil, or
// that there is no handler for, ends the test. The handler cannot use the database.
func (db *Database) OnFetch(handler func(*Request) *Response) {
	db.host.handle(db.id, handler)
}

// Do sends a request to the HTTP action of its route, and gives the response; without a
// route its status is 404. The error is an [*Error]: why the action failed before it had
// begun to answer, where a host answers with status 500.
func (db *Database) Do(sent *Request) (*Response, error) {
	db.t.Helper()
	method := sent.Method
	if method == "" {
		method = "GET"
	}
	asked := request{Op: "request", Method: method, Path: sent.URL, Headers: sent.Header, Identity: db.identity}
	if sent.Body != nil {
		asked.Body = &sent.Body
	}
	got := db.ask(asked)
	db.keep(got)
	if err := db.failed(got.Error); err != nil {
		return nil, err
	}
	response := &Response{Status: got.Response.Status, Header: got.Response.Headers, Pieces: got.Response.Body,
		Broken: got.Response.Broken}
	for _, piece := range response.Pieces {
		response.Body = append(response.Body, piece...)
	}
	return response, nil
}

// sentRequest is a request as `host test` says it.
type sentRequest struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Headers weir.Header `json:"headers"`
	Body    []byte      `json:"body"`
	Status  int         `json:"status"`
	Error   *failure    `json:"error"`
}

func (sent *sentRequest) request() Request {
	return Request{Method: sent.Method, URL: sent.URL, Header: sent.Headers, Body: sent.Body}
}

type calledFunction struct {
	Kind     string          `json:"kind"`
	Path     string          `json:"path"`
	Args     json.RawMessage `json:"args"`
	Value    json.RawMessage `json:"value"`
	Error    *failure        `json:"error"`
	LogLines []string        `json:"logLines"`
}

// given is the answer to a request, as `host test` reads it.
type given struct {
	Status  int         `json:"status,omitempty"`
	Headers weir.Header `json:"headers,omitempty"`
	Body    [][]byte    `json:"body,omitempty"`
	Broken  string      `json:"broken,omitempty"`
	Failure string      `json:"failure,omitempty"`
	Code    string      `json:"code,omitempty"`
	Delay   float64     `json:"delay,omitempty"`
}

func describe(response *Response) *given {
	if response == nil {
		return nil
	}
	delay := float64(response.Delay) / float64(time.Millisecond)
	if response.Failure != "" {
		return &given{Failure: response.Failure, Code: response.Code, Delay: delay}
	}
	pieces := response.Pieces
	if pieces == nil && len(response.Body) > 0 {
		pieces = [][]byte{response.Body}
	}
	return &given{Status: response.Status, Headers: response.Header, Body: pieces, Broken: response.Broken,
		Delay: delay}
}

func (db *Database) calls(said []calledFunction) []Call {
	db.t.Helper()
	var calls []Call
	for _, said := range said {
		call := Call{Kind: said.Kind, Path: said.Path, LogLines: said.LogLines, Err: db.failed(said.Error)}
		db.unmarshal(said.Args, &call.Args)
		db.unmarshal(said.Value, &call.Value)
		calls = append(calls, call)
	}
	return calls
}

func (db *Database) requests(said []sentRequest) []SentRequest {
	db.t.Helper()
	var requests []SentRequest
	for _, said := range said {
		requests = append(requests, SentRequest{said.request(), said.Status, db.failed(said.Error)})
	}
	return requests
}

// handle says what answers the requests of a database's actions; nil: nothing.
func (host *Host) handle(db int, handler func(*Request) *Response) {
	host.handlersMutex.Lock()
	defer host.handlersMutex.Unlock()
	if handler == nil {
		delete(host.handlers, db)
	} else {
		host.handlers[db] = handler
	}
}

// answer answers requests of an action. A handler that ends its test, or panics, leaves the
// host ready for the next one.
func (host *Host) answer(db int, requests []sentRequest) error {
	host.handlersMutex.Lock()
	handler := host.handlers[db]
	host.handlersMutex.Unlock()
	host.answering.Store(int64(db))
	defer host.answering.Store(0)
	isDone := false
	defer func() {
		if !isDone {
			host.write(map[string]any{"op": "fetched", "error": "what answers requests has ended the test"})
			_ = host.receive(&answer{})
		}
	}()
	answers := make([]*given, len(requests))
	for i := range requests {
		if handler != nil {
			request := requests[i].request()
			answers[i] = describe(handler(&request))
		}
	}
	isDone = true
	return host.write(map[string]any{"op": "fetched", "answers": answers})
}

func (host *Host) write(line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("weirtest: %w", err)
	}
	_, err = host.input.Write(append(text, '\n'))
	return err
}
