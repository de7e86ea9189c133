package weir

import (
	"fmt"
	"strings"
)

// SystemTable is one of the host's own tables: _indexes, _deployments, _storage,
// _scheduled_functions. It can be read.
type SystemTable[T any] struct {
	name string
}

// NewSystemTable names one of the host's own tables:
//
//	var indexes = weir.NewSystemTable[weir.Object]("_indexes")
func NewSystemTable[T any](name string) SystemTable[T] {
	return SystemTable[T]{name: NewTable[T](name, Undeclared).name}
}

// Get gives the document with this id; nil when there is none.
func (table SystemTable[T]) Get(_ Reader, id ID[T]) (*Doc[T], error) {
	if err := table.check(); err != nil {
		return nil, err
	}
	return get(table.name, id)
}

// Query begins a query of the table.
func (table SystemTable[T]) Query(_ Reader) *TableQuery[T] {
	return &TableQuery[T]{table: table.name, err: table.check()}
}

func (table SystemTable[T]) check() error {
	if isSystem(table.name) {
		return nil
	}
	return fmt.Errorf("`%s` is not a system table: read it as one of the app's own.", table.name)
}

func isSystem(table string) bool {
	return strings.HasPrefix(table, "_")
}

// refuseSystem says that a system table is read as one, if this is one. The words are
// the same in every language.
func refuseSystem(table string) error {
	if !isSystem(table) {
		return nil
	}
	return fmt.Errorf("`%s` is one of the host's own tables: read it as a system table.", table)
}
