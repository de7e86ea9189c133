package weir

import (
	"fmt"
	"iter"
	"reflect"
	"strconv"

	"weir.dev/go/internal/abi"
	"weir.dev/go/internal/json"
)

// Order is the order of a query's documents, by the index that it reads.
type Order uint8

const (
	// Asc is the lowest first: with by_creation_time, the oldest.
	Asc Order = iota
	// Desc is the highest first: with by_creation_time, the newest.
	Desc
)

// TableQuery is a query of one table that has not been asked yet. By itself it
// gives all documents, the oldest first.
type TableQuery[T any] struct {
	table  string
	index  string
	bounds []Bound
	filter *Expression
	order  Order
	// err is what is wrong with it, told when it is asked.
	err error
}

// By reads an index that [Table.Index] declared, in its order, or a range of it:
// .By(byTeam.Eq("red").Gte(5)).
func (query *TableQuery[T]) By(index Index[T]) *TableQuery[T] {
	query.index, query.bounds = index.name, index.bounds
	return query
}

// WithIndex reads an index by its name, in its order, or a range of it, whose bounds
// say which field they are on: .WithIndex("by_team", weir.Eq("red").On("team")). The
// host says if they are not the fields of the index, in its order.
func (query *TableQuery[T]) WithIndex(name string, bounds ...Bound) *TableQuery[T] {
	query.index, query.bounds = name, bounds
	return query
}

// ByCreationTime reads a range of creation times, in milliseconds since the
// epoch: .ByCreationTime(weir.Gte(start), weir.Lt(end)).
func (query *TableQuery[T]) ByCreationTime(bounds ...Bound) *TableQuery[T] {
	return query.WithIndex("by_creation_time", on(creationTimeField, bounds)...)
}

// ByID reads a range of ids, in the order of their texts: .ByID(weir.Gt(last)).
func (query *TableQuery[T]) ByID(bounds ...Bound) *TableQuery[T] {
	return query.WithIndex("by_id", on(idField, bounds)...)
}

// Order sets the order; without it, [Asc].
func (query *TableQuery[T]) Order(order Order) *TableQuery[T] {
	query.order = order
	return query
}

// Filter leaves out the documents for which the condition does not hold; they
// count as read: .Filter(weir.Field("user").Eq("ada")). Where there are several,
// all must hold.
func (query *TableQuery[T]) Filter(condition Expression) *TableQuery[T] {
	if query.filter != nil {
		condition = query.filter.And(condition)
	}
	query.filter = &condition
	return query
}

// Take gives the first documents, at most so many.
func (query *TableQuery[T]) Take(limit int) ([]Doc[T], error) {
	if limit < 0 {
		return nil, fmt.Errorf("a query takes 0 documents or more, not %d", limit)
	}
	return query.all(limit)
}

// Collect gives all documents. Mind that a call can read only so many.
func (query *TableQuery[T]) Collect() ([]Doc[T], error) {
	return query.all(-1)
}

// First gives the first document; nil when there is none.
func (query *TableQuery[T]) First() (*Doc[T], error) {
	documents, err := query.all(1)
	if err != nil || len(documents) == 0 {
		return nil, err
	}
	return &documents[0], nil
}

// Unique gives the only document; nil when there is none, and an error when there
// are several.
func (query *TableQuery[T]) Unique() (*Doc[T], error) {
	documents, err := query.all(2)
	switch {
	case err != nil || len(documents) == 0:
		return nil, err
	case len(documents) > 1:
		// The same words in every language.
		return nil, fmt.Errorf("unique() query returned more than one result from table %s:\n [%s, %s, ...]",
			query.table, documents[0].ID, documents[1].ID)
	}
	return &documents[0], nil
}

// Paginate gives one page of the documents. The options are a client's
// paginationOpts, as usePaginatedQuery gives them, or [FirstPage]. A function reads one
// page. A cursor of another query ends the call.
func (query *TableQuery[T]) Paginate(options PaginationOptions) (PaginationResult[T], error) {
	var result PaginationResult[T]
	plan, err := query.plan(-1)
	if err != nil {
		return result, err
	}
	wanted, err := Marshal(options)
	if err != nil {
		return result, err
	}
	page, failed := abi.Page(plan, wanted)
	if failed != nil {
		return result, fromHost(failed)
	}
	if err := unmarshalInto(page, reflect.ValueOf(&result).Elem()); err != nil {
		return result, fmt.Errorf("reading documents of `%s`: %w", query.table, err)
	}
	return result, nil
}

