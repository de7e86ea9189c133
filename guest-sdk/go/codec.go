package weir

import (
	"fmt"
	"reflect"

	"weir.dev/go/internal/json"
)

// codec writes and reads the values of one type. Codecs are made once a type:
// those of registered functions and tables while the module is built.
type codec struct {
	write func(out []byte, value reflect.Value) ([]byte, error)
	read  func(reader *json.Reader, value reflect.Value) error
}

var codecs = map[reflect.Type]*codec{}

// Marshal writes a value as JSON in Convex's value encoding.
func Marshal(value any) ([]byte, error) {
	if value == nil {
		return []byte("null"), nil
	}
	found, err := codecOf(reflect.TypeOf(value))
	if err != nil {
		return nil, err
	}
	return found.write(make([]byte, 0, 128), reflect.ValueOf(value))
}

// Unmarshal reads JSON in Convex's value encoding into what into points to.
// Fields that the type lacks are dropped.
func Unmarshal(text []byte, into any) error {
	pointer := reflect.ValueOf(into)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() {
		return fmt.Errorf("weir: values are read into a pointer, which %T is not", into)
	}
	return unmarshalInto(text, pointer.Elem())
}

func unmarshalInto(text []byte, value reflect.Value) error {
	found, err := codecOf(value.Type())
	if err != nil {
		return err
	}
	reader := json.NewReader(text)
	if err := found.read(reader, value); err != nil {
		return err
	}
	return reader.End()
}

// codecOf gives the codec of a type, or says why there is none.
func codecOf(t reflect.Type) (*codec, error) {
	if found, ok := codecs[t]; ok {
		return found, nil
	}
	// A type that holds itself finds this while it is being made.
	made := &codec{}
	codecs[t] = made
	filled, err := makeCodec(t)
	if err != nil {
		delete(codecs, t)
		return nil, err
	}
	*made = filled
	return made, nil
}

func makeCodec(t reflect.Type) (codec, error) {
	switch {
	case t == undefinedType:
		return undefinedCodec(), nil
	case t == nullType:
		return nullCodec(), nil
	case t == commitTimestampType:
		return commitTimestampCodec(), nil
	case t.Implements(documentType) && t.Kind() == reflect.Struct:
		return objectCodec(t)
	case t.Implements(maybeType) && t.Kind() == reflect.Struct:
		return optionalCodec(t)
	case t.Implements(orNullType) && t.Kind() == reflect.Struct:
		return optionalCodec(t)
	case t.Implements(enumType) && t.Kind() == reflect.String:
		return enumCodec(t), nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolCodec(), nil
	case reflect.String:
		return stringCodec(), nil
	case reflect.Int64:
		return int64Codec(), nil
	case reflect.Uint64:
		return uint64Codec(t), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		return intCodec(t), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return uintCodec(t), nil
	case reflect.Float32, reflect.Float64:
		return floatCodec(), nil
	case reflect.Pointer:
		return pointerCodec(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return bytesCodec(), nil
		}
		return sliceCodec(t)
	case reflect.Array:
		return arrayCodec(t)
	case reflect.Map:
		return mapCodec(t)
	case reflect.Struct:
		return objectCodec(t)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return anyCodec(), nil
		}
	}
	return codec{}, fmt.Errorf("values of the type %v cannot be passed on; use bool, numbers, string, []byte, "+
		"slices, maps of strings, structs, pointers, weir.ID, weir.Doc, weir.Optional or any", t)
}
