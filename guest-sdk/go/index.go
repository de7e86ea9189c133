package weir

import (
	"errors"
	"fmt"
	"reflect"

	"weir.dev/go/internal/json"
)

// Index is an index of a table whose documents hold a T, or a range of it: first any
// of its fields equal to a value, in their order, with [Index.Eq], then the next one
// bounded from below and from above. [Table.Index] makes it.
//
// A value that is [Undefined], or an [Optional] without one, stands for documents
// without the field.
type Index[T any] struct {
	name string
	// fields are all its fields, with the creation time, which every index ends with.
	fields []string
	bounds []Bound
}

// Name gives the index's name.
func (index Index[T]) Name() string { return index.name }

// Eq bounds the next field to this value.
func (index Index[T]) Eq(value any) Index[T] { return index.with(Eq(value)) }

// Gt bounds the next field to greater values.
func (index Index[T]) Gt(value any) Index[T] { return index.with(Gt(value)) }

// Gte bounds the next field to this value and greater ones.
func (index Index[T]) Gte(value any) Index[T] { return index.with(Gte(value)) }

// Lt bounds the next field to lower values.
func (index Index[T]) Lt(value any) Index[T] { return index.with(Lt(value)) }

// Lte bounds the next field to this value and lower ones.
func (index Index[T]) Lte(value any) Index[T] { return index.with(Lte(value)) }

func (index Index[T]) with(bound Bound) Index[T] {
	next := 0
	for _, earlier := range index.bounds {
		if earlier.operator == "eq" {
			next++
		}
	}
	if next < len(index.fields) {
		bound.field = index.fields[next]
	} else {
		bound.err = fmt.Errorf("the index %s has no field left to compare: it is on %v", index.name, index.fields)
	}
	// Indexes are values: two ranges may begin with the same bounds.
	index.bounds = append(index.bounds[:len(index.bounds):len(index.bounds)], bound)
	return index
}

// Bound is a bound of an index's range. Where two bound the same side, both hold.
type Bound struct {
	operator string
	field    string
	value    any
	err      error
}

// Eq bounds a range to this value.
func Eq(value any) Bound { return Bound{operator: "eq", value: value} }

// Gt bounds a range to greater values.
func Gt(value any) Bound { return Bound{operator: "gt", value: value} }

// Gte bounds a range to this value and greater ones.
func Gte(value any) Bound { return Bound{operator: "gte", value: value} }

// Lt bounds a range to lower values.
func Lt(value any) Bound { return Bound{operator: "lt", value: value} }

// Lte bounds a range to this value and lower ones.
func Lte(value any) Bound { return Bound{operator: "lte", value: value} }

// On says which field a bound is on, for [TableQuery.WithIndex].
func (bound Bound) On(field string) Bound {
	bound.field = field
	return bound
}

// on puts bounds on one field.
func on(field string, bounds []Bound) []Bound {
	made := make([]Bound, len(bounds))
	for i, bound := range bounds {
		made[i] = bound.On(field)
	}
	return made
}

// appendRange writes the range of a plan, if it has one.
func appendRange(plan []byte, bounds []Bound) ([]byte, error) {
	for i, bound := range bounds {
		value, err := bound.json()
		if err != nil {
			return nil, err
		}
		opening := `,`
		if i == 0 {
			opening = `,"range":[`
		}
		plan = append(append(append(plan, opening...), `{"op":"`...), bound.operator...)
		plan = json.AppendString(append(plan, `","field":`...), bound.field)
		plan = append(append(append(plan, `,"value":`...), value...), '}')
	}
	if len(bounds) > 0 {
		plan = append(plan, ']')
	}
	return plan, nil
}

func (bound Bound) json() ([]byte, error) {
	if bound.err != nil {
		return nil, bound.err
	}
	if bound.field == "" {
		return nil, errors.New("say which field a bound of an index is on: weir." +
			"Eq(value).On(\"field\")")
	}
	if _, ok := bound.value.(maybe); ok && !reflect.ValueOf(bound.value).Field(1).Bool() {
		return Marshal(Undefined)
	}
	return Marshal(bound.value)
}
