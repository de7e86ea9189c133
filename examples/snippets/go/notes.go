// The snippets that the SDK's page shows.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"weir.dev/go"
)

// Note is a document of the table notes.
type Note struct {
	Author string              `json:"author"`
	Text   string              `json:"text"`
	Stars  float64             `json:"stars"`
	Pinned weir.Optional[bool] `json:"pinned"`
}

var (
	notes    = weir.NewTable[Note]("notes")
	byAuthor = notes.Index("by_author", "author", "stars")
)

// NotYours is what a client gets when a note is not its own.
type NotYours struct {
	Code   string `json:"code"`
	Author string `json:"author"`
}

type leastArgs struct {
	Least float64 `json:"least"`
}

type byArgs struct {
	Author string  `json:"author"`
	Least  float64 `json:"least"`
}

type authorArgs struct {
	Author string `json:"author"`
}

type pageArgs struct {
	PaginationOpts weir.PaginationOptions `json:"paginationOpts"`
}

type roomArgs struct {
	Room string `json:"room"`
}

type noteArgs struct {
	ID weir.ID[Note] `json:"id"`
}

type jobArgs struct {
	Job weir.ID[weir.ScheduledFunction] `json:"job"`
}

type textArgs struct {
	Author string `json:"author"`
	Text   string `json:"text"`
}

type changeArgs struct {
	Hash string `json:"hash"`
	Old  string `json:"old"`
	Next string `json:"next"`
}

type rewriteArgs struct {
	ID     weir.ID[Note] `json:"id"`
	Author string        `json:"author"`
	Text   string        `json:"text"`
}

type pinArgs struct {
	ID     weir.ID[Note] `json:"id"`
	Author string        `json:"author"`
}

func init() {
	weir.Query("notes:latest", latest)
	weir.Query("notes:read", read)
	weir.Query("notes:starred", starred)
	weir.Query("notes:by", by)
	weir.Query("notes:countBy", countBy)
	weir.Query("notes:page", page)
	weir.Mutation("notes:write", write)
	weir.Mutation("notes:star", star)
	weir.Mutation("notes:rewrite", rewrite)
	weir.Mutation("notes:remove", remove)
	weir.Mutation("notes:pin", pin)
	weir.Mutation("notes:writeAndStar", writeAndStar)
	weir.Mutation("notes:writeFortune", writeFortune)
	weir.Query("notes:motto", motto)
	weir.Query("notes:mine", mine)
	weir.Mutation("notes:badge", badge)
	weir.Mutation("notes:changePassword", changePassword)
	weir.Mutation("notes:removeLater", removeLater)
	weir.Mutation("notes:keep", keep)
	weir.Action("notes:clip", clip)
	weir.Action("notes:clipBoth", clipBoth)
	weir.HTTPAction("notes:receive", "POST /notes", receive)
	weir.Mutation("notes:upload", upload)
	weir.Query("notes:picture", picture)
	weir.Action("notes:savePage", savePage)
}

func latest(ctx *weir.QueryCtx) ([]weir.Doc[Note], error) {
	return notes.Query(ctx).Order(weir.Desc).Take(10)
}

func write(ctx *weir.MutationCtx, args textArgs) (weir.ID[Note], error) {
	return notes.Insert(ctx, Note{Author: args.Author, Text: args.Text})
}

func read(ctx *weir.QueryCtx, args noteArgs) (*weir.Doc[Note], error) {
	return notes.Get(ctx, args.ID)
}

func starred(ctx *weir.QueryCtx, args leastArgs) ([]weir.Doc[Note], error) {
	return notes.Query(ctx).Order(weir.Desc).Filter(weir.Field("stars").Gte(args.Least)).Take(20)
}

func by(ctx *weir.QueryCtx, args byArgs) ([]weir.Doc[Note], error) {
	return notes.Query(ctx).By(byAuthor.Eq(args.Author).Gte(args.Least)).Collect()
}

func countBy(ctx *weir.QueryCtx, args authorArgs) (int, error) {
	return notes.Query(ctx).By(byAuthor.Eq(args.Author)).Count()
}

func page(ctx *weir.QueryCtx, args pageArgs) (weir.PaginationResult[Note], error) {
	return notes.Query(ctx).Order(weir.Desc).Paginate(args.PaginationOpts)
}

func star(ctx *weir.MutationCtx, args noteArgs) error {
	note, err := noteOf(ctx, args.ID)
	if err != nil {
		return err
	}
	return notes.Patch(ctx, args.ID, weir.Object{"stars": note.Value.Stars + 1})
}

func rewrite(ctx *weir.MutationCtx, args rewriteArgs) error {
	return notes.Replace(ctx, args.ID, Note{Author: args.Author, Text: args.Text})
}

func remove(ctx *weir.MutationCtx, args noteArgs) error {
	return notes.Delete(ctx, args.ID)
}

