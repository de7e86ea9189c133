package weir

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

type status string

func (status) Literals() []string { return []string{"open", "done"} }

type place struct {
	X    float64          `json:"x"`
	Name Optional[string] `json:"name"`
}

type note struct {
	Title  string            `json:"title"`
	Count  int               `json:"count"`
	Big    int64             `json:"big"`
	Data   []byte            `json:"data"`
	Tags   []string          `json:"tags,omitempty"`
	Status status            `json:"status"`
	Place  *place            `json:"place"`
	More   map[string]uint64 `json:"more"`
	Any    Value             `json:"any"`
	Twice  [2]bool           `json:"twice"`
	hidden int
}

var testNotes = NewTable[note]("notes")

const noteJSON = `{"title":"a","count":2,"big":{"$integer":"AwAAAAAAAAA="},"data":{"$bytes":"/w=="},"status":"done",` +
	`"place":{"x":1.5},"more":{"k":{"$integer":"BAAAAAAAAAA="}},"any":[null,{"$integer":"BQAAAAAAAAA="}],"twice":[true,false]}`

func aNote() note {
	return note{
		Title: "a", Count: 2, Big: 3, Data: []byte{0xff}, Status: "done", Place: &place{X: 1.5},
		More: map[string]uint64{"k": 4}, Any: []any{nil, int64(5)}, Twice: [2]bool{true, false},
	}
}

func TestValuesAreWrittenAndReadBack(t *testing.T) {
	written, err := Marshal(aNote())
	if err != nil || string(written) != noteJSON {
		t.Fatalf("it was written as %s (%v)", written, err)
	}
	var read note
	if err := Unmarshal(written, &read); err != nil || !reflect.DeepEqual(read, aNote()) {
		t.Errorf("it was read as %+v (%v)", read, err)
	}
}

