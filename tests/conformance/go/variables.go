package main

import "weir.dev/go"

func init() {
	weir.Query("variables:get", getVariable)
	weir.Query("variables:top", topVariable)
}

// top is made before the first function is called.
var top, hasTop = weir.Env("TOP")

// getVariable gives the value of a variable.
func getVariable(ctx *weir.QueryCtx, args struct {
	Name string `json:"name"`
}) (*string, error) {
	return variable(ctx.Env(args.Name))
}

// topVariable gives the value that a variable had then.
func topVariable(*weir.QueryCtx) (*string, error) {
	return variable(top, hasTop)
}

func variable(text string, ok bool) (*string, error) {
	if !ok {
		return nil, nil
	}
	return &text, nil
}
