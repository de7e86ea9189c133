package weir

import (
	"strings"

	"weir.dev/go/internal/abi"
)

// Component is a component that this project, or this component, mounts: the name of the mount, in
// host.toml or convex.config.ts. Whether it is there is seen by a call.
//
//	const limits weir.Component = "ratelimits"
//
//	allowed, err := weir.RunMutation[bool](ctx, limits.Function("lib:check"), args)
type Component string

// Function gives the path of one of its public functions, dir/module:function or, for default,
// module. It is taken wherever a path is: to be called, to be scheduled, and by FunctionHandle.
func (component Component) Function(path string) string {
	module, function := path, "default"
	if at := strings.LastIndexByte(path, ':'); at >= 0 {
		module, function = path[:at], path[at+1:]
	}
	module = strings.TrimSuffix(module, ".js")
	return "_reference/childComponent/" + string(component) + "/" + module + "/" + function
}

// FunctionHandle gives a text by which any function can call that one, whichever component the two
// are of: it can be stored, and given to a component as an argument. It is taken wherever a path is.
//
// The error, by [CodeOf]: FunctionNotFound.
func (ctx *callCtx) FunctionHandle(path string) (string, error) {
	handle, failed := abi.FunctionHandle(path)
	return handle, fromHost(failed)
}
