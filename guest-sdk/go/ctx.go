package weir

import (
	"fmt"
	"time"

	"weir.dev/go/internal/abi"
	"weir.dev/go/internal/random"
)

// callCtx is what every function is given, of whatever kind.
type callCtx struct {
	rng *Rng
}

// QueryCtx is the first parameter of a query: it reads, and cannot write.
type QueryCtx struct {
	callCtx
	// Storage knows stored files.
	Storage StorageReader
}

// MutationCtx is the first parameter of a mutation: it reads and writes, all or
// nothing. Where a context to read with is wanted, it serves as one.
type MutationCtx struct {
	*QueryCtx
	// Scheduler has other mutations, and actions, called later.
	Scheduler Scheduler
	// Storage makes upload URLs, and deletes stored files.
	Storage StorageWriter
}

// Rng is the generator of a call's random numbers: different in each call, and
// the same again when the same call runs again. It is not for secrets.
type Rng = random.Generator

// Reader is what reads the database: a *QueryCtx or a *MutationCtx.
type Reader interface {
	reader() *QueryCtx
}

func (ctx *QueryCtx) reader() *QueryCtx { return ctx }

// Caller is what calls queries: the context of any function.
type Caller interface {
	runQuery(path string, args []byte) ([]byte, error)
}

// MutationCaller is what calls mutations: a *MutationCtx or an *ActionCtx.
type MutationCaller interface {
	Caller
	runMutation(path string, args []byte) ([]byte, error)
}

func (ctx *QueryCtx) runQuery(path string, args []byte) ([]byte, error) {
	answer, failed := abi.RunQuery(path, args)
	return answer, fromHost(failed)
}

func (ctx *MutationCtx) runMutation(path string, args []byte) ([]byte, error) {
	answer, failed := abi.RunMutation(path, args)
	return answer, fromHost(failed)
}

// Now gives the time in milliseconds since the epoch. In a query and a mutation it is that of
// the start, and stands still; in an action it goes on.
func (ctx *callCtx) Now() float64 { return abi.Now() }

// Random gives a random number of at least 0 and below 1.
func (ctx *callCtx) Random() float64 { return ctx.Rng().Float64() }

// Rng gives the generator of the call's random numbers.
func (ctx *callCtx) Rng() *Rng {
	if ctx.rng == nil {
		ctx.rng = random.FromSeed(abi.RandomSeed())
	}
	return ctx.rng
}

// RequestID gives the id of the request, as it stands in error messages and in
// the host's log.
func (ctx *callCtx) RequestID() string { return abi.RequestID() }

// Identity gives who calls; nil: nobody in particular. In a component it is always nobody.
func (ctx *callCtx) Identity() *Identity {
	claims := abi.Identity()
	if claims == nil {
		return nil
	}
	identity := &Identity{}
	if err := Unmarshal(claims, &identity.claims); err != nil {
		panic(fmt.Sprintf("the host gives an object of claims: %v", err))
	}
	return identity
}

// SignJWT signs a token, a JWT, with the host's key (ES256). Anybody can verify it with
// the keys at /.well-known/jwks.json, and read its claims.
//
// The claims are an object; nil: none. The host adds iss (CONVEX_CLOUD_URL), iat and
// exp. The token is good for whole seconds, from one to an hour.
//
// The errors, by [CodeOf]: InvalidClaims, for iss, iat, exp, nbf, a name that begins
// with convex or cvx, what JSON does not have, a token of more than 16 KiB, or another
// time; and SigningFailed, when the host's key cannot be used.
func (ctx *MutationCtx) SignJWT(claims any, expiresIn time.Duration) (string, error) {
	return signJWT(claims, expiresIn)
}

func signJWT(claims any, expiresIn time.Duration) (string, error) {
	if claims == nil {
		claims = Object{}
	}
	json, err := Marshal(claims)
	if err != nil {
		return "", err
	}
	options, err := Marshal(Object{"expiresInSeconds": expiresIn.Seconds()})
	if err != nil {
		return "", err
	}
	token, failed := abi.SignJWT(json, options)
	return token, fromHost(failed)
}

// Identity is the claims of a caller's token, which the host has verified.
type Identity struct {
	claims Object
}

// TokenIdentifier gives the issuer and the subject as one text: the caller's name
// among all issuers.
func (identity *Identity) TokenIdentifier() string { return identity.text("tokenIdentifier") }

// Subject gives the caller's name at its issuer.
func (identity *Identity) Subject() string { return identity.text("subject") }

// Issuer tells who vouches for the caller.
func (identity *Identity) Issuer() string { return identity.text("issuer") }

// Claim gives a claim by its name, such as email, and whether there is one.
func (identity *Identity) Claim(name string) (Value, bool) {
	claim, ok := identity.claims[name]
	return claim, ok
}

func (identity *Identity) text(name string) string {
	text, _ := identity.claims[name].(string)
	return text
}

// RunQuery runs a query of this deployment, of any module and language, within
// this call: weir.RunQuery[float64](ctx, "counter:count", args). In an action it is a
// transaction of its own.
//
// The path may be one of a [Component], or a handle. Its errors are the query's own, with their
// data, and the host's: see [CodeOf].
func RunQuery[R any](ctx Caller, path string, args any) (R, error) {
	return nested[R](ctx.runQuery, path, args)
}

// RunMutation runs a mutation of this deployment, of any module and language, as
// a part of this one. What it wrote is undone if it fails; this mutation may go on. In an
// action it is a transaction of its own, and what it wrote is on disk when this is over.
func RunMutation[R any](ctx MutationCaller, path string, args any) (R, error) {
	return nested[R](ctx.runMutation, path, args)
}

func nested[R any](run func(string, []byte) ([]byte, error), path string, args any) (R, error) {
	var result R
	if args == nil {
		args = Object{}
	}
	json, err := Marshal(args)
	if err != nil {
		return result, err
	}
	answer, err := run(path, json)
	if err != nil {
		return result, err
	}
	if err := Unmarshal(answer, &result); err != nil {
		return result, fmt.Errorf("reading the result of %s: %w", path, err)
	}
	return result, nil
}
