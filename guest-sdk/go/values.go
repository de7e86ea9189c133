package weir

import (
	"reflect"
)

// Value is any value: nil, bool, float64, int64, string, []byte, []any or
// map[string]any. Whatever else can be an argument can be written as one.
type Value = any

// Object is any fields: those of a patch, of an error's data, of a document
// without a type.
type Object = map[string]any

// Undefined is the value that removes a field in a patch.
var Undefined undefined

type undefined struct{}

// ID is the id of a document that holds a T. With a T that has a table, an
// argument of this type is checked against that table by the host; an ID[Value] is
// the id of any document.
type ID[T any] string

func (ID[T]) documentType() reflect.Type { return reflect.TypeFor[T]() }

type identified interface{ documentType() reflect.Type }

// Doc is a stored document. As JSON it is one flat object: the fields of Value,
// with `_id` and `_creationTime`.
type Doc[T any] struct {
	// ID is the document's id.
	ID ID[T]
	// CreationTime is when it was inserted, in milliseconds since the epoch, with
	// a fraction; no two documents of a table have the same.
	CreationTime float64
	// Value is its other fields.
	Value T
}

func (Doc[T]) isDoc() {}

type document interface{ isDoc() }

// Optional is a value that may be missing: an optional field of arguments,
// results and documents. A missing one is left out, where a zero would stay.
type Optional[T any] struct {
	// Value is the value, if Present.
	Value T
	// Present tells whether there is one.
	Present bool
}

// Some is a value that is there.
func Some[T any](value T) Optional[T] {
	return Optional[T]{Value: value, Present: true}
}

// None is a value that is missing.
func None[T any]() Optional[T] {
	return Optional[T]{}
}

// Get gives the value, and whether there is one.
func (optional Optional[T]) Get() (T, bool) {
	return optional.Value, optional.Present
}

// Or gives the value, or another where there is none.
func (optional Optional[T]) Or(other T) T {
	if optional.Present {
		return optional.Value
	}
	return other
}

func (Optional[T]) isOptional() {}

type maybe interface{ isOptional() }

// Nullable is a value or null, which is written as such, where an [Optional] is left out.
type Nullable[T any] struct {
	// Value is the value, unless it is null.
	Value T
	// Present tells whether there is one.
	Present bool
}

// NotNull is a value that is not null.
func NotNull[T any](value T) Nullable[T] {
	return Nullable[T]{Value: value, Present: true}
}

// Get gives the value, and whether there is one.
func (nullable Nullable[T]) Get() (T, bool) {
	return nullable.Value, nullable.Present
}

func (Nullable[T]) isNullable() {}

type orNull interface{ isNullable() }

// Enum is a type of texts of which there are only some: a union of literals to
// clients.
//
//	func (Status) Literals() []string { return []string{"open", "done"} }
type Enum interface {
	// Literals gives all texts of the type.
	Literals() []string
}

var (
	identifiedType      = reflect.TypeFor[identified]()
	documentType        = reflect.TypeFor[document]()
	maybeType           = reflect.TypeFor[maybe]()
	orNullType          = reflect.TypeFor[orNull]()
	enumType            = reflect.TypeFor[Enum]()
	undefinedType       = reflect.TypeFor[undefined]()
	commitTimestampType = reflect.TypeFor[CommitTimestamp]()
)
