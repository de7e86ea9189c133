package main

import "weir.dev/go"

// Note is a document of the table notes.
type Note struct {
	Title  string                `json:"title"`
	Count  float64               `json:"count"`
	Big    int64                 `json:"big"`
	Done   bool                  `json:"done"`
	Data   []byte                `json:"data"`
	Tags   []string              `json:"tags"`
	Place  Place                 `json:"place"`
	Extra  weir.Optional[string] `json:"extra"`
	Parent weir.Optional[noteID] `json:"parent"`
}

// Place is where a note belongs.
type Place struct {
	X    float64               `json:"x"`
	Name weir.Optional[string] `json:"name"`
}

type noteID = weir.ID[Note]

var notes = weir.NewTable[Note]("notes")

func init() {
	weir.Mutation("docs:insert", insertNote)
	weir.Query("docs:get", getNote)
	weir.Query("docs:list", listNotes)
	weir.Mutation("docs:patch", patchNote)
	weir.Mutation("docs:replace", replaceNote)
	weir.Mutation("docs:remove", removeNote)
}

type byID struct {
	ID noteID `json:"id"`
}

func insertNote(ctx *weir.MutationCtx, args struct {
	Note Note `json:"note"`
}) (noteID, error) {
	return notes.Insert(ctx, args.Note)
}

func getNote(ctx *weir.QueryCtx, args byID) (*weir.Doc[Note], error) {
	return notes.Get(ctx, args.ID)
}

func listNotes(ctx *weir.QueryCtx) ([]weir.Doc[Note], error) {
	return notes.Query(ctx).Collect()
}

// patchNote sets the fields that are given, and removes `extra` if asked to.
func patchNote(ctx *weir.MutationCtx, args struct {
	byID
	Title       weir.Optional[string]  `json:"title"`
	Count       weir.Optional[float64] `json:"count"`
	RemoveExtra bool                   `json:"removeExtra"`
}) error {
	changes := weir.Object{}
	if title, ok := args.Title.Get(); ok {
		changes["title"] = title
	}
	if count, ok := args.Count.Get(); ok {
		changes["count"] = count
	}
	if args.RemoveExtra {
		changes["extra"] = weir.Undefined
	}
	return notes.Patch(ctx, args.ID, changes)
}

func replaceNote(ctx *weir.MutationCtx, args struct {
	byID
	Note Note `json:"note"`
}) error {
	return notes.Replace(ctx, args.ID, args.Note)
}

func removeNote(ctx *weir.MutationCtx, args byID) error {
	return notes.Delete(ctx, args.ID)
}
