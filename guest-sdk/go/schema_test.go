package weir

import (
	"fmt"
	"strings"
	"testing"
)

type task struct {
	Team  string             `json:"team"`
	Rank  Optional[float64]  `json:"rank"`
	Meta  *place             `json:"meta"`
	Tally map[string]float64 `json:"tally"`
	Any   Value              `json:"any"`
}

// onEmptySchema runs a test with no table declared.
func onEmptySchema(t *testing.T) {
	before := declared
	declared = map[string]*declaration{}
	t.Cleanup(func() { declared = before })
}

func TestTablesAreDeclaredWithTheirIndexes(t *testing.T) {
	onEmptySchema(t)
	tasks := NewTable[task]("tasks")
	tasks.Index("by_team_rank", "team", "rank")
	tasks.Index("by_place", "meta.name", "tally.x", "any.thing")
	tasks.StagedIndex("by_tally", "tally")
	NewTable[place]("places", Undeclared)
	NewTable[Object]("objects")
	NewTable[Object]("logs").Index("by_day", "day")
	described := &describer{}
	described.schema()
	number := `{"fieldType":{"type":"number"},"optional":`
	expected := `,"schema":{"schemaValidation":true,"tables":[` +
		`{"tableName":"logs","indexes":[{"indexDescriptor":"by_day","fields":["day"]}],"stagedDbIndexes":[],` +
		`"documentType":{"type":"any"}},` +
		`{"tableName":"tasks","indexes":[{"indexDescriptor":"by_team_rank","fields":["team","rank"]},` +
		`{"indexDescriptor":"by_place","fields":["meta.name","tally.x","any.thing"]}],` +
		`"stagedDbIndexes":[{"indexDescriptor":"by_tally","fields":["tally"]}],"documentType":{"type":"object","value":{` +
		`"team":{"fieldType":{"type":"string"},"optional":false},"rank":` + number + `true},` +
		`"meta":{"fieldType":{"type":"object","value":{"x":` + number + `false},"name":{"fieldType":{"type":"string"},` +
		`"optional":true}}},"optional":true},"tally":{"fieldType":{"type":"record","keys":{"type":"string"},"values":` +
		number + `false}},"optional":false},"any":{"fieldType":{"type":"any"},"optional":false}}}}]}`
	if string(described.out) != expected {
		t.Errorf("got  %s\nwant %s", described.out, expected)
	}
}

func TestWhatCannotBeDeclaredIsTold(t *testing.T) {
	onEmptySchema(t)
	tasks := NewTable[task]("tasks")
	tasks.Index("by_team", "team")
	for expected, declare := range map[string]func(){
		"task has no field `tem`":       func() { tasks.Index("by_tem", "tem") },
		"task has no field `meta.size`": func() { tasks.Index("by_size", "meta.size") },
		"task has no field `team.x`":    func() { tasks.StagedIndex("by_x", "team.x") },
		"leave it out":                  func() { tasks.Index("by_time", "_creationTime") },
		"at least one field":            func() { tasks.Index("by_nothing") },
		"two of this name":              func() { tasks.StagedIndex("by_team", "rank") },
		"weir.Undeclared":               func() { NewTable[place]("tasks") },
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, expected) {
					t.Errorf("wanted %s, got %s", expected, said)
				}
			}()
			declare()
		}()
	}
}

func TestRangesOfIndexes(t *testing.T) {
	onEmptySchema(t)
	tasks := NewTable[task]("tasks")
	byTeamRank := tasks.Index("by_team_rank", "team", "rank")
	red := byTeamRank.Eq("red")
	bound := func(operator, field, value string) string {
		return fmt.Sprintf(`{"op":"%s","field":"%s","value":%s}`, operator, field, value)
	}
	team := bound("eq", "team", `"red"`)
	undefined := `{"$undefined":null}`
	for i, test := range []struct {
		query *TableQuery[task]
		rng   string
	}{
		{tasks.Query(nil).By(red.Gte(1).Lt(2.5)), team + "," + bound("gte", "rank", "1") + "," + bound("lt", "rank", "2.5")},
		{tasks.Query(nil).By(red.Eq(None[float64]()).Gt(5)), team + "," + bound("eq", "rank", undefined) + "," + bound("gt", "_creationTime", "5")},
		{tasks.Query(nil).By(red.Eq(Some(2.0))), team + "," + bound("eq", "rank", "2")},
		{tasks.Query(nil).WithIndex("by_team_rank", Eq("red").On("team"), Lte(Undefined).On("rank")), team + "," + bound("lte", "rank", undefined)},
	} {
		expected := `{"table":"tasks","index":"by_team_rank","range":[` + test.rng + `]}`
		if plan, err := test.query.plan(-1); err != nil || string(plan) != expected {
			t.Errorf("%d: got  %s (%v)\nwant %s", i, plan, err, expected)
		}
	}
	if plan, err := tasks.Query(nil).By(byTeamRank).plan(-1); err != nil || strings.Contains(string(plan), "range") {
		t.Errorf("all of an index has no range: %s (%v)", plan, err)
	}
	for expected, query := range map[string]*TableQuery[task]{
		"no field left":         tasks.Query(nil).By(red.Eq(1).Eq(2).Eq(3)),
		"say which field":       tasks.Query(nil).WithIndex("by_team_rank", Eq("red")),
		"chan int":              tasks.Query(nil).By(byTeamRank.Eq(make(chan int))),
		"the host's own tables": NewTable[task]("_tasks", Undeclared).Query(nil),
		"not a system table":    NewSystemTable[task]("tasks").Query(nil),
	} {
		if _, err := query.Count(); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("wanted %s, got %v", expected, err)
		}
		if _, err := query.Paginate(FirstPage(1)); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("wanted %s, got %v", expected, err)
		}
	}
	if _, err := NewSystemTable[Object]("_indexes").Query(nil).Count(); CodeOf(err) != "NoHost" {
		t.Errorf("the error is %v", err)
	}
}

func TestPagesAreAskedAndGivenAsClientsDo(t *testing.T) {
	asked := `{"numItems":5,"cursor":null,"endCursor":"e","id":7}`
	var options PaginationOptions
	if err := Unmarshal([]byte(asked), &options); err != nil || options.Cursor.Present || options.EndCursor.Value.Value != "e" {
		t.Fatalf("it was read as %+v (%v)", options, err)
	}
	if again, err := Marshal(options); err != nil || string(again) != asked {
		t.Errorf("it was written as %s (%v)", again, err)
	}
	first, err := Marshal(FirstPage(2).After(""))
	if err != nil || string(first) != `{"numItems":2,"cursor":""}` {
		t.Errorf("it was written as %s (%v)", first, err)
	}
	given := `{"page":[{"_id":"k","_creationTime":1,"x":2}],"isDone":true,"continueCursor":"c","splitCursor":null,` +
		`"pageStatus":"SplitRequired"}`
	var result PaginationResult[place]
	if err := Unmarshal([]byte(given), &result); err != nil || result.Page[0].Value.X != 2 || result.PageStatus != NotNull(SplitRequired) {
		t.Fatalf("it was read as %+v (%v)", result, err)
	}
	if again, err := Marshal(result); err != nil || string(again) != given {
		t.Errorf("it was written as %s (%v)", again, err)
	}
}
