package json

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestTextsAreWrittenAndReadBack(t *testing.T) {
	for _, text := range []string{"", "plain", "a\"b\\c", "\n\r\t\x00\x1f", "grüß 🦀", "</script>"} {
		written := AppendString(nil, text)
		read, err := NewReader(written).ReadString()
		if err != nil || read != text {
			t.Errorf("%q became %s became %q (%v)", text, written, read, err)
		}
	}
	if got := string(AppendString(nil, "a\xffb")); got != "\"a\uFFFDb\"" {
		t.Errorf("what is no UTF-8 became %s", got)
	}
}

func TestNumbersHaveConvexsForm(t *testing.T) {
	cases := map[string]float64{
		"0": 0, "-1": -1, "1.5": 1.5, "9007199254740993": 9007199254740992, "1e300": 1e300, "1e-9": 1e-9,
		`{"$float":"AAAAAAAAAIA="}`: math.Copysign(0, -1), `{"$float":"AAAAAAAA8H8="}`: math.Inf(1),
	}
	for text, number := range cases {
		read, err := NewReader([]byte(text)).ReadFloat()
		if err != nil || math.Float64bits(read) != math.Float64bits(number) {
			t.Errorf("%s was read as %v (%v)", text, read, err)
		}
		again, err := NewReader(AppendFloat(nil, number)).ReadFloat()
		if err != nil || math.Float64bits(again) != math.Float64bits(number) {
			t.Errorf("%v was written as %s", number, AppendFloat(nil, number))
		}
	}
	if got := string(AppendInt64(nil, -2)); got != `{"$integer":"/v////////8="}` {
		t.Errorf("-2 was written as %s", got)
	}
}

func TestAnythingCanBeRead(t *testing.T) {
	text := ` {"a": [1, true, null, "x\u00e9\ud83e\udd80"], "b": {"$integer": "AQAAAAAAAAA="}, "c": {"$bytes": "/w=="}, "d": {}} `
	expected := map[string]any{
		"a": []any{1.0, true, nil, "xé🦀"}, "b": int64(1), "c": []byte{0xff}, "d": map[string]any{},
	}
	reader := NewReader([]byte(text))
	value, err := reader.ReadAny()
	if err != nil || !reflect.DeepEqual(value, expected) || reader.End() != nil {
		t.Errorf("got %v (%v)", value, err)
	}
	reader = NewReader([]byte(text))
	if err := reader.Skip(); err != nil || reader.End() != nil {
		t.Errorf("it cannot be skipped: %v", err)
	}
}

func TestWrongTextsAreRefused(t *testing.T) {
	texts := []string{
		"", "nul", "[1", "[1 2]", `{"a"}`, `{"a":1,}`, `"a`, `"\x"`, `"\ud800"`, "\"\x01\"", "-", "1.2.3",
		`{"$integer":"AA=="}`, `{"$bytes":5}`, strings.Repeat("[", 200) + strings.Repeat("]", 200),
	}
	for _, text := range texts {
		if value, err := NewReader([]byte(text)).ReadAny(); err == nil {
			t.Errorf("%s was read as %v", text, value)
		}
	}
	if NewReader([]byte("1 2")).End() == nil {
		t.Error("a text is left")
	}
}
