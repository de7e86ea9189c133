package random

import (
	"slices"
	"testing"
)

func TestNumbersAreThoseOfTheAlgorithm(t *testing.T) {
	// The first outputs for the state 1, 2, 3, 4, as its reference gives them.
	seed := make([]byte, 32)
	for word := range 4 {
		seed[word*8] = byte(word + 1)
	}
	generator := FromSeed(seed)
	for _, expected := range []uint64{41943041, 58720359, 3588806011781223} {
		if got := generator.Uint64(); got != expected {
			t.Errorf("got %d, want %d", got, expected)
		}
	}
}

func TestNumbersStayInTheirBounds(t *testing.T) {
	generator := FromSeed(make([]byte, 32))
	var seen [6]int
	for range 6000 {
		seen[generator.Below(6)]++
		if number := generator.Float64(); number < 0 || number >= 1 {
			t.Fatalf("%v is out of bounds", number)
		}
	}
	for face, count := range seen {
		if count < 800 || count > 1200 {
			t.Errorf("%d came %d times", face, count)
		}
	}
	if generator.Below(1) != 0 {
		t.Error("only 0 is below 1")
	}
}

func TestShufflingKeepsTheItems(t *testing.T) {
	items := make([]int, 100)
	for i := range items {
		items[i] = i
	}
	shuffled := slices.Clone(items)
	FromSeed(make([]byte, 32)).Shuffle(len(items), func(i, j int) {
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	})
	if slices.Equal(items, shuffled) {
		t.Error("nothing moved")
	}
	slices.Sort(shuffled)
	if !slices.Equal(items, shuffled) {
		t.Errorf("got %v", shuffled)
	}
}

func TestFillingTakesPartsOfNumbers(t *testing.T) {
	seed := make([]byte, 32)
	seed[0] = 7
	var bytes [13]byte
	FromSeed(seed).Fill(bytes[:])
	if bytes == [13]byte{} {
		t.Error("nothing was filled")
	}
}
