package weirtest

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"weir.dev/go"
)

// TestMain lets this program be the host of its own tests: it answers as
// `host test` does, from what stands in an environment variable.
func TestMain(m *testing.M) {
	if answers := os.Getenv("WEIRTEST_ANSWERS"); answers != "" {
		serve(strings.Split(answers, "\n"))
		return
	}
	os.Exit(m.Run())
}

func serve(answers []string) {
	fmt.Println(answers[0])
	input := bufio.NewScanner(os.Stdin)
	for _, answer := range answers[1:] {
		if !input.Scan() {
			return
		}
		expected, answer, _ := strings.Cut(answer, " => ")
		if input.Text() != expected {
			answer = fmt.Sprintf(`{"failure":%q}`, "it was asked "+input.Text())
		}
		fmt.Println(answer)
	}
}

func open(t *testing.T, answers ...string) *Host {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(hostVariable, program)
	t.Setenv("WEIRTEST_ANSWERS", strings.Join(answers, "\n"))
	return Open(t, t.TempDir())
}

const ready = `{"ready":true,"functions":[]}`

func TestCallsGiveTheirResultAndWhatTheyDid(t *testing.T) {
	host := open(t, ready,
		`{"id":1,"op":"open","now":5,"seed":7} => {"id":1,"db":3}`,
		`{"id":2,"op":"set","db":3,"advance":10} => {"id":2}`,
		`{"id":3,"op":"set","db":3,"identity":{"subject":"ada"}} => {"id":3}`,
		`{"id":4,"op":"set","db":3,"variables":{"KEY":"a value"}} => {"id":4}`,
		`{"id":5,"op":"set","db":3,"variables":{"KEY":null}} => {"id":5}`,
		`{"id":6,"op":"call","db":3,"kind":"mutation","path":"a:b","args":{"n":1}} => `+
			`{"id":6,"value":{"$integer":"BQAAAAAAAAA="},"logLines":["[LOG] x"],`+
			`"reads":[{"table":"t","from":null,"to":2},{"table":"t","index":"i","from":["a",{"$undefined":null}],"to":["a"]},`+
			`{"table":"t","count":true},{"table":"t","id":"k"},{"variable":"KEY"},{"identity":true}],"writes":[{"table":"t","id":"k","document":{"n":1}},{"table":"t","id":"l","document":null}]}`,
		`{"id":7,"op":"call","db":3,"kind":"query","path":"a:c","args":{}} => `+
			`{"id":7,"error":{"code":"ApplicationError","message":"no","data":[1]},"logLines":[],"reads":[],"writes":[]}`,
		`{"id":8,"op":"call","db":3,"kind":"query","path":"a:c","args":{},"identity":{"subject":"bob"}} => `+
			`{"id":8,"value":"bob"}`,
		`{"id":9,"op":"close","db":3} => {"id":9}`,
	)
	db := host.Database(t, Options{Now: 5, Seed: 7})
	db.Advance(10)
	db.SetIdentity(weir.Object{"subject": "ada"})
	db.SetVariable("KEY", "a value")
	db.RemoveVariable("KEY")
	if result := Mutation[int64](db, "a:b", weir.Object{"n": 1}); result != 5 {
		t.Errorf("the result is %d", result)
	}
	last := db.Last()
	two := 2.0
	reads := []Read{
		{Table: "t", To: &two},
		{Table: "t", Index: "i", FromValues: []weir.Value{"a", weir.Undefined}, ToValues: []weir.Value{"a"}},
		{Table: "t", Count: true},
		{Table: "t", ID: "k"},
		{Variable: "KEY"},
		{Identity: true},
	}
	if !reflect.DeepEqual(last.Reads, reads) {
		t.Errorf("the reads are %+v", last.Reads)
	}
	if len(last.Writes) != 2 || last.Writes[1].Document != nil || last.Writes[0].Document["n"] != 1.0 || last.LogLines[0] != "[LOG] x" {
		t.Errorf("the last call is %+v", last)
	}
	_, err := TryQuery[string](db, "a:c", nil)
	if failed, ok := err.(*Error); !ok || failed.Code != "ApplicationError" || failed.Error() != "no" {
		t.Errorf("the error is %#v", err)
	}
	if result := Query[string](db.AsUser(weir.Object{"subject": "bob"}), "a:c", nil); result != "bob" {
		t.Errorf("the result is %s", result)
	}
	db.Close()
}

func TestScheduledFunctionsAreCalledAndTold(t *testing.T) {
	host := open(t, ready,
		`{"id":1,"op":"open"} => {"id":1,"db":3}`,
		`{"id":2,"op":"set","db":3,"advance":10} => {"id":2,"scheduled":[]}`,
		`{"id":3,"op":"finishScheduled","db":3} => {"id":3,"scheduled":[`+
			`{"id":"k","path":"a:b","args":{"n":{"$integer":"BQAAAAAAAAA="}},"logLines":["[LOG] x"],"value":"fine"},`+
			`{"id":"l","path":"a:c","args":{},"logLines":[],"error":{"code":"ApplicationError","message":"no","data":[1]}}]}`,
		`{"id":4,"op":"close","db":3} => {"id":4}`,
	)
	db := host.Database(t, Options{})
	if runs := db.Advance(10); len(runs) != 0 {
		t.Errorf("%v ran", runs)
	}
	wanted := []ScheduledRun{
		{ID: "k", Path: "a:b", Args: weir.Object{"n": int64(5)}, LogLines: []string{"[LOG] x"}, Value: "fine"},
		{ID: "l", Path: "a:c", Args: weir.Object{}, LogLines: []string{},
			Err: &Error{Code: "ApplicationError", Message: "no", Data: []weir.Value{1.0}}},
	}
	if runs := db.FinishScheduled(); !reflect.DeepEqual(runs, wanted) {
		t.Errorf("%+v ran", runs)
	}
	db.Close()
}

