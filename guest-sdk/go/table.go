package weir

import (
	"fmt"
	"reflect"
	"slices"

	"weir.dev/go/internal/abi"
)

// Table is a table whose documents hold a T: a struct, an [Object], or any. It
// exists from its first insert; one that does not exist is empty.
type Table[T any] struct {
	name string
}

// tables tells which table the documents of a struct type are in; "" when there are several.
var tables = map[reflect.Type]string{}

// NewTable names a table, as a rule in a package variable, and declares it in the
// module's schema, if T is a struct: the host holds every document that is written to
// the table against it.
//
//	var messages = weir.NewTable[Message]("messages")
//
// With the option [Undeclared] it only names the table. It panics if T cannot be a
// document's value, or the table is declared with another type.
func NewTable[T any](name string, options ...TableOption) Table[T] {
	held := reflect.TypeFor[T]()
	if _, err := codecOf(reflect.TypeFor[Doc[T]]()); err != nil {
		panic(fmt.Sprintf("weir: the table %s: %v", name, err))
	}
	if held.Kind() == reflect.Struct {
		if other, ok := tables[held]; ok && other != name {
			tables[held] = ""
		} else {
			tables[held] = name
		}
		if !slices.Contains(options, Undeclared) {
			declare(name, held)
		}
	}
	return Table[T]{name: name}
}

// Name gives the table's name.
func (table Table[T]) Name() string { return table.name }

// Get gives the document with this id; nil when there is none, or it was deleted. An
// id of another table is an error.
func (table Table[T]) Get(_ Reader, id ID[T]) (*Doc[T], error) {
	if err := refuseSystem(table.name); err != nil {
		return nil, err
	}
	return get(table.name, id)
}

// GetMany gives the documents with these ids, in their order, asked of the host at
// once; nil where there is none.
func (table Table[T]) GetMany(_ Reader, ids []ID[T]) ([]*Doc[T], error) {
	if err := refuseSystem(table.name); err != nil {
		return nil, err
	}
	return getMany(table.name, ids)
}

// Get gives the document with this id, of whichever table; nil when there is
// none, or it was deleted.
func Get[T any](_ Reader, id ID[T]) (*Doc[T], error) {
	return get("", id)
}

// GetMany gives the documents with these ids, of whichever tables, in their order,
// asked of the host at once; nil where there is none.
func GetMany[T any](_ Reader, ids []ID[T]) ([]*Doc[T], error) {
	return getMany("", ids)
}

func get[T any](table string, id ID[T]) (*Doc[T], error) {
	json, err := abi.Get(table, string(id))
	if err != nil || json == nil {
		return nil, fromHost(err)
	}
	document := new(Doc[T])
	if err := unmarshalInto(json, reflect.ValueOf(document).Elem()); err != nil {
		return nil, fmt.Errorf("reading the document %s: %w", id, err)
	}
	return document, nil
}

func getMany[T any](table string, ids []ID[T]) ([]*Doc[T], error) {
	list, err := Marshal(ids)
	if err != nil {
		return nil, err
	}
	json, failed := abi.GetMany(table, list)
	if failed != nil {
		return nil, fromHost(failed)
	}
	var documents []*Doc[T]
	if err := unmarshalInto(json, reflect.ValueOf(&documents).Elem()); err != nil {
		return nil, fmt.Errorf("reading documents: %w", err)
	}
	return documents, nil
}

// NormalizeID gives an id in its canonical form if it is one of this table's,
// whether or not the document exists.
func (table Table[T]) NormalizeID(_ Reader, id string) (ID[T], bool) {
	canonical, ok := abi.NormalizeID(table.name, id)
	return ID[T](canonical), ok
}

// Query begins a query of the table; nothing is read before one of the methods
// that end it: [TableQuery.Take], [TableQuery.Collect], [TableQuery.First], [TableQuery.Unique],
// [TableQuery.All], [TableQuery.Paginate], [TableQuery.Count].
func (table Table[T]) Query(_ Reader) *TableQuery[T] {
	return &TableQuery[T]{table: table.name, err: refuseSystem(table.name)}
}

// Insert adds a document and gives its id.
func (table Table[T]) Insert(_ *MutationCtx, value T) (ID[T], error) {
	json, err := Marshal(value)
	if err != nil {
		return "", err
	}
	id, failed := abi.Insert(table.name, json)
	return ID[T](id), fromHost(failed)
}

// Patch sets some fields of a document and leaves the others as they are. Fields
// is a weir.Object, where [Undefined] removes a field, or any struct, of which
// those that are missing are left as they are. An id of another table is an error.
func (table Table[T]) Patch(_ *MutationCtx, id ID[T], fields any) error {
	return patch(table.name, id, fields)
}

// Replace puts another value in the place of a document's; its id and creation
// time stay. An id of another table is an error.
func (table Table[T]) Replace(_ *MutationCtx, id ID[T], value T) error {
	return replace(table.name, id, value)
}

// Delete removes a document. An id of another table is an error.
func (table Table[T]) Delete(_ *MutationCtx, id ID[T]) error {
	return fromHost(abi.Delete(table.name, string(id)))
}

// Patch sets some fields of a document, of whichever table: see [Table.Patch].
func Patch[T any](_ *MutationCtx, id ID[T], fields any) error {
	return patch("", id, fields)
}

// Replace puts another value in the place of a document's, of whichever table.
func Replace[T any](_ *MutationCtx, id ID[T], value T) error {
	return replace("", id, value)
}

// Delete removes a document, of whichever table.
func Delete[T any](_ *MutationCtx, id ID[T]) error {
	return fromHost(abi.Delete("", string(id)))
}

func patch[T any](table string, id ID[T], fields any) error {
	json, err := Marshal(fields)
	if err != nil {
		return err
	}
	return fromHost(abi.Patch(table, string(id), json))
}

func replace[T any](table string, id ID[T], value T) error {
	json, err := Marshal(value)
	if err != nil {
		return err
	}
	return fromHost(abi.Replace(table, string(id), json))
}
