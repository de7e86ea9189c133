package weir

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"weir.dev/go/internal/json"
)

// exactMax is the largest integer up to which a number, which is a float, knows them all.
const exactMax = 1 << 53

func undefinedCodec() codec {
	return codec{
		write: func(out []byte, _ reflect.Value) ([]byte, error) {
			return append(out, `{"$undefined":null}`...), nil
		},
		read: func(reader *json.Reader, _ reflect.Value) error {
			return fmt.Errorf("weir.Undefined is written in patches only")
		},
	}
}

func boolCodec() codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			if value.Bool() {
				return append(out, "true"...), nil
			}
			return append(out, "false"...), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := reader.ReadBool()
			value.SetBool(read)
			return err
		},
	}
}

func stringCodec() codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			return json.AppendString(out, value.String()), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := reader.ReadString()
			value.SetString(read)
			return err
		},
	}
}

func literalsOf(t reflect.Type) []string {
	return reflect.Zero(t).Interface().(Enum).Literals()
}

func enumCodec(t reflect.Type) codec {
	literals := literalsOf(t)
	check := func(text string) error {
		if slices.Contains(literals, text) {
			return nil
		}
		return fmt.Errorf("%q is none of the literals of %v: %q", text, t, literals)
	}
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			return json.AppendString(out, value.String()), check(value.String())
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := reader.ReadString()
			if err != nil {
				return err
			}
			value.SetString(read)
			return check(read)
		},
	}
}

func int64Codec() codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			return json.AppendInt64(out, value.Int()), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := reader.ReadInt64()
			value.SetInt(read)
			return err
		},
	}
}

func uint64Codec(t reflect.Type) codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			if value.Uint() > math.MaxInt64 {
				return nil, fmt.Errorf("%d is too large for a 64-bit integer with a sign", value.Uint())
			}
			return json.AppendInt64(out, int64(value.Uint())), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := reader.ReadInt64()
			if err == nil && read < 0 {
				err = fmt.Errorf("%d is no %v", read, t)
			}
			value.SetUint(uint64(read))
			return err
		},
	}
}

func readWhole(reader *json.Reader, t reflect.Type) (float64, error) {
	read, err := reader.ReadFloat()
	if err == nil && (read != math.Trunc(read) || math.Abs(read) > exactMax) {
		err = fmt.Errorf("%v is no %v", read, t)
	}
	return read, err
}

func intCodec(t reflect.Type) codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			if number := value.Int(); number > exactMax || number < -exactMax {
				return nil, fmt.Errorf("%d is too large for a number; use int64, which is a bigint", number)
			}
			return json.AppendFloat(out, float64(value.Int())), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := readWhole(reader, t)
			if err == nil && value.OverflowInt(int64(read)) {
				err = fmt.Errorf("%v is no %v", read, t)
			}
			if err == nil {
				value.SetInt(int64(read))
			}
			return err
		},
	}
}

func uintCodec(t reflect.Type) codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			if number := value.Uint(); number > exactMax {
				return nil, fmt.Errorf("%d is too large for a number; use uint64, which is a bigint", number)
			}
			return json.AppendFloat(out, float64(value.Uint())), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := readWhole(reader, t)
			if err == nil && (read < 0 || value.OverflowUint(uint64(read))) {
				err = fmt.Errorf("%v is no %v", read, t)
			}
			if err == nil {
				value.SetUint(uint64(read))
			}
			return err
		},
	}
}

func floatCodec() codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			return json.AppendFloat(out, value.Float()), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := reader.ReadFloat()
			value.SetFloat(read)
			return err
		},
	}
}

func bytesCodec() codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			return json.AppendBytes(out, value.Bytes()), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := reader.ReadBytes()
			value.SetBytes(read)
			return err
		},
	}
}

func anyCodec() codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			if value.IsNil() {
				return append(out, "null"...), nil
			}
			held := value.Elem()
			found, err := codecOf(held.Type())
			if err != nil {
				return nil, err
			}
			return found.write(out, held)
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, err := reader.ReadAny()
			if err != nil {
				return err
			}
			if read == nil {
				value.SetZero()
			} else {
				value.Set(reflect.ValueOf(read))
			}
			return nil
		},
	}
}
