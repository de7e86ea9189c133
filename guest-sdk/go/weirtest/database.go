package weirtest

import (
	"encoding/json"
	"errors"
	"testing"

	"weir.dev/go"
)

// Options says how a database begins.
type Options struct {
	// Now is the time in milliseconds since the epoch; 0: 2026-01-01.
	Now float64
	// Seed determines random numbers and ids.
	Seed uint64
}

// Database is the fresh database of one test.
type Database struct {
	t    testing.TB
	host *Host
	id   int
	// identity is who calls this one; nil: as SetIdentity said.
	identity json.RawMessage
	last     Last
}

// Last is what the last call did.
type Last struct {
	// LogLines are what it logged, as `[LEVEL] text`.
	LogLines []string
	// Reads are what its result depends on.
	Reads []Read
	// Writes are what it wrote; empty if it failed. Of an action, what its mutations wrote,
	// whether it failed or not.
	Writes []Write
	// Calls are the functions that an action called, in the order in which it did; also
	// those of actions that it called.
	Calls []Call
	// Requests are those that an action sent, in that order.
	Requests []SentRequest
}

// Read is a document that a call read, a range of a table or of an index, a count, a
// variable of the deployment, or who calls.
type Read struct {
	Table string
	// ID is that of a document; "" for the others.
	ID string
	// From and To bound a range of creation times; nil: open.
	From *float64
	To   *float64
	// Index is the index that a range is of; "" for a range of creation times.
	Index string
	// FromValues and ToValues are the values of the index's fields at both ends, as many
	// as the range says; a field that is missing is weir.Undefined.
	FromValues []weir.Value
	ToValues   []weir.Value
	// Count tells whether how many documents the table has was read.
	Count bool
	// Variable is the name of a variable that was read, there or not; "" for the others.
	Variable string
	// Identity tells whether who calls was asked for.
	Identity bool
}

