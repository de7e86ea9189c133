// Functions that do what a guest must not, and those that the measurements run,
// as the Rust guests beside this folder have them.
package main

func main() {}
