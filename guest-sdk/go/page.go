package weir

// PageStatus tells whether a page should be read as two.
type PageStatus string

// The reasons to read a page as two.
const (
	// SplitRecommended: it is long.
	SplitRecommended PageStatus = "SplitRecommended"
	// SplitRequired: it is too long to be read to its end.
	SplitRequired PageStatus = "SplitRequired"
)

// Literals gives all reasons.
func (PageStatus) Literals() []string {
	return []string{string(SplitRecommended), string(SplitRequired)}
}

// PaginationOptions says which page of a query is wanted: a client's paginationOpts.
type PaginationOptions struct {
	// NumItems is how many documents a page has at most. A live page grows and shrinks
	// with what is written into it.
	NumItems float64 `json:"numItems"`
	// Cursor is where the page begins: the ContinueCursor of the one before; null for the first.
	Cursor Nullable[string] `json:"cursor"`
	// EndCursor is where the page ends, instead of after so many documents.
	EndCursor Optional[Nullable[string]] `json:"endCursor"`
	// ID is the number that clients give the pages of one list.
	ID Optional[float64] `json:"id"`
	// MaximumRowsRead is after how many documents read the page ends, whether or not
	// the filter dropped them.
	MaximumRowsRead Optional[float64] `json:"maximumRowsRead"`
	// MaximumBytesRead is after how many bytes read the page ends.
	MaximumBytesRead Optional[float64] `json:"maximumBytesRead"`
}

// FirstPage is the first page, of so many documents.
func FirstPage(numItems int) PaginationOptions {
	return PaginationOptions{NumItems: float64(numItems)}
}

// After is the page from a cursor on.
func (options PaginationOptions) After(cursor string) PaginationOptions {
	options.Cursor = NotNull(cursor)
	return options
}

// PaginationResult is a page of documents, as usePaginatedQuery takes it.
type PaginationResult[T any] struct {
	// Page is the documents, in the query's order.
	Page []Doc[T] `json:"page"`
	// IsDone tells whether this is the last page.
	IsDone bool `json:"isDone"`
	// ContinueCursor is where the next page begins.
	ContinueCursor string `json:"continueCursor"`
	// SplitCursor is where the page can be split in two.
	SplitCursor Nullable[string] `json:"splitCursor"`
	// PageStatus tells whether it should be.
	PageStatus Nullable[PageStatus] `json:"pageStatus"`
}
