package json

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Kind tells what a value is, by its first byte.
type Kind uint8

// The kinds of JSON values.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// nestingMax is how deep values may stand in each other; the host's own limit is lower.
const nestingMax = 128

// Reader reads one text from its beginning to its end.
type Reader struct {
	text  []byte
	at    int
	depth int
}

// NewReader begins to read a text. The text must not change while it is read.
func NewReader(text []byte) *Reader {
	return &Reader{text: text}
}

// Error is what is wrong with a text, and at which of its bytes.
type Error struct {
	At   int
	What string
}

func (err *Error) Error() string {
	return err.What + " at byte " + strconv.Itoa(err.At) + " of the JSON"
}

func (reader *Reader) fail(what string) error {
	return &Error{At: reader.at, What: what}
}

func (reader *Reader) skipSpace() {
	for reader.at < len(reader.text) {
		switch reader.text[reader.at] {
		case ' ', '\t', '\n', '\r':
			reader.at++
		default:
			return
		}
	}
}

// Peek tells what the next value is.
func (reader *Reader) Peek() Kind {
	reader.skipSpace()
	if reader.at >= len(reader.text) {
		return Invalid
	}
	switch c := reader.text[reader.at]; {
	case c == '"':
		return String
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == 't', c == 'f':
		return Bool
	case c == 'n':
		return Null
	case c == '-', c >= '0' && c <= '9':
		return Number
	}
	return Invalid
}

// End is an error unless everything has been read.
func (reader *Reader) End() error {
	reader.skipSpace()
	if reader.at < len(reader.text) {
		return reader.fail("unexpected text after the value")
	}
	return nil
}

func (reader *Reader) word(word string) bool {
	end := reader.at + len(word)
	if end > len(reader.text) || string(reader.text[reader.at:end]) != word {
		return false
	}
	reader.at = end
	return true
}

// ReadNull reads `null`.
func (reader *Reader) ReadNull() error {
	reader.skipSpace()
	if !reader.word("null") {
		return reader.fail("null was expected")
	}
	return nil
}

// ReadBool reads `true` or `false`.
func (reader *Reader) ReadBool() (bool, error) {
	reader.skipSpace()
	if reader.word("true") {
		return true, nil
	}
	if reader.word("false") {
		return false, nil
	}
	return false, reader.fail("true or false was expected")
}

// next steps over this byte, if it is the next one.
func (reader *Reader) next(c byte) bool {
	reader.skipSpace()
	if reader.at < len(reader.text) && reader.text[reader.at] == c {
		reader.at++
		return true
	}
	return false
}

// ReadFloat reads a number, or a `$float`.
func (reader *Reader) ReadFloat() (float64, error) {
	if reader.Peek() == Object {
		bytes, err := reader.readEncoded("$float", 8)
		if err != nil {
			return 0, err
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(bytes)), nil
	}
	return reader.readNumber()
}

func (reader *Reader) readNumber() (float64, error) {
	reader.skipSpace()
	start := reader.at
	whole, isShort := int64(0), true
	at := start
	if at < len(reader.text) && reader.text[at] == '-' {
		at++
	}
	digits := at
	for ; at < len(reader.text); at++ {
		c := reader.text[at]
		if c >= '0' && c <= '9' {
			whole = whole*10 + int64(c-'0')
			continue
		}
		if c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-' {
			break
		}
		isShort = false
	}
	if at == digits {
		return 0, reader.fail("a number was expected")
	}
	reader.at = at
	if isShort && at-digits <= 15 {
		if digits > start {
			return -float64(whole), nil
		}
		return float64(whole), nil
	}
	part := reader.text[start:at]
	number, err := strconv.ParseFloat(unsafe.String(&part[0], len(part)), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		reader.at = start
		return 0, reader.fail("a number was expected")
	}
	return number, nil
}

// ReadInt64 reads an `$integer`.
func (reader *Reader) ReadInt64() (int64, error) {
	if reader.Peek() != Object {
		return 0, reader.fail("a 64-bit integer ({\"$integer\": ...}) was expected")
	}
	bytes, err := reader.readEncoded("$integer", 8)
	if err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint64(bytes)), nil
}

