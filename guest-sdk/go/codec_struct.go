package weir

import (
	"fmt"
	"reflect"
	"strings"

	"weir.dev/go/internal/json"
)

// The fields that the host adds to a document.
const (
	idField           = "_id"
	creationTimeField = "_creationTime"
)

// field is one of an object's fields.
type field struct {
	name string
	// key is the name as JSON, with the colon.
	key string
	// index leads to it through embedded structs.
	index []int
	// held is the type of its value, without the pointer or Optional around it.
	held reflect.Type
	// kind tells how it can be missing.
	kind  missing
	codec *codec
}

// missing tells how a field can be missing.
type missing uint8

const (
	never missing = iota
	// whenNil is for pointers.
	whenNil
	// whenAbsent is for Optionals.
	whenAbsent
	// whenZero is for what is marked omitempty.
	whenZero
)

// fieldsOf gives the fields of a struct type, those of embedded structs and of a
// document's value among its own.
func fieldsOf(t reflect.Type) ([]field, error) {
	if t.Implements(documentType) {
		return documentFields(t)
	}
	var fields []field
	for i := range t.NumField() {
		source := t.Field(i)
		name, options, _ := strings.Cut(source.Tag.Get("json"), ",")
		if name == "-" || (!source.IsExported() && !source.Anonymous) {
			continue
		}
		if source.Anonymous && name == "" && source.Type.Kind() == reflect.Struct {
			inner, err := fieldsOf(source.Type)
			if err != nil {
				return nil, err
			}
			fields = append(fields, below(i, inner)...)
			continue
		}
		if !source.IsExported() {
			continue
		}
		if name == "" {
			name = source.Name
		}
		fields = append(fields, newField(name, i, source.Type, strings.Contains(options, "omitempty")))
	}
	return fields, checkNames(t, fields)
}

// documentFields are those of a Doc: the host's, and those of the value, unless
// that is no struct.
func documentFields(t reflect.Type) ([]field, error) {
	fields := []field{
		newField(idField, 0, t.Field(0).Type, false),
		newField(creationTimeField, 1, t.Field(1).Type, false),
	}
	value := t.Field(2).Type
	if value.Kind() != reflect.Struct {
		return fields, nil
	}
	inner, err := fieldsOf(value)
	if err != nil {
		return nil, err
	}
	fields = append(fields, below(2, inner)...)
	return fields, checkNames(t, fields)
}

func below(index int, fields []field) []field {
	for i := range fields {
		fields[i].index = append([]int{index}, fields[i].index...)
	}
	return fields
}

func newField(name string, index int, t reflect.Type, omitEmpty bool) field {
	made := field{name: name, index: []int{index}, held: t}
	made.key = string(json.AppendString(nil, name)) + ":"
	switch {
	case t.Kind() == reflect.Struct && t.Implements(maybeType):
		made.kind, made.held = whenAbsent, t.Field(0).Type
	case t.Kind() == reflect.Pointer:
		made.kind, made.held = whenNil, t.Elem()
	case omitEmpty:
		made.kind = whenZero
	}
	return made
}

func checkNames(t reflect.Type, fields []field) error {
	names := map[string]bool{}
	for _, field := range fields {
		if names[field.name] {
			return fmt.Errorf("%v has two fields `%s`", t, field.name)
		}
		names[field.name] = true
	}
	return nil
}

// open is an object type whose further fields are in a map.
type open struct {
	index []int
	inner *codec
}

func objectCodec(t reflect.Type) (codec, error) {
	fields, err := fieldsOf(t)
	if err != nil {
		return codec{}, err
	}
	for i := range fields {
		if fields[i].codec, err = codecOf(fields[i].held); err != nil {
			return codec{}, fmt.Errorf("in the field `%s` of %v: %w", fields[i].name, t, err)
		}
	}
	rest, err := restOf(t)
	if err != nil {
		return codec{}, err
	}
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			return writeObject(out, value, fields, rest)
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			return readObject(reader, value, fields, rest)
		},
	}, nil
}

// restOf is where a document whose value is a map or anything keeps its own fields.
func restOf(t reflect.Type) (*open, error) {
	if !t.Implements(documentType) {
		return nil, nil
	}
	switch value := t.Field(2).Type; {
	case value.Kind() == reflect.Struct:
		return nil, nil
	case value.Kind() == reflect.Map && value.Key().Kind() == reflect.String:
		inner, err := codecOf(value.Elem())
		return &open{index: []int{2}, inner: inner}, err
	case value.Kind() == reflect.Interface && value.NumMethod() == 0:
		return &open{index: []int{2}}, nil
	default:
		return nil, fmt.Errorf("%v: a document is a struct, a map of strings, or any", t)
	}
}

