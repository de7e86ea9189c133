package main

import (
	"fmt"
	"log"
	"os"

	"weir.dev/go"
)

func init() {
	weir.Query("bench:echo", echo)
	weir.Query("bench:nothing", nothing)
	weir.Query("bench:print", print)
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

// print prints what the SDK has no part in.
func print(*weir.QueryCtx) error {
	fmt.Println("a line")
	fmt.Print("parts ", "of ")
	fmt.Print("one\nand two lines\n")
	log.New(os.Stderr, "", 0).Print("a warning")
	fmt.Print("")
	fmt.Print("without an end")
	return nil
}
