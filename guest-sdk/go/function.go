package weir

import (
	"fmt"
	"reflect"

	"weir.dev/go/internal/abi"
	"weir.dev/go/internal/json"
)

// function is one that was registered.
type function struct {
	path       string
	kind       string
	visibility string
	body       reflect.Value
	// ctx is the type of its context, which newCtx makes: what an action is made of is linked
	// where there is one alone.
	ctx    reflect.Type
	newCtx func() reflect.Value
	// args and returns are nil for a function without.
	args    reflect.Type
	returns reflect.Type
	// route and answer are those of an HTTP action, and of no other.
	route  *route
	answer func(args []byte) error
}

var functions = map[string]*function{}

var (
	queryCtxType    = reflect.TypeFor[*QueryCtx]()
	mutationCtxType = reflect.TypeFor[*MutationCtx]()
	errorType       = reflect.TypeFor[error]()
)

// Query registers a query, which every client can run: a function that takes a
// *QueryCtx, and a struct of arguments if it has some, and gives a result and an
// error, or an error alone. To be called in an init function; panics if the
// function is another, or the path is taken.
func Query(path string, body any) {
	register(queryOf(path, "public"), body)
}

// Mutation registers a mutation, which every client can run. It is as a query,
// with a *MutationCtx.
func Mutation(path string, body any) {
	register(mutationOf(path, "public"), body)
}

// InternalQuery registers a query that only other functions can run.
func InternalQuery(path string, body any) {
	register(queryOf(path, "internal"), body)
}

// InternalMutation registers a mutation that only other functions can run.
func InternalMutation(path string, body any) {
	register(mutationOf(path, "internal"), body)
}

func queryOf(path, visibility string) function {
	return function{
		path: path, kind: "query", visibility: visibility, ctx: queryCtxType,
		newCtx: func() reflect.Value { return reflect.ValueOf(&QueryCtx{}) },
	}
}

func mutationOf(path, visibility string) function {
	return function{
		path: path, kind: "mutation", visibility: visibility, ctx: mutationCtxType,
		newCtx: func() reflect.Value { return reflect.ValueOf(&MutationCtx{QueryCtx: &QueryCtx{}}) },
	}
}

// add keeps a function under its path.
func add(made function) {
	if _, ok := functions[made.path]; ok {
		panic(fmt.Sprintf("weir: there are two functions `%s`; rename one", made.path))
	}
	functions[made.path] = &made
}

func register(made function, body any) {
	made.body = reflect.ValueOf(body)
	if err := made.inspect(); err != nil {
		panic(fmt.Sprintf("weir: the %s `%s` %v", made.kind, made.path, err))
	}
	add(made)
}

// inspect finds out what the function takes and gives.
func (made *function) inspect() error {
	ctx := made.ctx
	if made.body.Kind() != reflect.Func || made.body.IsNil() {
		return fmt.Errorf("is no function")
	}
	t := made.body.Type()
	form := fmt.Errorf("must be a func(%v) error, or with arguments in a struct and a result, "+
		"func(%v, ARGS) (RESULT, error); it is a %v", ctx, ctx, t)
	if t.IsVariadic() || t.NumIn() < 1 || t.NumIn() > 2 || t.In(0) != ctx {
		return form
	}
	if t.NumOut() < 1 || t.NumOut() > 2 || t.Out(t.NumOut()-1) != errorType {
		return form
	}
	if t.NumIn() == 2 {
		made.args = t.In(1)
		if kind := made.args.Kind(); kind != reflect.Struct && made.args != reflect.TypeFor[Object]() {
			return form
		}
		if _, err := codecOf(made.args); err != nil {
			return fmt.Errorf("cannot take its arguments: %w", err)
		}
	}
	if t.NumOut() == 2 {
		made.returns = t.Out(0)
		if _, err := codecOf(made.returns); err != nil {
			return fmt.Errorf("cannot give its result: %w", err)
		}
	}
	return nil
}

// run calls the function with arguments of JSON, and gives its result as JSON.
func (made *function) run(args []byte) ([]byte, error) {
	if made.answer != nil {
		return []byte("null"), made.answer(args)
	}
	in := make([]reflect.Value, 1, 2)
	in[0] = made.newCtx()
	if made.args != nil {
		value := reflect.New(made.args).Elem()
		if err := unmarshalInto(args, value); err != nil {
			return nil, fmt.Errorf("reading the arguments: %w", err)
		}
		in = append(in, value)
	}
	out := made.body.Call(in)
	if err := out[len(out)-1]; !err.IsNil() {
		return nil, err.Interface().(error)
	}
	if made.returns == nil {
		return []byte("null"), nil
	}
	result, err := codecs[made.returns].write(make([]byte, 0, 256), out[0])
	if err != nil {
		return nil, fmt.Errorf("writing the result: %w", err)
	}
	return result, nil
}

// call runs the function at this path.
func call(path string, args []byte) ([]byte, *abi.Failure) {
	defer reportPanic()
	found, ok := functions[path]
	if !ok {
		return nil, &abi.Failure{Message: fmt.Sprintf("there is no function `%s` in this module", path)}
	}
	result, err := found.run(args)
	if err != nil {
		return nil, toHost(err)
	}
	return result, nil
}

// describe gives the manifest, as JSON: functions sorted by their paths, and the schema.
func describe() []byte {
	describer := &describer{}
	describer.text(`{"functions":[`)
	for i, path := range sortedPaths() {
		found := functions[path]
		if i > 0 {
			describer.text(`,`)
		}
		describer.text(`{"path":`)
		describer.out = json.AppendString(describer.out, path)
		describer.text(`,"kind":"` + found.kind + `","visibility":"` + found.visibility + `","args":`)
		if found.route != nil {
			describer.named("any")
		} else if found.args == nil {
			describer.text(`{"type":"object","value":{}}`)
		} else if found.args.Kind() == reflect.Map {
			describer.named("any")
		} else {
			describer.validator(found.args)
		}
		describer.text(`,"returns":`)
		if found.route != nil {
			describer.named("any")
		} else if found.returns == nil {
			describer.named("null")
		} else {
			describer.validator(found.returns)
		}
		describer.text(`}`)
	}
	describer.text(`]`)
	describer.schema()
	describer.routes()
	describer.text(`}`)
	return describer.out
}

// routes adds which requests which function answers.
func (describer *describer) routes() {
	separator := `,"routes":[`
	for _, path := range sortedPaths() {
		found := functions[path].route
		if found == nil {
			continue
		}
		field := `","path":`
		if found.isPrefix {
			field = `","pathPrefix":`
		}
		describer.text(separator + `{"method":"` + found.method + field)
		describer.out = json.AppendString(describer.out, found.path)
		describer.text(`,"function":`)
		describer.out = json.AppendString(describer.out, path)
		describer.text(`}`)
		separator = `,`
	}
	if separator == `,` {
		describer.text(`]`)
	}
}