// UnmarshalJSON reads what `host test` says of a read.
func (read *Read) UnmarshalJSON(text []byte) error {
	var said struct {
		Table    string          `json:"table"`
		ID       string          `json:"id"`
		Index    string          `json:"index"`
		Count    bool            `json:"count"`
		Variable string          `json:"variable"`
		Identity bool            `json:"identity"`
		From     json.RawMessage `json:"from"`
		To       json.RawMessage `json:"to"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return err
	}
	*read = Read{Table: said.Table, ID: said.ID, Index: said.Index, Count: said.Count, Variable: said.Variable,
		Identity: said.Identity}
	if said.Index != "" {
		return errors.Join(readValues(said.From, &read.FromValues), readValues(said.To, &read.ToValues))
	}
	return errors.Join(readTime(said.From, &read.From), readTime(said.To, &read.To))
}

func readTime(text json.RawMessage, into **float64) error {
	if text == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

func readValues(text json.RawMessage, into *[]weir.Value) error {
	var items []json.RawMessage
	if err := json.Unmarshal(text, &items); err != nil {
		return err
	}
	*into = make([]weir.Value, len(items))
	for i, item := range items {
		if string(item) == `{"$undefined":null}` {
			(*into)[i] = weir.Undefined
		} else if err := weir.Unmarshal(item, &(*into)[i]); err != nil {
			return err
		}
	}
	return nil
}

// Write is a document that a call wrote.
type Write struct {
	Table string `json:"table"`
	ID    string `json:"id"`
	// Document is what it holds now; nil: it was deleted.
	Document weir.Object `json:"document,omitempty"`
}

// Error is why a function gave no result.
type Error struct {
	// Code is the short name: ApplicationError, ArgumentValidationError, ...
	Code string
	// Message is what a client reads.
	Message string
	// Data is that of an application error.
	Data weir.Value
}

func (err *Error) Error() string {
	return err.Message
}

// New gives a fresh database of the project in the test's folder.
func New(t testing.TB) *Database {
	t.Helper()
	return Open(t, "").Database(t, Options{})
}

// Database gives a fresh database, which is closed when the test ends.
func (host *Host) Database(t testing.TB, options Options) *Database {
	t.Helper()
	asked := request{Op: "open"}
	if options.Now != 0 {
		asked.Now = &options.Now
	}
	if options.Seed != 0 {
		asked.Seed = &options.Seed
	}
	got, err := host.ask(asked)
	if err != nil {
		t.Fatal(err)
	}
	db := &Database{t: t, host: host, id: got.DB}
	t.Cleanup(db.Close)
	return db
}

// Close drops the database; at the end of its test that happens by itself.
func (db *Database) Close() {
	if db.id != 0 {
		db.host.handle(db.id, nil)
		db.ask(request{Op: "close"})
		db.id = 0
	}
}

// SetNow sets the clock, in milliseconds since the epoch. By itself it moves on by
// a millisecond after each mutation that wrote, and while an action waits. Scheduled functions that are due then are
// called by the next Advance.
func (db *Database) SetNow(now float64) {
	db.t.Helper()
	db.ask(request{Op: "set", Now: &now})
}

// ScheduledRun is a scheduled function that was called, or a cron job.
type ScheduledRun struct {
	// Cron is the name of the cron job; "" for a function that was scheduled.
	Cron string
	// ID is its document, as the function that scheduled it was given it.
	ID   weir.ID[weir.ScheduledFunction]
	Path string
	Args weir.Object
	// LogLines are what it logged, as `[LEVEL] text`.
	LogLines []string
	// Value is its result; nil if it failed.
	Value weir.Value
	// Err is why it failed; nil: it did not.
	Err *Error
	// Calls and Requests are what an action did, as in [Last].
	Calls    []Call
	Requests []SentRequest
}

// Advance sets the clock on by so many milliseconds, and has those scheduled functions
// called that are due by then, each once and at its time, in the order of the times;
// those too that they schedule. It gives what came of those that have ended by then: one
// that fails does not fail the test, and an action that still waits goes on when the clock
// does.
func (db *Database) Advance(ms float64) []ScheduledRun {
	db.t.Helper()
	return db.runs(db.ask(request{Op: "set", Advance: &ms}))
}

// FinishScheduled has scheduled functions called until none waits; the clock goes on to
// their times. It gives what came of them.
func (db *Database) FinishScheduled() []ScheduledRun {
	db.t.Helper()
	return db.runs(db.ask(request{Op: "finishScheduled"}))
}

func (db *Database) runs(got answer) []ScheduledRun {
	db.t.Helper()
	runs := make([]ScheduledRun, 0, len(got.Scheduled))
	for _, said := range got.Scheduled {
		run := ScheduledRun{Cron: said.Cron, ID: weir.ID[weir.ScheduledFunction](said.ID), Path: said.Path, LogLines: said.LogLines}
		db.unmarshal(said.Args, &run.Args)
		db.unmarshal(said.Value, &run.Value)
		run.Err = db.failed(said.Error)
		run.Calls, run.Requests = db.calls(said.Calls), db.requests(said.Requests)
		runs = append(runs, run)
	}
	return runs
}

// failed is why a call failed; nil: it did not.
func (db *Database) failed(said *failure) *Error {
	db.t.Helper()
	if said == nil {
		return nil
	}
	err := &Error{Code: said.Code, Message: said.Message}
	db.unmarshal(said.Data, &err.Data)
	return err
}

// SetVariable sets a variable of the deployment, which functions read with ctx.Env.
// Modules whose package variables or init functions have read it are made anew.
func (db *Database) SetVariable(name, value string) {
	db.t.Helper()
	db.ask(request{Op: "set", Variables: map[string]*string{name: &value}})
}

// RemoveVariable removes a variable of the deployment.
func (db *Database) RemoveVariable(name string) {
	db.t.Helper()
	db.ask(request{Op: "set", Variables: map[string]*string{name: nil}})
}

// SetIdentity says who calls from now on, by claims such as subject, issuer and email,
// of which the first two are added if they are missing; nil: nobody in particular.
func (db *Database) SetIdentity(claims weir.Object) {
	db.t.Helper()
	identity := json.RawMessage("null")
	if claims != nil {
		identity = db.marshal(claims)
	}
	db.ask(request{Op: "set", Identity: identity})
}

// AsUser gives the same database, called by somebody with these claims. What is missing
// of issuer and subject is added.
func (db *Database) AsUser(claims weir.Object) *Database {
	db.t.Helper()
	return &Database{t: db.t, host: db.host, id: db.id, identity: db.marshal(claims)}
}

// VerifyToken gives the claims of a token that a function signed, iss, iat and exp
// included; or an error, for one that no function in a test signed, or that has expired
// at the database's time.
func VerifyToken[C any](db *Database, token string) (C, error) {
	db.t.Helper()
	var claims C
	got := db.ask(request{Op: "verify", Token: token})
	if got.Error != nil {
		return claims, &Error{Code: got.Error.Code, Message: got.Error.Message}
	}
	db.unmarshal(got.Claims, &claims)
	return claims, nil
}

// Last tells what the last call did.
func (db *Database) Last() Last {
	return db.last
}

// keep keeps what the call did.
func (db *Database) keep(got answer) {
	db.t.Helper()
	db.last = Last{LogLines: got.LogLines, Reads: got.Reads, Calls: db.calls(got.Calls), Requests: db.requests(got.Requests)}
	db.unmarshal(got.Writes, &db.last.Writes)
}

func (db *Database) ask(asked request) answer {
	db.t.Helper()
	if db.host.answering.Load() == int64(db.id) {
		db.t.Fatal("weirtest: what answers requests of an action cannot use the database: the action waits for the answer")
	}
	asked.DB = db.id
	got, err := db.host.ask(asked)
	if err != nil {
		db.t.Fatal(err)
	}
	return got
}

func (db *Database) marshal(value any) []byte {
	db.t.Helper()
	text, err := weir.Marshal(value)
	if err != nil {
		db.t.Fatal(err)
	}
	return text
}

func (db *Database) unmarshal(text []byte, into any) {
	db.t.Helper()
	if len(text) == 0 {
		return
	}
	if err := weir.Unmarshal(text, into); err != nil {
		db.t.Fatal(err)
	}
}

// Query runs a query and gives its result; the test fails if the query does. Args
// is a struct or a weir.Object; nil: none.
func Query[R any](db *Database, path string, args any) R {
	db.t.Helper()
	result, err := TryQuery[R](db, path, args)
	if err != nil {
		db.t.Fatalf("%s: %v", path, err)
	}
	return result
}

// Mutation runs a mutation and gives its result; the test fails if the mutation does.
func Mutation[R any](db *Database, path string, args any) R {
	db.t.Helper()
	result, err := TryMutation[R](db, path, args)
	if err != nil {
		db.t.Fatalf("%s: %v", path, err)
	}
	return result
}

// Action runs an action and gives its result; the test fails if the action does. While it
// waits, the clock goes on by itself, and scheduled functions are called that are due
// meanwhile. Its requests are answered by what [Database.OnFetch] was given.
func Action[R any](db *Database, path string, args any) R {
	db.t.Helper()
	result, err := TryAction[R](db, path, args)
	if err != nil {
		db.t.Fatalf("%s: %v", path, err)
	}
	return result
}

// TryQuery runs a query and gives its result, or an [*Error].
func TryQuery[R any](db *Database, path string, args any) (R, error) {
	db.t.Helper()
	return call[R](db, "query", path, args)
}

// TryMutation runs a mutation and gives its result, or an [*Error].
func TryMutation[R any](db *Database, path string, args any) (R, error) {
	db.t.Helper()
	return call[R](db, "mutation", path, args)
}

// TryAction runs an action and gives its result, or an [*Error].
func TryAction[R any](db *Database, path string, args any) (R, error) {
	db.t.Helper()
	return call[R](db, "action", path, args)
}

func call[R any](db *Database, kind, path string, args any) (R, error) {
	db.t.Helper()
	if args == nil {
		args = weir.Object{}
	}
	got := db.ask(request{Op: "call", Kind: kind, Path: path, Args: db.marshal(args), Identity: db.identity})
	db.keep(got)
	var result R
	if err := db.failed(got.Error); err != nil {
		return result, err
	}
	db.unmarshal(got.Value, &result)
	return result, nil
}