func writeObject(out []byte, value reflect.Value, fields []field, rest *open) ([]byte, error) {
	out = append(out, '{')
	start := len(out)
	for i := range fields {
		field := &fields[i]
		held, ok := field.get(value)
		if !ok {
			continue
		}
		if len(out) > start {
			out = append(out, ',')
		}
		out = append(out, field.key...)
		var err error
		if out, err = field.codec.write(out, held); err != nil {
			return nil, fmt.Errorf("in the field `%s`: %w", field.name, err)
		}
	}
	if rest != nil {
		var err error
		if out, err = rest.write(out, value); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// write puts the fields of a document's map behind those which are there.
func (rest *open) write(out []byte, value reflect.Value) ([]byte, error) {
	held := value.FieldByIndex(rest.index)
	for held.Kind() == reflect.Interface {
		held = held.Elem()
	}
	if !held.IsValid() {
		return out, nil
	}
	found, err := codecOf(held.Type())
	if err != nil {
		return nil, err
	}
	more, err := found.write(nil, held)
	if err != nil {
		return nil, err
	}
	if len(more) < 2 || more[0] != '{' {
		return nil, fmt.Errorf("a document's value is an object, which %v is not", held.Type())
	}
	if len(more) == 2 {
		return out, nil
	}
	return append(append(out, ','), more[1:len(more)-1]...), nil
}

func readObject(reader *json.Reader, value reflect.Value, fields []field, rest *open) error {
	var more reflect.Value
	if rest != nil {
		more = rest.begin(value)
	}
	expected := 0
	return reader.ReadObject(func(key []byte) error {
		for tried := range fields {
			// They mostly come in the order in which they were written.
			index := expected + tried
			if index >= len(fields) {
				index -= len(fields)
			}
			if field := &fields[index]; string(key) == field.name {
				expected = index + 1
				if field.kind != never && !field.takesNull() && reader.Peek() == json.Null {
					// Another language may write null for what is missing.
					return reader.ReadNull()
				}
				if err := field.codec.read(reader, field.begin(value)); err != nil {
					return fmt.Errorf("in the field `%s`: %w", field.name, err)
				}
				return nil
			}
		}
		if rest != nil {
			return rest.read(reader, string(key), more)
		}
		return reader.Skip()
	})
}

func (rest *open) begin(value reflect.Value) reflect.Value {
	held := value.FieldByIndex(rest.index)
	if held.Kind() != reflect.Interface {
		held.Set(reflect.MakeMap(held.Type()))
		return held
	}
	more := reflect.ValueOf(map[string]any{})
	held.Set(more)
	return more
}

func (rest *open) read(reader *json.Reader, name string, more reflect.Value) error {
	item := reflect.New(more.Type().Elem()).Elem()
	if rest.inner == nil {
		read, err := reader.ReadAny()
		if err != nil {
			return err
		}
		if read != nil {
			item.Set(reflect.ValueOf(read))
		}
	} else if err := rest.inner.read(reader, item); err != nil {
		return err
	}
	more.SetMapIndex(reflect.ValueOf(name).Convert(more.Type().Key()), item)
	return nil
}

// takesNull tells whether null is a value of the field, and not what is missing.
func (field *field) takesNull() bool {
	return field.held.Kind() == reflect.Interface || field.held == nullType || field.held.Implements(orNullType)
}

// get gives the field's value in a struct, and whether there is one.
func (field *field) get(object reflect.Value) (reflect.Value, bool) {
	value := at(object, field.index)
	switch field.kind {
	case whenNil:
		return value.Elem(), !value.IsNil()
	case whenAbsent:
		return value.Field(0), value.Field(1).Bool()
	case whenZero:
		return value, !isEmpty(value)
	}
	return value, true
}

// isEmpty is what encoding/json calls empty, and a struct without anything in it.
func isEmpty(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Slice, reflect.Map:
		return value.Len() == 0
	}
	return value.IsZero()
}

// begin gives the place for the field's value in a struct.
func (field *field) begin(object reflect.Value) reflect.Value {
	value := at(object, field.index)
	switch field.kind {
	case whenNil:
		value.Set(reflect.New(field.held))
		return value.Elem()
	case whenAbsent:
		value.Field(1).SetBool(true)
		return value.Field(0)
	}
	return value
}

func at(object reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		object = object.Field(i)
	}
	return object
}