func pin(ctx *weir.MutationCtx, args pinArgs) error {
	note, err := noteOf(ctx, args.ID)
	if err != nil {
		return err
	}
	if note.Value.Author != args.Author {
		return weir.AppError(NotYours{Code: "NotYours", Author: note.Value.Author})
	}
	return notes.Patch(ctx, args.ID, weir.Object{"pinned": true})
}

func writeAndStar(ctx *weir.MutationCtx, args textArgs) (weir.ID[Note], error) {
	id, err := weir.RunMutation[weir.ID[Note]](ctx, "notes:write", args)
	if err != nil {
		return "", err
	}
	_, err = weir.RunMutation[any](ctx, "notes:star", noteArgs{id})
	return id, err
}

func writeFortune(ctx *weir.MutationCtx) (weir.ID[Note], error) {
	number := math.Floor(ctx.Random() * 100)
	weir.Logf("fortune %v at %v", number, ctx.Now())
	text := fmt.Sprintf("Your number is %v.", number)
	return notes.Insert(ctx, Note{Author: "fortune", Text: text})
}

func motto(ctx *weir.QueryCtx) (string, error) {
	if text, ok := ctx.Env("MOTTO"); ok {
		return text, nil
	}
	return "Write it down.", nil
}

func mine(ctx *weir.QueryCtx) ([]weir.Doc[Note], error) {
	user := ctx.Identity()
	if user == nil {
		return nil, nil
	}
	return notes.Query(ctx).By(byAuthor.Eq(user.Subject())).Collect()
}

func badge(ctx *weir.MutationCtx, args roomArgs) (string, error) {
	user := ctx.Identity()
	if user == nil {
		return "", errors.New("sign in first")
	}
	claims := weir.Object{"sub": user.Subject(), "room": args.Room}
	return ctx.SignJWT(claims, 5*time.Minute)
}

func changePassword(ctx *weir.MutationCtx, args changeArgs) (string, error) {
	isRight, err := ctx.VerifyPassword(args.Old, args.Hash)
	if err != nil {
		return "", err
	}
	if !isRight {
		return "", errors.New("this is not the password")
	}
	return ctx.HashPassword(args.Next)
}

func removeLater(ctx *weir.MutationCtx, args noteArgs) (weir.ID[weir.ScheduledFunction], error) {
	return ctx.Scheduler.RunAfter(time.Hour, "notes:remove", args)
}

func keep(ctx *weir.MutationCtx, args jobArgs) error {
	return ctx.Scheduler.Cancel(args.Job)
}

type clipArgs struct {
	URL string `json:"url"`
}

type clipBothArgs struct {
	First  string `json:"first"`
	Second string `json:"second"`
}

type sentNote struct {
	Author string `json:"author"`
	Text   string `json:"text"`
}

func clip(ctx *weir.ActionCtx, args clipArgs) (weir.ID[Note], error) {
	page, err := ctx.Fetch(&weir.Request{URL: args.URL})
	if err != nil {
		return "", err
	}
	if !page.OK() {
		return "", fmt.Errorf("%s answers %d", args.URL, page.Status)
	}
	text, err := page.Text()
	if err != nil {
		return "", err
	}
	return weir.RunMutation[weir.ID[Note]](ctx, "notes:write", sentNote{args.URL, text})
}

func clipBoth(ctx *weir.ActionCtx, args clipBothArgs) ([]weir.ID[Note], error) {
	ids, errs := make([]weir.ID[Note], 2), make([]error, 2)
	var clips sync.WaitGroup
	for i, url := range []string{args.First, args.Second} {
		clips.Add(1)
		go func() {
			defer clips.Done()
			ids[i], errs[i] = clip(ctx, clipArgs{url})
		}()
	}
	clips.Wait()
	return ids, errors.Join(errs...)
}

func receive(ctx *weir.ActionCtx, request *weir.Request) (*weir.Response, error) {
	var note sentNote
	if err := request.JSON(&note); err != nil {
		return weir.Text(400, "send an author and a text as JSON"), nil
	}
	id, err := weir.RunMutation[weir.ID[Note]](ctx, "notes:write", note)
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(map[string]weir.ID[Note]{"id": id})
	return weir.JSON(201, answer), err
}

func upload(ctx *weir.MutationCtx) (string, error) {
	return ctx.Storage.GenerateUploadURL()
}

type fileArgs struct {
	File weir.ID[weir.StoredFile] `json:"file"`
}

func picture(ctx *weir.QueryCtx, args fileArgs) (string, error) {
	return ctx.Storage.GetURL(args.File)
}

func savePage(ctx *weir.ActionCtx, args clipArgs) (weir.ID[weir.StoredFile], error) {
	page, err := ctx.Fetch(&weir.Request{URL: args.URL})
	if err != nil {
		return "", err
	}
	return ctx.Storage.Store(&weir.NewFile{ContentType: "text/html", Body: page.Body})
}

func noteOf(ctx weir.Reader, id weir.ID[Note]) (*weir.Doc[Note], error) {
	note, err := notes.Get(ctx, id)
	if err == nil && note == nil {
		err = errors.New("there is no such note")
	}
	return note, err
}

func main() {}
