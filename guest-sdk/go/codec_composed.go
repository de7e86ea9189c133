package weir

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"weir.dev/go/internal/json"
)

// pointerCodec is for a pointer that is no field: nil is null.
func pointerCodec(t reflect.Type) (codec, error) {
	return nullable(t, func(value reflect.Value) (reflect.Value, bool) {
		return value.Elem(), !value.IsNil()
	}, func(value reflect.Value) reflect.Value {
		value.Set(reflect.New(t.Elem()))
		return value.Elem()
	}, t.Elem())
}

// optionalCodec is for a Nullable, and for an Optional that is no field: a missing one is null.
func optionalCodec(t reflect.Type) (codec, error) {
	return nullable(t, func(value reflect.Value) (reflect.Value, bool) {
		return value.Field(0), value.Field(1).Bool()
	}, func(value reflect.Value) reflect.Value {
		value.Field(1).SetBool(true)
		return value.Field(0)
	}, t.Field(0).Type)
}

func nullable(
	t reflect.Type,
	get func(reflect.Value) (reflect.Value, bool),
	begin func(reflect.Value) reflect.Value,
	held reflect.Type,
) (codec, error) {
	inner, err := codecOf(held)
	if err != nil {
		return codec{}, err
	}
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			if held, ok := get(value); ok {
				return inner.write(out, held)
			}
			return append(out, "null"...), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			if reader.Peek() == json.Null {
				value.SetZero()
				return reader.ReadNull()
			}
			return inner.read(reader, begin(value))
		},
	}, nil
}

func writeItems(inner *codec) func([]byte, reflect.Value) ([]byte, error) {
	return func(out []byte, value reflect.Value) ([]byte, error) {
		out = append(out, '[')
		for i := range value.Len() {
			if i > 0 {
				out = append(out, ',')
			}
			var err error
			if out, err = inner.write(out, value.Index(i)); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	}
}

func sliceCodec(t reflect.Type) (codec, error) {
	inner, err := codecOf(t.Elem())
	if err != nil {
		return codec{}, err
	}
	read := func(reader *json.Reader, value reflect.Value) error {
		value.Set(reflect.MakeSlice(t, 0, 0))
		return reader.ReadArray(func() error {
			length := value.Len()
			if length == value.Cap() {
				value.Grow(max(4, length))
			}
			value.SetLen(length + 1)
			item := value.Index(length)
			item.SetZero()
			return inner.read(reader, item)
		})
	}
	return codec{write: writeItems(inner), read: read}, nil
}

func arrayCodec(t reflect.Type) (codec, error) {
	inner, err := codecOf(t.Elem())
	if err != nil {
		return codec{}, err
	}
	read := func(reader *json.Reader, value reflect.Value) error {
		index := 0
		err := reader.ReadArray(func() error {
			if index >= t.Len() {
				return fmt.Errorf("an array of more than %d items", t.Len())
			}
			index++
			return inner.read(reader, value.Index(index-1))
		})
		if err == nil && index < t.Len() {
			err = fmt.Errorf("an array of %d items, where %d are needed", index, t.Len())
		}
		return err
	}
	return codec{write: writeItems(inner), read: read}, nil
}

func mapCodec(t reflect.Type) (codec, error) {
	if t.Key().Kind() != reflect.String {
		return codec{}, fmt.Errorf("the keys of %v are no strings, as those of objects are", t)
	}
	inner, err := codecOf(t.Elem())
	if err != nil {
		return codec{}, err
	}
	write := func(out []byte, value reflect.Value) ([]byte, error) {
		keys := value.MapKeys()
		// Go gives them in an order of its own.
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		out = append(out, '{')
		for i, key := range keys {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(json.AppendString(out, key.String()), ':')
			var err error
			if out, err = inner.write(out, value.MapIndex(key)); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	}
	read := func(reader *json.Reader, value reflect.Value) error {
		value.Set(reflect.MakeMap(t))
		return reader.ReadObject(func(key []byte) error {
			name := reflect.ValueOf(string(key)).Convert(t.Key())
			item := reflect.New(t.Elem()).Elem()
			err := inner.read(reader, item)
			value.SetMapIndex(name, item)
			return err
		})
	}
	return codec{write: write, read: read}, nil
}