// ReadCommitTimestamp reads an `$integer`, or the placeholder for one that is not known yet.
func (reader *Reader) ReadCommitTimestamp() (nanos int64, isKnown bool, err error) {
	start := reader.at
	key, ok, err := reader.encodedKey()
	if err != nil {
		return 0, false, err
	}
	if !ok || key != "$commitTs" {
		reader.at = start
		nanos, err = reader.ReadInt64()
		return nanos, err == nil, err
	}
	if err = reader.ReadNull(); err == nil && !reader.next('}') {
		err = reader.fail("`}` was expected")
	}
	return 0, false, err
}

// ReadBytes reads `$bytes`.
func (reader *Reader) ReadBytes() ([]byte, error) {
	if reader.Peek() != Object {
		return nil, reader.fail("bytes ({\"$bytes\": ...}) were expected")
	}
	return reader.readEncoded("$bytes", -1)
}

// readEncoded reads an object of this key alone, whose value is base64 of so many bytes (-1: any).
func (reader *Reader) readEncoded(key string, length int) ([]byte, error) {
	start := reader.at
	found, ok, err := reader.encodedKey()
	if err != nil {
		return nil, err
	}
	if !ok || found != key {
		reader.at = start
		return nil, reader.fail("{\"" + key + "\": ...} was expected")
	}
	return reader.encodedValue(length)
}

// encodedKey reads the beginning of an object if its first key is that of an encoding.
func (reader *Reader) encodedKey() (string, bool, error) {
	start := reader.at
	if !reader.next('{') || !reader.next('"') || reader.at >= len(reader.text) || reader.text[reader.at] != '$' {
		reader.at = start
		return "", false, nil
	}
	reader.at--
	key, err := reader.ReadString()
	if err != nil {
		return "", false, err
	}
	if !reader.next(':') {
		return "", false, reader.fail("`:` was expected")
	}
	return key, true, nil
}

func (reader *Reader) encodedValue(length int) ([]byte, error) {
	text, err := reader.readStringBytes()
	if err != nil {
		return nil, err
	}
	bytes := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	count, err := base64.StdEncoding.Decode(bytes, text)
	if err != nil || (length >= 0 && count != length) {
		return nil, reader.fail("the base64 of a value is wrong")
	}
	if !reader.next('}') {
		return nil, reader.fail("`}` was expected")
	}
	return bytes[:count], nil
}

// ReadString reads a text.
func (reader *Reader) ReadString() (string, error) {
	bytes, err := reader.readStringBytes()
	if err != nil {
		return "", err
	}
	return string(bytes), nil
}

// readStringBytes gives a part of the text itself where nothing is escaped.
func (reader *Reader) readStringBytes() ([]byte, error) {
	if !reader.next('"') {
		return nil, reader.fail("a string was expected")
	}
	start := reader.at
	for i := start; i < len(reader.text); i++ {
		switch c := reader.text[i]; {
		case c == '"':
			reader.at = i + 1
			return reader.text[start:i], nil
		case c == '\\':
			return reader.unescape(start, i)
		case c < ' ':
			reader.at = i
			return nil, reader.fail("a control character stands in a string")
		}
	}
	reader.at = len(reader.text)
	return nil, reader.fail("a string does not end")
}

func (reader *Reader) unescape(start, at int) ([]byte, error) {
	out := append(make([]byte, 0, at-start+32), reader.text[start:at]...)
	reader.at = at
	for reader.at < len(reader.text) {
		c := reader.text[reader.at]
		reader.at++
		switch {
		case c == '"':
			return out, nil
		case c < ' ':
			return nil, reader.fail("a control character stands in a string")
		case c != '\\':
			out = append(out, c)
		default:
			var err error
			if out, err = reader.escape(out); err != nil {
				return nil, err
			}
		}
	}
	return nil, reader.fail("a string does not end")
}

func (reader *Reader) escape(out []byte) ([]byte, error) {
	if reader.at >= len(reader.text) {
		return nil, reader.fail("a string does not end")
	}
	c := reader.text[reader.at]
	reader.at++
	switch c {
	case '"', '\\', '/':
		return append(out, c), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'n':
		return append(out, '\n'), nil
	case 'r':
		return append(out, '\r'), nil
	case 't':
		return append(out, '\t'), nil
	case 'u':
		r, err := reader.escapedRune()
		if err != nil {
			return nil, err
		}
		return utf8.AppendRune(out, r), nil
	}
	return nil, reader.fail("an escape in a string is wrong")
}