// Count tells how many documents there are: of a table in constant time, of a range of
// an index by its entries, each of which counts as a document read. The documents
// themselves are not read. A query with a filter cannot be counted.
func (query *TableQuery[T]) Count() (int, error) {
	plan, err := query.plan(-1)
	if err != nil {
		return 0, err
	}
	count, failed := abi.Count(plan)
	return int(count), fromHost(failed)
}

// All gives the documents one by one, and an error at most once, at the end. They
// come from the host in batches, so that one can stop early without having read all:
//
//	for message, err := range messages.Query(ctx).All() {
func (query *TableQuery[T]) All() iter.Seq2[Doc[T], error] {
	return func(yield func(Doc[T], error) bool) {
		rows := rows{query: query.begin(-1)}
		defer rows.close()
		for rows.next() {
			var documents []Doc[T]
			if err := query.read(rows.batch, &documents); err != nil {
				yield(Doc[T]{}, err)
				return
			}
			for _, document := range documents {
				if !yield(document, nil) {
					return
				}
			}
		}
		if rows.err != nil {
			yield(Doc[T]{}, rows.err)
		}
	}
}

func (query *TableQuery[T]) all(limit int) ([]Doc[T], error) {
	all := []Doc[T]{}
	rows := rows{query: query.begin(limit)}
	defer rows.close()
	for rows.next() {
		var documents []Doc[T]
		if err := query.read(rows.batch, &documents); err != nil {
			return nil, err
		}
		if len(all) == 0 {
			all = documents
		} else {
			all = append(all, documents...)
		}
	}
	return all, rows.err
}

func (query *TableQuery[T]) read(batch abi.Batch, documents *[]Doc[T]) error {
	if err := unmarshalInto(batch.Documents, reflect.ValueOf(documents).Elem()); err != nil {
		return fmt.Errorf("reading documents of `%s`: %w", query.table, err)
	}
	return nil
}

// begin gives what asks the host for the first batch.
func (query *TableQuery[T]) begin(limit int) func() (abi.Batch, error) {
	return func() (abi.Batch, error) {
		plan, err := query.plan(limit)
		if err != nil {
			return abi.Batch{}, err
		}
		batch, failed := abi.Query(plan)
		return batch, fromHost(failed)
	}
}

// plan is the query as the host takes it.
func (query *TableQuery[T]) plan(limit int) ([]byte, error) {
	if query.err != nil {
		return nil, query.err
	}
	plan := append(make([]byte, 0, 128), `{"table":`...)
	plan = json.AppendString(plan, query.table)
	if query.index != "" {
		plan = json.AppendString(append(plan, `,"index":`...), query.index)
	}
	plan, err := appendRange(plan, query.bounds)
	if err != nil {
		return nil, err
	}
	if query.order == Desc {
		plan = append(plan, `,"order":"desc"`...)
	}
	if query.filter != nil {
		if query.filter.err != nil {
			return nil, query.filter.err
		}
		plan = append(append(plan, `,"filter":`...), query.filter.json...)
	}
	if limit >= 0 {
		plan = strconv.AppendInt(append(plan, `,"limit":`...), int64(limit), 10)
	}
	return append(plan, '}'), nil
}

// rows are the batches of a query, as they come.
type rows struct {
	query func() (abi.Batch, error)
	began bool
	batch abi.Batch
	err   error
}

// next gets the next batch, if there is one.
func (rows *rows) next() bool {
	switch {
	case !rows.began:
		rows.began = true
		rows.batch, rows.err = rows.query()
	case rows.batch.HasMore:
		batch, err := abi.QueryNext(rows.batch.Cursor)
		rows.batch, rows.err = batch, fromHost(err)
	default:
		return false
	}
	return rows.err == nil
}

func (rows *rows) close() {
	if rows.batch.HasMore {
		abi.QueryClose(rows.batch.Cursor)
	}
}
