package main

import (
	"errors"
	"strings"

	"weir.dev/go"
)

func init() {
	weir.Mutation("calls:run", run)
	weir.Query("calls:runQueries", runQueries)
	weir.Query("calls:byHandle", byHandle)
	weir.Mutation("calls:passHandle", passHandle)
	weir.Query("calls:ofComponent", ofComponent)
	weir.InternalQuery("calls:secret", secret)
	weir.Mutation("calls:recurse", recurse)
	weir.Query("calls:repeat", repeatCalls)
	weir.Query("calls:randomNumbers", nestedRandomNumbers)
}

// step is one call of another function.
type step struct {
	// Kind is `query` or `mutation`.
	Kind string     `json:"kind"`
	Path string     `json:"path"`
	Args weir.Value `json:"args"`
	// Caught tells whether its error is a result too.
	Caught bool `json:"caught"`
}

type steps struct {
	Steps []step `json:"steps"`
}

func (step step) resultOf(result weir.Value, err error) (weir.Value, error) {
	if err == nil || !step.Caught {
		return result, err
	}
	data, _ := weir.DataOf(err)
	return weir.Object{"code": weir.CodeOf(err), "message": err.Error(), "data": data}, nil
}

// run runs the steps, one after the other, and gives their results.
func run(ctx *weir.MutationCtx, args steps) ([]weir.Value, error) {
	return each(args.Steps, func(step step) (weir.Value, error) { return runStep(ctx, step) })
}

func runStep(ctx *weir.MutationCtx, step step) (weir.Value, error) {
	if step.Kind == "query" {
		return weir.RunQuery[weir.Value](ctx, step.Path, step.Args)
	}
	return weir.RunMutation[weir.Value](ctx, step.Path, step.Args)
}

// runQueries does the same from a query, with queries alone.
func runQueries(ctx *weir.QueryCtx, args steps) ([]weir.Value, error) {
	return each(args.Steps, func(step step) (weir.Value, error) {
		return weir.RunQuery[weir.Value](ctx, step.Path, step.Args)
	})
}

func each(steps []step, run func(step) (weir.Value, error)) ([]weir.Value, error) {
	results := make([]weir.Value, 0, len(steps))
	for _, step := range steps {
		result, err := step.resultOf(run(step))
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

type named struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

type pathed struct {
	Path string `json:"path"`
}

// byHandle gives what a query gives that is called by its handle, and by the handle of that.
func byHandle(ctx *weir.QueryCtx, args pathed) ([]weir.Value, error) {
	handle, err := ctx.FunctionHandle(args.Path)
	if err != nil {
		return nil, err
	}
	again, err := ctx.FunctionHandle(handle)
	if err != nil {
		return nil, err
	}
	results := []weir.Value{strings.HasPrefix(handle, "function://")}
	for _, path := range []string{handle, again} {
		result, err := weir.RunQuery[weir.Value](ctx, path, nil)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

type passed struct {
	Target string `json:"target"`
	Step   step   `json:"step"`
}

// passHandle runs a step with the handle of a function as the argument path; gives its result.
func passHandle(ctx *weir.MutationCtx, passed passed) (weir.Value, error) {
	handle, err := ctx.FunctionHandle(passed.Target)
	if err != nil {
		return nil, err
	}
	args, isObject := passed.Step.Args.(weir.Object)
	if !isObject {
		return nil, errors.New("the arguments are an object")
	}
	args["path"] = handle
	return passed.Step.resultOf(runStep(ctx, passed.Step))
}

// ofComponent tells how a function of a component is named.
func ofComponent(_ *weir.QueryCtx, args named) (string, error) {
	return weir.Component(args.Name).Function(args.Path), nil
}

func secret(*weir.QueryCtx) (string, error) {
	return "inside", nil
}

type depth struct {
	Depth int `json:"depth"`
}

// recurse calls itself this often, one inside the other; gives how often.
func recurse(ctx *weir.MutationCtx, args depth) (float64, error) {
	if args.Depth == 0 {
		return 0, nil
	}
	below, err := weir.RunMutation[float64](ctx, "calls:recurse", depth{args.Depth - 1})
	return below + 1, err
}

// repeatCalls calls a function without effect this often, one after the other.
func repeatCalls(ctx *weir.QueryCtx, args counted) error {
	for range args.Count {
		if _, err := weir.RunQuery[string](ctx, "calls:secret", nil); err != nil {
			return err
		}
	}
	return nil
}

// nestedRandomNumbers gives a random number of its own, one of each of two calls,
// and another one of its own.
func nestedRandomNumbers(ctx *weir.QueryCtx) ([]float64, error) {
	numbers := []float64{ctx.Random()}
	for range 2 {
		theirs, err := weir.RunQuery[[]float64](ctx, "context:randomNumbers", counted{1})
		if err != nil {
			return nil, err
		}
		if len(theirs) != 1 {
			return nil, errors.New("one number was asked for")
		}
		numbers = append(numbers, theirs[0])
	}
	return append(numbers, ctx.Random()), nil
}