func (reader *Reader) escapedRune() (rune, error) {
	first, err := reader.fourHex()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if reader.word(`\u`) {
		second, err := reader.fourHex()
		if err != nil {
			return 0, err
		}
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, reader.fail("half of a surrogate pair stands in a string")
}

func (reader *Reader) fourHex() (rune, error) {
	if reader.at+4 > len(reader.text) {
		return 0, reader.fail("an escape in a string is wrong")
	}
	digits := reader.text[reader.at : reader.at+4]
	number, err := strconv.ParseUint(unsafe.String(&digits[0], 4), 16, 32)
	if err != nil {
		return 0, reader.fail("an escape in a string is wrong")
	}
	reader.at += 4
	return rune(number), nil
}

// ReadArray reads an array; item is called for each of its items, and reads it.
func (reader *Reader) ReadArray(item func() error) error {
	if !reader.next('[') {
		return reader.fail("an array was expected")
	}
	if err := reader.enter(); err != nil {
		return err
	}
	if !reader.next(']') {
		for {
			if err := item(); err != nil {
				return err
			}
			if reader.next(']') {
				break
			}
			if !reader.next(',') {
				return reader.fail("`,` or `]` was expected")
			}
		}
	}
	reader.depth--
	return nil
}

// ReadObject reads an object; field is called for each of its fields, and reads
// its value. The key is to be copied if it is kept.
func (reader *Reader) ReadObject(field func(key []byte) error) error {
	if !reader.next('{') {
		return reader.fail("an object was expected")
	}
	if err := reader.enter(); err != nil {
		return err
	}
	if !reader.next('}') {
		for {
			key, err := reader.readStringBytes()
			if err != nil {
				return err
			}
			if !reader.next(':') {
				return reader.fail("`:` was expected")
			}
			if err := field(key); err != nil {
				return err
			}
			if reader.next('}') {
				break
			}
			if !reader.next(',') {
				return reader.fail("`,` or `}` was expected")
			}
		}
	}
	reader.depth--
	return nil
}

func (reader *Reader) enter() error {
	if reader.depth++; reader.depth > nestingMax {
		return reader.fail("values stand too deep in each other")
	}
	return nil
}

// Skip reads a value of any kind and drops it.
func (reader *Reader) Skip() error {
	switch reader.Peek() {
	case Null:
		return reader.ReadNull()
	case Bool:
		_, err := reader.ReadBool()
		return err
	case Number:
		_, err := reader.readNumber()
		return err
	case String:
		_, err := reader.readStringBytes()
		return err
	case Array:
		return reader.ReadArray(reader.Skip)
	case Object:
		return reader.ReadObject(func([]byte) error { return reader.Skip() })
	}
	return reader.fail("a value was expected")
}

// ReadAny reads a value of any kind: nil, bool, float64, int64, string, []byte,
// []any or map[string]any.
func (reader *Reader) ReadAny() (any, error) {
	switch reader.Peek() {
	case Null:
		return nil, reader.ReadNull()
	case Bool:
		return reader.ReadBool()
	case Number:
		return reader.readNumber()
	case String:
		return reader.ReadString()
	case Array:
		items := []any{}
		err := reader.ReadArray(func() error {
			item, err := reader.ReadAny()
			items = append(items, item)
			return err
		})
		return items, err
	case Object:
		return reader.readAnyObject()
	}
	return nil, reader.fail("a value was expected")
}

func (reader *Reader) readAnyObject() (any, error) {
	start := reader.at
	key, ok, err := reader.encodedKey()
	if err != nil {
		return nil, err
	}
	if ok {
		reader.at = start
		switch key {
		case "$integer":
			return reader.ReadInt64()
		case "$float":
			return reader.ReadFloat()
		case "$bytes":
			return reader.ReadBytes()
		}
	}
	fields := map[string]any{}
	err = reader.ReadObject(func(key []byte) error {
		name := string(key)
		value, err := reader.ReadAny()
		fields[name] = value
		return err
	})
	return fields, err
}
