// Package random is the generator of a call's random numbers, the same in every
// language: xoshiro256++, by Blackman and Vigna.
package random

import (
	"encoding/binary"
	"math/bits"
)

// unit is the smallest step of a number below 1 with 53 bits.
const unit = 1.0 / (1 << 53)

// Generator makes random numbers. It is not for secrets: who sees some of its
// numbers can tell the next.
type Generator struct {
	state [4]uint64
}

// FromSeed gives a generator whose numbers are determined by these 32 bytes.
func FromSeed(seed []byte) *Generator {
	generator := &Generator{}
	for word := range generator.state {
		generator.state[word] = binary.LittleEndian.Uint64(seed[word*8:])
	}
	if generator.state == [4]uint64{} {
		// The one state that the generator cannot leave.
		generator.state[0] = 1
	}
	return generator
}

// Uint64 gives 64 random bits.
func (generator *Generator) Uint64() uint64 {
	s := &generator.state
	result := bits.RotateLeft64(s[0]+s[3], 23) + s[0]
	t := s[1] << 17
	s[2] ^= s[0]
	s[3] ^= s[1]
	s[1] ^= s[2]
	s[0] ^= s[3]
	s[2] ^= t
	s[3] = bits.RotateLeft64(s[3], 45)
	return result
}

// Float64 gives a number of at least 0 and below 1.
func (generator *Generator) Float64() float64 {
	return float64(generator.Uint64()>>11) * unit
}

// Below gives an integer of at least 0 and below bound, all equally likely. It
// panics if bound is 0.
func (generator *Generator) Below(bound uint64) uint64 {
	if bound == 0 {
		panic("weir: there is no integer below 0")
	}
	// Numbers past the last multiple of the bound would favour the low ones.
	excess := (^uint64(0)%bound + 1) % bound
	for {
		if drawn := generator.Uint64(); drawn <= ^uint64(0)-excess {
			return drawn % bound
		}
	}
}

// Fill fills all of bytes.
func (generator *Generator) Fill(bytes []byte) {
	var word [8]byte
	for len(bytes) > 0 {
		binary.LittleEndian.PutUint64(word[:], generator.Uint64())
		bytes = bytes[copy(bytes, word[:]):]
	}
}

// Shuffle puts n items in a random order, all equally likely, by swapping pairs.
func (generator *Generator) Shuffle(n int, swap func(i, j int)) {
	for last := n - 1; last >= 1; last-- {
		swap(last, int(generator.Below(uint64(last)+1)))
	}
}
