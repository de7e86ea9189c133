package weir

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"weir.dev/go/internal/json"
)

// TableOption says how a table is named by [NewTable].
type TableOption uint8

// Undeclared leaves a table out of the module's schema: another module declares it, or
// its documents are to be checked against nothing.
const Undeclared TableOption = 1

// declaration is a table of the module's schema.
type declaration struct {
	held    reflect.Type
	indexes []declaredIndex
}

type declaredIndex struct {
	name   string
	fields []string
	staged bool
}

var declared = map[string]*declaration{}

// isBuilt tells that the module's variables and init functions are done: a table that
// is named later, in a call, is in no schema.
var isBuilt bool

func declare(table string, held reflect.Type) *declaration {
	if isBuilt {
		return nil
	}
	found, ok := declared[table]
	if !ok {
		found = &declaration{held: held}
		declared[table] = found
	} else if found.held != held {
		panic(fmt.Sprintf("weir: the table %s is declared with %v and with %v; name it with weir.Undeclared "+
			"where it is only read", table, found.held, held))
	}
	return found
}

// Index declares an index of the table, on fields as JSON names them, or fields within
// them, such as meta.owner; the creation time follows by itself. As a rule it stands in
// a package variable:
//
//	var byTeam = tasks.Index("by_team", "team", "rank")
//
// It panics if T has no such fields.
func (table Table[T]) Index(name string, fields ...string) Index[T] {
	table.addIndex(declaredIndex{name: name, fields: fields})
	return Index[T]{name: name, fields: append(slices.Clone(fields), creationTimeField)}
}

// StagedIndex declares an index that is built and cannot be read yet, so that a large
// table has it before functions need it: make an [Table.Index] of it then.
func (table Table[T]) StagedIndex(name string, fields ...string) {
	table.addIndex(declaredIndex{name: name, fields: fields, staged: true})
}

func (table Table[T]) addIndex(made declaredIndex) {
	held := reflect.TypeFor[T]()
	if isBuilt {
		panic(fmt.Sprintf("weir: declare the index %s where the module's variables are, not in a call", made.name))
	}
	found := declare(table.name, held)
	refuse := func(why string) {
		panic(fmt.Sprintf("weir: the index %s of the table %s: %s", made.name, table.name, why))
	}
	if slices.ContainsFunc(found.indexes, func(other declaredIndex) bool { return other.name == made.name }) {
		refuse("there are two of this name")
	}
	if len(made.fields) == 0 {
		refuse("name at least one field")
	}
	for _, path := range made.fields {
		if path == creationTimeField {
			refuse("`_creationTime` is the last field of every index: leave it out")
		}
		if !hasField(held, path) {
			refuse(fmt.Sprintf("%v has no field `%s`", held, path))
		}
	}
	found.indexes = append(found.indexes, made)
}

// hasField tells whether a value of a type can have something at a path, with dots.
func hasField(t reflect.Type, path string) bool {
	switch {
	case t.Kind() == reflect.Pointer:
		return hasField(t.Elem(), path)
	case t.Kind() == reflect.Interface:
		return true
	case (t.Implements(maybeType) || t.Implements(orNullType)) && t.Kind() == reflect.Struct:
		return hasField(t.Field(0).Type, path)
	}
	first, rest, goesOn := strings.Cut(path, ".")
	switch t.Kind() {
	case reflect.Map:
		return !goesOn || hasField(t.Elem(), rest)
	case reflect.Struct:
		// That there are fields was found out when the codec was made.
		fields, _ := fieldsOf(t)
		return slices.ContainsFunc(fields, func(field field) bool {
			return field.name == first && (!goesOn || hasField(field.held, rest))
		})
	}
	return false
}

// schema describes the declared tables, in the order of their names, if there are any.
func (describer *describer) schema() {
	if len(declared) == 0 {
		return
	}
	describer.text(`,"schema":{"schemaValidation":true,"tables":[`)
	for i, name := range slices.Sorted(maps.Keys(declared)) {
		if i > 0 {
			describer.text(`,`)
		}
		table := declared[name]
		describer.text(`{"tableName":`)
		describer.out = json.AppendString(describer.out, name)
		describer.text(`,"indexes":`)
		describer.indexes(table, false)
		describer.text(`,"stagedDbIndexes":`)
		describer.indexes(table, true)
		describer.text(`,"documentType":`)
		if table.held.Kind() == reflect.Struct {
			describer.validator(table.held)
		} else {
			describer.named("any")
		}
		describer.text(`}`)
	}
	describer.text(`]}`)
}

func (describer *describer) indexes(table *declaration, staged bool) {
	describer.text(`[`)
	comma := ``
	for _, index := range table.indexes {
		if index.staged != staged {
			continue
		}
		describer.text(comma + `{"indexDescriptor":`)
		comma = `,`
		describer.out = json.AppendString(describer.out, index.name)
		describer.text(`,"fields":[`)
		for i, field := range index.fields {
			if i > 0 {
				describer.text(`,`)
			}
			describer.out = json.AppendString(describer.out, field)
		}
		describer.text(`]}`)
	}
	describer.text(`]`)
}