func TestTimestampsOfCommitsAreKnownOrPending(t *testing.T) {
	type work struct {
		At CommitTimestamp `json:"at"`
	}
	for at, text := range map[CommitTimestamp]string{
		PendingCommit: `{"at":{"$commitTs":null}}`, 1: `{"at":{"$integer":"AQAAAAAAAAA="}}`,
	} {
		written, err := Marshal(work{At: at})
		if err != nil || string(written) != text {
			t.Errorf("%v was written as %s (%v)", at, written, err)
		}
		var read work
		if err := Unmarshal(written, &read); err != nil || read.At != at {
			t.Errorf("%s was read as %v (%v)", text, read, err)
		}
		var untyped Value
		if err := Unmarshal(written, &untyped); err != nil {
			t.Fatal(err)
		}
		if again, err := Marshal(untyped); err != nil || string(again) != text {
			t.Errorf("%s was written again as %s (%v)", text, again, err)
		}
	}
	for _, text := range []string{`{"at":null}`, `{"at":1}`, `{"at":{}}`, `{"at":{"$commitTs":1}}`, `{"at":{"$commitTs":null,"a":1}}`} {
		if err := Unmarshal([]byte(text), new(work)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestADocumentIsOneFlatObject(t *testing.T) {
	text := `{"_id":"k","_creationTime":1.5,"x":2,"other":[1]}`
	var typed Doc[place]
	if err := Unmarshal([]byte(text), &typed); err != nil || typed.ID != "k" || typed.Value.X != 2 {
		t.Errorf("it was read as %+v (%v)", typed, err)
	}
	var untyped Doc[Value]
	if err := Unmarshal([]byte(text), &untyped); err != nil {
		t.Fatal(err)
	}
	again, err := Marshal(untyped)
	if err != nil || string(again) != `{"_id":"k","_creationTime":1.5,"other":[1],"x":2}` {
		t.Errorf("it was written as %s (%v)", again, err)
	}
}

func TestWhatCannotBeWrittenOrReadIsTold(t *testing.T) {
	for expected, value := range map[string]any{
		"chan int": make(chan int),
		"two fields `x`": struct {
			place
			Y int `json:"x"`
		}{},
		"too large for a num": 1 << 60,
		"too large for a 64":  uint64(math.MaxUint64),
		"no strings":          map[int]int{},
		"none of the literal": status("lost"),
	} {
		if _, err := Marshal(value); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("%T: wanted %s, got %v", value, expected, err)
		}
	}
	for text, into := range map[string]any{
		`1.5`: new(int), `300`: new(int8), `-1`: new(uint8), `"lost"`: new(status), `[1]`: new([2]int), `1 2`: new(any),
		`{"$integer":"//////////8="}`: new(uint64), `5`: new(int64),
	} {
		if err := Unmarshal([]byte(text), into); err == nil {
			t.Errorf("%s was read as %v", text, reflect.ValueOf(into).Elem())
		}
	}
}

func TestPlansSayWhatDiffersFromTheDefault(t *testing.T) {
	table := NewTable[Object]("m")
	cases := []struct {
		query    *TableQuery[Object]
		limit    int
		expected string
	}{
		{table.Query(nil), -1, `{"table":"m"}`},
		{table.Query(nil).Order(Desc), 50, `{"table":"m","order":"desc","limit":50}`},
		{
			table.Query(nil).ByCreationTime(Gte(1), Lt(math.Inf(1))), -1,
			`{"table":"m","index":"by_creation_time","range":[{"op":"gte","field":"_creationTime","value":1},` +
				`{"op":"lt","field":"_creationTime","value":{"$float":"AAAAAAAA8H8="}}]}`,
		},
		{
			table.Query(nil).ByID(Gt(ID[Object]("k"))), -1,
			`{"table":"m","index":"by_id","range":[{"op":"gt","field":"_id","value":"k"}]}`,
		},
		{
			table.Query(nil).Filter(Field("a").Add(1).Eq("x")).Filter(Not(Field("b").Neg().Lt(Field("c")))), -1,
			`{"table":"m","filter":{"$and":[{"$eq":[{"$add":[{"$field":"a"},{"$literal":1}]},{"$literal":"x"}]},` +
				`{"$not":{"$lt":[{"$neg":{"$field":"b"}},{"$field":"c"}]}}]}}`,
		},
	}
	for _, test := range cases {
		if plan, err := test.query.plan(test.limit); err != nil || string(plan) != test.expected {
			t.Errorf("got  %s (%v)\nwant %s", plan, err, test.expected)
		}
	}
	if _, err := table.Query(nil).Filter(Field("a").Eq(make(chan int))).plan(-1); err == nil {
		t.Error("a channel is no literal")
	}
}

func TestErrorsKeepTheirDataAndCode(t *testing.T) {
	err := fmt.Errorf("while paying: %w", AppError(Object{"code": "Poor"}))
	failure := toHost(err)
	if failure.Message != `while paying: {"code":"Poor"}` || string(failure.Data) != `{"code":"Poor"}` {
		t.Errorf("the failure is %+v", failure)
	}
	if data, ok := DataOf(err); !ok || data.(Object)["code"] != "Poor" {
		t.Errorf("the data is %v", data)
	}
	if plain := toHost(errors.New("x")); plain.Data != nil || CodeOf(errors.New("x")) != "" {
		t.Errorf("the failure is %+v", plain)
	}
	if _, err := testNotes.Query(nil).Collect(); CodeOf(err) != "NoHost" {
		t.Errorf("without a host, reading is an error: %v", err)
	}
}

func TestTheManifestDescribesEachFunction(t *testing.T) {
	clear(functions)
	defer clear(functions)
	type args struct {
		ID     ID[note]       `json:"id"`
		Other  ID[Value]      `json:"other"`
		Status status         `json:"status,omitempty"`
		Self   []*note        `json:"self"`
		Map    map[string]any `json:"map"`
	}
	Query("a:list", func(*QueryCtx) ([]Doc[place], error) { return nil, nil })
	InternalMutation("a:do", func(*MutationCtx, args) error { return nil })
	place := `"x":{"fieldType":{"type":"number"},"optional":false},"name":{"fieldType":{"type":"string"},"optional":true}`
	manifest := string(describe())
	for _, expected := range []string{
		`{"functions":[{"path":"a:do","kind":"mutation","visibility":"internal","args":{"type":"object","value":{`,
		`"id":{"fieldType":{"type":"id","tableName":"notes"},"optional":false}`,
		`"other":{"fieldType":{"type":"string"},"optional":false}`,
		`"status":{"fieldType":{"type":"union","value":[{"type":"literal","value":"open"},{"type":"literal","value":"done"}]},"optional":true}`,
		`"map":{"fieldType":{"type":"record","keys":{"type":"string"},"values":{"fieldType":{"type":"any"},"optional":false}},"optional":false}`,
		`"place":{"fieldType":{"type":"object","value":{` + place + `}},"optional":true}`,
		`"returns":{"type":"array","value":{"type":"object","value":{"_id":{"fieldType":{"type":"string"},"optional":false},` +
			`"_creationTime":{"fieldType":{"type":"number"},"optional":false},` + place + `}}}}],"schema":`,
	} {
		if !strings.Contains(manifest, expected) {
			t.Errorf("%s\nis not in\n%s", expected, manifest)
		}
	}
}

func TestFunctionsAreCalledWithTheirArguments(t *testing.T) {
	clear(functions)
	defer clear(functions)
	Query("a:twice", func(_ *QueryCtx, args struct {
		N int `json:"n"`
	}) (int, error) {
		if args.N < 0 {
			return 0, errors.New("too small")
		}
		return 2 * args.N, nil
	})
	if result, failure := call("a:twice", []byte(`{"n":4}`)); string(result) != "8" || failure != nil {
		t.Errorf("got %s, %+v", result, failure)
	}
	for args, expected := range map[string]string{`{"n":-1}`: "too small", `{"n":"x"}`: "in the field `n`"} {
		if _, failure := call("a:twice", []byte(args)); failure == nil || !strings.Contains(failure.Message, expected) {
			t.Errorf("%s: got %+v", args, failure)
		}
	}
	if _, failure := call("a:none", nil); failure == nil {
		t.Error("there is no such function")
	}
}

func TestWhatIsNoFunctionIsRefused(t *testing.T) {
	clear(functions)
	defer clear(functions)
	for expected, body := range map[string]any{
		"no function":              5,
		"it is a func()":           func() {},
		"func(*weir.QueryCtx":      func(*MutationCtx) error { return nil },
		"cannot take its argument": func(*QueryCtx, struct{ C chan int }) error { return nil },
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, expected) {
					t.Errorf("wanted %s, got %s", expected, said)
				}
			}()
			Query("a:f", body)
		}()
	}
}
