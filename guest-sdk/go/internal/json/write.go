// Package json reads and writes JSON in Convex's value encoding, token by token.
// It knows no Go types beyond the plain ones.
package json

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// AppendString appends a text. What is no UTF-8 becomes replacement characters.
func AppendString(out []byte, text string) []byte {
	out = append(out, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				out = append(append(out, text[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		out = append(out, text[start:i]...)
		out = appendEscape(out, c)
		i++
		start = i
	}
	return append(append(out, text[start:]...), '"')
}

func appendEscape(out []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(out, '\\', c)
	case '\n':
		return append(out, '\\', 'n')
	case '\r':
		return append(out, '\\', 'r')
	case '\t':
		return append(out, '\\', 't')
	default:
		return append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
}

// AppendFloat appends a number; those which JSON lacks as `$float`.
func AppendFloat(out []byte, number float64) []byte {
	if math.IsNaN(number) || math.IsInf(number, 0) || (number == 0 && math.Signbit(number)) {
		var bytes [8]byte
		binary.LittleEndian.PutUint64(bytes[:], math.Float64bits(number))
		return appendEncoded(out, "$float", bytes[:])
	}
	if number == math.Trunc(number) && math.Abs(number) < 1e15 {
		return strconv.AppendInt(out, int64(number), 10)
	}
	format := byte('f')
	if size := math.Abs(number); size < 1e-6 || size >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(out, number, format, -1, 64)
}

// AppendInt64 appends a 64-bit integer as `$integer`.
func AppendInt64(out []byte, number int64) []byte {
	var bytes [8]byte
	binary.LittleEndian.PutUint64(bytes[:], uint64(number))
	return appendEncoded(out, "$integer", bytes[:])
}

// CommitTimestamp is the placeholder for the timestamp of the commit.
const CommitTimestamp = `{"$commitTs":null}`

// AppendBytes appends bytes as `$bytes`.
func AppendBytes(out, bytes []byte) []byte {
	return appendEncoded(out, "$bytes", bytes)
}

func appendEncoded(out []byte, key string, bytes []byte) []byte {
	out = append(append(append(out, '{', '"'), key...), '"', ':', '"')
	out = base64.StdEncoding.AppendEncode(out, bytes)
	return append(out, '"', '}')
}
