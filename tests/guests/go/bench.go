package main

import "weir.dev/go"

func init() {
	weir.Query("bench:echo", echo)
	weir.Query("bench:nothing", nothing)
}

// echo gives back what it is given.
func echo(_ *weir.QueryCtx, args struct {
	Value weir.Value `json:"value"`
}) (weir.Value, error) {
	return args.Value, nil
}

// nothing does nothing: the cost of a call.
func nothing(*weir.QueryCtx) error {
	return nil
}
