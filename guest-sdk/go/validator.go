package weir

import (
	"reflect"
	"slices"

	"weir.dev/go/internal/json"
)

// describer writes the validators of types in Convex's JSON form.
type describer struct {
	out []byte
	// underWay are the types that are being described: validators have no
	// recursion, so a type that holds itself is anything within itself.
	underWay []reflect.Type
}

func (describer *describer) text(text string) {
	describer.out = append(describer.out, text...)
}

func (describer *describer) named(name string) {
	describer.text(`{"type":"`)
	describer.text(name)
	describer.text(`"}`)
}

// validator describes a type whose codec could be made.
func (describer *describer) validator(t reflect.Type) {
	switch {
	case t == nullType:
		describer.named("null")
		return
	case t.Implements(identifiedType) && t.Kind() == reflect.String:
		describer.id(reflect.Zero(t).Interface().(identified).documentType())
		return
	case t.Implements(enumType) && t.Kind() == reflect.String:
		describer.literals(literalsOf(t))
		return
	case (t.Implements(maybeType) || t.Implements(orNullType)) && t.Kind() == reflect.Struct:
		describer.orNull(t.Field(0).Type)
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		describer.named("boolean")
	case reflect.String:
		describer.named("string")
	case reflect.Int64, reflect.Uint64:
		describer.named("bigint")
	case reflect.Interface:
		describer.named("any")
	case reflect.Pointer:
		describer.orNull(t.Elem())
	case reflect.Slice, reflect.Array:
		describer.list(t)
	case reflect.Map:
		describer.text(`{"type":"record","keys":`)
		describer.validator(t.Key())
		describer.text(`,"values":{"fieldType":`)
		describer.validator(t.Elem())
		describer.text(`,"optional":false}}`)
	case reflect.Struct:
		describer.object(t)
	default:
		describer.named("number")
	}
}

// id describes the ids of documents that hold this. Those of a type without a
// table, or with several, are texts like others: the host finds out on their use.
func (describer *describer) id(held reflect.Type) {
	table := tables[held]
	if table == "" {
		describer.named("string")
		return
	}
	describer.text(`{"type":"id","tableName":`)
	describer.out = json.AppendString(describer.out, table)
	describer.text(`}`)
}

func (describer *describer) literals(literals []string) {
	describer.text(`{"type":"union","value":[`)
	for i, literal := range literals {
		if i > 0 {
			describer.text(`,`)
		}
		describer.text(`{"type":"literal","value":`)
		describer.out = json.AppendString(describer.out, literal)
		describer.text(`}`)
	}
	describer.text(`]}`)
}

func (describer *describer) orNull(t reflect.Type) {
	if t.Kind() == reflect.Interface {
		describer.named("any")
		return
	}
	describer.text(`{"type":"union","value":[`)
	describer.validator(t)
	describer.text(`,{"type":"null"}]}`)
}

func (describer *describer) list(t reflect.Type) {
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		describer.named("bytes")
		return
	}
	describer.text(`{"type":"array","value":`)
	describer.validator(t.Elem())
	describer.text(`}`)
}

func (describer *describer) object(t reflect.Type) {
	if slices.Contains(describer.underWay, t) {
		describer.named("any")
		return
	}
	if t.Implements(documentType) && t.Field(2).Type.Kind() != reflect.Struct {
		// Its fields are not known.
		describer.named("any")
		return
	}
	describer.underWay = append(describer.underWay, t)
	// That there are fields was found out when the codec was made.
	fields, _ := fieldsOf(t)
	describer.text(`{"type":"object","value":{`)
	for i, field := range fields {
		if i > 0 {
			describer.text(`,`)
		}
		describer.text(field.key)
		describer.text(`{"fieldType":`)
		describer.validator(field.held)
		if field.kind == never {
			describer.text(`,"optional":false}`)
		} else {
			describer.text(`,"optional":true}`)
		}
	}
	describer.text(`}}`)
	describer.underWay = describer.underWay[:len(describer.underWay)-1]
}
