package main

import (
	"math"
	stdtime "time"

	"weir.dev/go"
)

func init() {
	weir.Query("users:claim", claim)
	weir.Query("users:mine", mine)
	weir.Mutation("users:sign", sign)
	weir.Mutation("users:signTyped", signTyped)
	weir.Mutation("users:trySign", trySign)
	weir.Query("users:signInQuery", signInQuery)
}

// claim gives a claim of the caller's; nil if there is none, or nobody in particular
// calls.
func claim(ctx *weir.QueryCtx, args struct {
	Name string `json:"name"`
}) (weir.Value, error) {
	identity := ctx.Identity()
	if identity == nil {
		return nil, nil
	}
	value, _ := identity.Claim(args.Name)
	return value, nil
}

// mine tells how many notes have the caller's subject for a title; -1 for nobody in
// particular.
func mine(ctx *weir.QueryCtx) (int, error) {
	identity := ctx.Identity()
	if identity == nil {
		return -1, nil
	}
	all, err := notes.Query(ctx).Collect()
	found := 0
	for _, note := range all {
		if note.Value.Title == identity.Subject() {
			found++
		}
	}
	return found, err
}

type toSign struct {
	Claims  weir.Value `json:"claims"`
	Seconds float64    `json:"seconds"`
}

func (args toSign) lifetime() stdtime.Duration {
	return stdtime.Duration(math.Round(args.Seconds * float64(stdtime.Second)))
}

func sign(ctx *weir.MutationCtx, args toSign) (string, error) {
	return ctx.SignJWT(args.Claims, args.lifetime())
}

// member is what is signed for a member of a team.
type member struct {
	Sub   string                `json:"sub"`
	Seats int64                 `json:"seats"`
	Share float64               `json:"share"`
	Tags  []string              `json:"tags"`
	Note  weir.Optional[string] `json:"note"`
}

func signTyped(ctx *weir.MutationCtx, args struct {
	Subject string `json:"subject"`
	Seats   int64  `json:"seats"`
}) (string, error) {
	tags := []string{"a", "é 😀 \"x\""}
	return ctx.SignJWT(member{Sub: args.Subject, Seats: args.Seats, Share: 2, Tags: tags}, stdtime.Minute)
}

// trySign tries to sign; gives `fine`, or what the host said against it. The call goes
// on either way.
func trySign(ctx *weir.MutationCtx, args toSign) (string, error) {
	_, err := ctx.SignJWT(args.Claims, args.lifetime())
	return tried(err), nil
}

// signInQuery does the same from a query, past what the types allow.
func signInQuery(ctx *weir.QueryCtx) (string, error) {
	forged := &weir.MutationCtx{QueryCtx: ctx}
	_, err := forged.SignJWT(weir.Object{"sub": "ada"}, stdtime.Minute)
	return tried(err), nil
}

func tried(err error) string {
	if err == nil {
		return "fine"
	}
	return told(err)
}
