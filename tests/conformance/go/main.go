// The functions that every language has, and does alike: what `../cases.toml` calls.
package main

import (
	"fmt"

	"weir.dev/go"
)

// inTable names the table of a function that works with any.
type inTable struct {
	Table string `json:"table"`
}

// counted says how often.
type counted struct {
	Count int `json:"count"`
}

// tableOf is a table of documents of any form.
func tableOf(name string) weir.Table[weir.Value] {
	return weir.NewTable[weir.Value](name)
}

// told is how something went that failed and was caught: `CODE: message`.
func told(err error) string {
	return fmt.Sprintf("%s: %s", weir.CodeOf(err), err)
}

func main() {}
