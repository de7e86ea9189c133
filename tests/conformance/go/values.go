package main

import (
	"slices"
	"strings"
	"unicode/utf8"

	"weir.dev/go"
)

func init() {
	weir.Query("values:echo", echo)
	weir.Query("values:typed", typed)
	weir.Query("values:kind", kind)
	weir.Query("values:measure", measure)
	weir.Query("values:add", add)
	weir.Query("values:noteId", asNoteID)
	weir.Query("values:optional", optional)
	weir.Query("values:nothing", nothing)
	weir.Query("values:repeat", repeat)
}

// Sample is one value of each type.
type Sample struct {
	Number float64               `json:"number"`
	Small  int32                 `json:"small"`
	Big    int64                 `json:"big"`
	Flag   bool                  `json:"flag"`
	Text   string                `json:"text"`
	Data   []byte                `json:"data"`
	List   []float64             `json:"list"`
	Inner  Inner                 `json:"inner"`
	Maybe  weir.Optional[string] `json:"maybe"`
}

// Inner is an object in a Sample.
type Inner struct {
	Words []string `json:"words"`
}

type anything struct {
	Value weir.Value `json:"value"`
}

func echo(_ *weir.QueryCtx, args anything) (weir.Value, error) {
	return args.Value, nil
}

// typed gives the same again, with its types.
func typed(_ *weir.QueryCtx, args struct {
	Sample Sample `json:"sample"`
}) (Sample, error) {
	return args.Sample, nil
}

// kind gives the name of a value's type.
func kind(_ *weir.QueryCtx, args anything) (string, error) {
	switch args.Value.(type) {
	case nil:
		return "null", nil
	case int64:
		return "bigint", nil
	case float64:
		return "number", nil
	case bool:
		return "boolean", nil
	case string:
		return "string", nil
	case []byte:
		return "bytes", nil
	case []any:
		return "array", nil
	}
	return "object", nil
}

// Measures is what a text is made of.
type Measures struct {
	CodePoints int `json:"codePoints"`
	UTF8Bytes  int `json:"utf8Bytes"`
	// Reversed has the code points from the last to the first.
	Reversed string `json:"reversed"`
}

type text struct {
	Text string `json:"text"`
}

func measure(_ *weir.QueryCtx, args text) (Measures, error) {
	runes := []rune(args.Text)
	slices.Reverse(runes)
	return Measures{utf8.RuneCountInString(args.Text), len(args.Text), string(runes)}, nil
}

// Sums has both sums, so that each type is computed with.
type Sums struct {
	Numbers float64 `json:"numbers"`
	Bigints int64   `json:"bigints"`
}

func add(_ *weir.QueryCtx, args struct {
	A    float64 `json:"a"`
	B    float64 `json:"b"`
	BigA int64   `json:"bigA"`
	BigB int64   `json:"bigB"`
}) (Sums, error) {
	return Sums{args.A + args.B, args.BigA + args.BigB}, nil
}

// asNoteID says of a text that it is the id of a note.
func asNoteID(_ *weir.QueryCtx, args text) (noteID, error) {
	return noteID(args.Text), nil
}

// optional tells whether an optional argument came, and what it was.
func optional(_ *weir.QueryCtx, args struct {
	Text *string `json:"text"`
}) (string, error) {
	if args.Text == nil {
		return "missing", nil
	}
	return "given: " + *args.Text, nil
}

func nothing(*weir.QueryCtx) error {
	return nil
}

func repeat(_ *weir.QueryCtx, args struct {
	text
	Times int `json:"times"`
}) (string, error) {
	return strings.Repeat(args.Text, args.Times), nil
}
