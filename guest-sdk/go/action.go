package weir

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"weir.dev/go/internal/abi"
)

// ActionCtx is the first parameter of an action. It has no database: an action reads and
// writes by calling queries and mutations, each a transaction of its own. Its methods, and
// RunQuery, RunMutation and RunAction, wait for what they ask for; goroutines wait at the same
// time.
type ActionCtx struct {
	*callCtx
	// context ends what is waited for; nil: nothing does.
	context context.Context
	// Scheduler has functions called later. From an action each call is done at once, and
	// durable.
	Scheduler Scheduler
	// Storage stores, reads and deletes files.
	Storage StorageActionWriter
}

func newActionCtx() *ActionCtx { return &ActionCtx{callCtx: &callCtx{}} }

// Context gives the context that ends what is waited for: that of WithContext, else
// context.Background(). It is a parent for others.
func (ctx *ActionCtx) Context() context.Context {
	if ctx.context == nil {
		return context.Background()
	}
	return ctx.context
}

// WithContext is the same action, which waits no longer than until this context is done: then the
// call fails with the context's error, and what it waited for is given up. A request is broken off,
// and so is the body of its response, whoever reads it; a mutation that has begun may still be
// committed, and an action that was called may have done anything.
//
//	soon, cancel := context.WithTimeout(ctx.Context(), 2*time.Second)
//	defer cancel()
//	page, err := ctx.WithContext(soon).Fetch(&weir.Request{URL: url})
//
// Panics if c is nil, as net/http does.
func (ctx *ActionCtx) WithContext(c context.Context) *ActionCtx {
	if c == nil {
		panic("weir: WithContext of a nil context")
	}
	within := *ctx
	within.context = c
	within.Storage.context = c
	return &within
}

// Action registers an action, which every client can run. It is as a query, with an
// *ActionCtx.
func Action(path string, body any) {
	register(actionOf(path, "public"), body)
}

// InternalAction registers an action that only other functions can run.
func InternalAction(path string, body any) {
	register(actionOf(path, "internal"), body)
}

func actionOf(path, visibility string) function {
	return function{
		path: path, kind: "action", visibility: visibility, ctx: reflect.TypeFor[*ActionCtx](),
		newCtx: func() reflect.Value { return reflect.ValueOf(newActionCtx()) },
	}
}

// HTTPAction registers a function that answers HTTP requests. The pattern is that of net/http:
// "POST /hook" for one path, "GET /files/" for all that begin so, "GET /{$}" for the path that
// ends there. The method is one of DELETE, GET (which answers HEAD too), OPTIONS, PATCH, POST
// and PUT. To be called in an init function; panics if the path or the route is taken.
//
//	weir.HTTPAction("http:hook", "POST /hook", func(ctx *weir.ActionCtx, request *weir.Request) (*weir.Response, error) {
//		...
//	})
func HTTPAction(path, pattern string, body func(*ActionCtx, *Request) (*Response, error)) {
	made := function{path: path, kind: "httpAction", visibility: "public"}
	if body == nil {
		panic(fmt.Sprintf("weir: the httpAction `%s` is no function", path))
	}
	route, err := parsePattern(pattern)
	if err != nil {
		panic(fmt.Sprintf("weir: the httpAction `%s` %v", path, err))
	}
	for _, other := range functions {
		if other.route != nil && *other.route == route {
			panic(fmt.Sprintf("weir: `%s` and `%s` answer the same requests, %s", other.path, path, pattern))
		}
	}
	made.route = &route
	made.answer = func(args []byte) error { return serve(args, body) }
	add(made)
}

// route says which requests an HTTP action answers.
type route struct {
	method, path string
	isPrefix     bool
}

var methods = []string{"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"}

func parsePattern(pattern string) (route, error) {
	form := fmt.Errorf("has the pattern %q; it must be a method and a path, as in \"POST /hook\" or \"GET /files/\", "+
		"and the method one of %s", pattern, strings.Join(methods, ", "))
	method, path, ok := strings.Cut(pattern, " ")
	if !ok || !strings.HasPrefix(path, "/") || strings.Contains(path, " ") {
		return route{}, form
	}
	for _, known := range methods {
		if method == known {
			exact, isExact := strings.CutSuffix(path, "{$}")
			if strings.ContainsAny(exact, "{}") {
				return route{}, form
			}
			return route{method, exact, !isExact && strings.HasSuffix(path, "/")}, nil
		}
	}
	return route{}, form
}

// RunAction runs another action of this deployment, of any module and language. Within one
// language a plain function does without it.
func RunAction[R any](ctx *ActionCtx, path string, args any) (R, error) {
	return nested[R](ctx.runAction, path, args)
}

func (ctx *ActionCtx) runQuery(path string, args []byte) ([]byte, error) {
	return finish(ctx.context, func() (uint32, *abi.Error) { return abi.BeginQuery(path, args) })
}

func (ctx *ActionCtx) runMutation(path string, args []byte) ([]byte, error) {
	return finish(ctx.context, func() (uint32, *abi.Error) { return abi.BeginMutation(path, args) })
}

func (ctx *ActionCtx) runAction(path string, args []byte) ([]byte, error) {
	return finish(ctx.context, func() (uint32, *abi.Error) { return abi.BeginAction(path, args) })
}

// Sleep waits for so long, as time.Sleep does, or until the action's context is done; see
// WithContext.
func (ctx *ActionCtx) Sleep(duration time.Duration) error {
	ms := float64(duration) / float64(time.Millisecond)
	_, err := finish(ctx.context, func() (uint32, *abi.Error) { return abi.BeginSleep(ms) })
	return err
}

// HashPassword hashes a password with argon2id and a salt of its own; the hash is a PHC
// string. It takes tens of milliseconds, in which the action does nothing else. The errors are
// those of [MutationCtx.HashPassword].
func (ctx *ActionCtx) HashPassword(password string) (string, error) {
	hash, failed := abi.HashPassword(password)
	return hash, fromHost(failed)
}

// VerifyPassword tells whether this is the password that was hashed; see
// [MutationCtx.VerifyPassword].
func (ctx *ActionCtx) VerifyPassword(password, hash string) (bool, error) {
	isRight, failed := abi.VerifyPassword(password, hash)
	return isRight, fromHost(failed)
}

// SignJWT signs a token with the host's key; see [MutationCtx.SignJWT].
func (ctx *ActionCtx) SignJWT(claims any, expiresIn time.Duration) (string, error) {
	return signJWT(claims, expiresIn)
}
