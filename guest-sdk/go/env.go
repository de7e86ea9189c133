package weir

import "weir.dev/go/internal/abi"

// Env gives the value of a variable of the deployment, and whether there is one of
// this name: `host env set NAME` sets it. Package variables and init functions may
// use it too; what they keep of it is made anew by the host when it changes.
//
// The environment of package os has nothing in it.
func Env(name string) (string, bool) { return abi.Variable(name) }

// Env gives the value of a variable of the deployment, and whether there is one of
// this name. A live query that read it runs again when it changes.
func (ctx *callCtx) Env(name string) (string, bool) { return abi.Variable(name) }