func TestTokensAreVerified(t *testing.T) {
	host := open(t, ready,
		`{"id":1,"op":"open"} => {"id":1,"db":3}`,
		`{"id":2,"op":"verify","db":3,"token":"a.b.c"} => {"id":2,"claims":{"sub":"ada","exp":60}}`,
		`{"id":3,"op":"verify","db":3,"token":"a"} => {"id":3,"error":{"code":"InvalidToken","message":"no token"}}`,
		`{"id":4,"op":"close","db":3} => {"id":4}`,
	)
	db := host.Database(t, Options{})
	type claims struct {
		Sub string `json:"sub"`
		Exp int    `json:"exp"`
	}
	if found, err := VerifyToken[claims](db, "a.b.c"); err != nil || found != (claims{"ada", 60}) {
		t.Errorf("the claims are %v, the error %v", found, err)
	}
	_, err := VerifyToken[claims](db, "a")
	if failed, ok := err.(*Error); !ok || failed.Code != "InvalidToken" || failed.Error() != "no token" {
		t.Errorf("the error is %#v", err)
	}
	db.Close()
}

func TestAHostThatDoesNotStartIsTold(t *testing.T) {
	t.Setenv(hostVariable, "/nowhere/host")
	if _, err := start(t.TempDir()); err == nil || !strings.Contains(err.Error(), hostVariable) {
		t.Errorf("the error is %v", err)
	}
	program, _ := os.Executable()
	t.Setenv(hostVariable, program)
	t.Setenv("WEIRTEST_ANSWERS", "no JSON")
	if _, err := start(t.TempDir()); err == nil || !strings.Contains(err.Error(), "does not start") {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatTheHostRefusesIsTold(t *testing.T) {
	host := open(t, ready, `x => {"id":1}`)
	if _, err := host.ask(request{Op: "set"}); err == nil || !strings.Contains(err.Error(), "it was asked") {
		t.Errorf("the error is %v", err)
	}
	if _, err := host.ask(request{Op: "set"}); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("the error is %v", err)
	}
}

func TestRequestsOfActionsAreAnsweredBeforeTheActionEnds(t *testing.T) {
	host := open(t, ready,
		`{"id":1,"op":"open"} => {"id":1,"db":3}`,
		`{"id":2,"op":"call","db":3,"kind":"action","path":"a:b","args":{}} => `+
			`{"fetch":[{"method":"GET","url":"https://a/","headers":[["x-a","b"]],"body":"aGk="},`+
			`{"method":"GET","url":"https://b/","headers":[],"body":""}],"db":3}`,
		`{"answers":[{"status":200,"headers":[["content-type","text/plain; charset=utf-8"]],"body":["aGkgYg=="],`+
			`"delay":1500},{"failure":"no","code":"AddressRefused"}],"op":"fetched"} => `+
			`{"id":2,"value":"done","logLines":[],"reads":[],"writes":[],`+
			`"calls":[{"kind":"query","path":"a:c","args":{"n":1},"logLines":[],"value":5}],`+
			`"requests":[{"method":"GET","url":"https://a/","headers":[],"body":"aGk=","status":200},`+
			`{"method":"GET","url":"https://b/","headers":[],"body":"","error":{"code":"AddressRefused","message":"no"}}]}`,
		`{"id":3,"op":"call","db":3,"kind":"action","path":"a:b","args":{}} => `+
			`{"fetch":[{"method":"GET","url":"https://c/","headers":[],"body":""}],"db":3}`,
		`{"answers":[null],"op":"fetched"} => {"id":3,"value":null,"logLines":[],"reads":[],"writes":[]}`,
		`{"id":4,"op":"request","db":3,"path":"/hook","method":"POST","body":""} => `+
			`{"id":4,"response":{"status":201,"headers":[["a","b"]],"body":["eA==","eQ=="],"broken":null},`+
			`"logLines":[],"reads":[],"writes":[]}`,
		`{"id":5,"op":"close","db":3} => {"id":5}`,
	)
	db := host.Database(t, Options{})
	db.OnFetch(func(request *Request) *Response {
		switch request.URL {
		case "https://a/":
			response := Text(200, string(request.Body)+" "+request.Header.Get("X-A"))
			response.Delay = 1500 * time.Millisecond
			return response
		case "https://b/":
			return &Response{Failure: "no", Code: "AddressRefused"}
		}
		return nil
	})
	if got := Action[string](db, "a:b", nil); got != "done" {
		t.Errorf("%q", got)
	}
	last := db.Last()
	if len(last.Calls) != 1 || last.Calls[0].Value != 5.0 || last.Calls[0].Args["n"] != 1.0 {
		t.Errorf("it called %+v", last.Calls)
	}
	if sent := last.Requests; len(sent) != 2 || sent[0].Status != 200 || string(sent[0].Body) != "hi" ||
		sent[1].Err == nil || sent[1].Err.Code != "AddressRefused" {
		t.Errorf("it sent %+v", sent)
	}
	Action[any](db, "a:b", nil)
	response, err := db.Do(&Request{Method: "POST", URL: "/hook", Body: []byte{}})
	if err != nil || response.Status != 201 || string(response.Body) != "xy" || len(response.Pieces) != 2 {
		t.Errorf("%+v, %v", response, err)
	}
}
