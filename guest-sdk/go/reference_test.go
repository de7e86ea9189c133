package weir

import (
	"reflect"
	"testing"
)

func TestNullIsWrittenReadAndDescribed(t *testing.T) {
	type held struct {
		None  Null                        `json:"none"`
		Maybe Optional[Nullable[float64]] `json:"maybe"`
		Any   Optional[Value]             `json:"any"`
	}
	for text, value := range map[string]held{
		`{"none":null}`:                         {},
		`{"none":null,"maybe":null,"any":null}`: {Maybe: Some(Nullable[float64]{}), Any: Some[Value](nil)},
		`{"none":null,"maybe":1,"any":2}`:       {Maybe: Some(NotNull(1.0)), Any: Some[Value](2.0)},
	} {
		written, err := Marshal(value)
		if err != nil || string(written) != text {
			t.Errorf("%+v was written as %s (%v)", value, written, err)
		}
		var read held
		if err := Unmarshal([]byte(text), &read); err != nil || !reflect.DeepEqual(read, value) {
			t.Errorf("%s was read as %+v (%v)", text, read, err)
		}
	}
	if err := Unmarshal([]byte(`{"none":1}`), &held{}); err == nil {
		t.Error("a number was read as null")
	}
	describer := describer{}
	describer.validator(reflect.TypeFor[Null]())
	if string(describer.out) != `{"type":"null"}` {
		t.Errorf("null is described as %s", describer.out)
	}
}

func TestAReferenceIsAPath(t *testing.T) {
	const add MutationReference[NoArgs, float64] = "_reference/childComponent/tally/counts/add"
	if add.Path() != string(add) {
		t.Errorf("its path is %s", add.Path())
	}
	if _, err := add.Run(&MutationCtx{QueryCtx: &QueryCtx{}}, NoArgs{}); CodeOf(err) != "NoHost" {
		t.Errorf("without a host: %v", err)
	}
}
