package weir

import "weir.dev/go/internal/json"

// Expression is a value that the host computes from a document's fields: a
// number, a condition. Comparing values of different types is no error: they have
// an order. Where one is taken, so is any value that can be written.
type Expression struct {
	json []byte
	err  error
}

// Field is the value of a field; `a.b` is the field `b` of the object in `a`. A
// field that is missing is undefined, which is lower than everything else.
func Field(path string) Expression {
	return operation("$field", Expression{json: json.AppendString(nil, path)})
}

// Not tells whether a condition does not hold.
func Not(condition Expression) Expression { return operation("$not", condition) }

// Eq tells whether the two are equal.
func (left Expression) Eq(right any) Expression { return left.with("$eq", right) }

// Neq tells whether the two are not equal.
func (left Expression) Neq(right any) Expression { return left.with("$neq", right) }

// Lt tells whether this is less than the other.
func (left Expression) Lt(right any) Expression { return left.with("$lt", right) }

// Lte tells whether this is less than the other, or equal.
func (left Expression) Lte(right any) Expression { return left.with("$lte", right) }

// Gt tells whether this is greater than the other.
func (left Expression) Gt(right any) Expression { return left.with("$gt", right) }

// Gte tells whether this is greater than the other, or equal.
func (left Expression) Gte(right any) Expression { return left.with("$gte", right) }

// And tells whether both conditions hold.
func (left Expression) And(right any) Expression { return left.with("$and", right) }

// Or tells whether one of the conditions holds.
func (left Expression) Or(right any) Expression { return left.with("$or", right) }

// Not tells whether the condition does not hold.
func (left Expression) Not() Expression { return operation("$not", left) }

// Add is the sum.
func (left Expression) Add(right any) Expression { return left.with("$add", right) }

// Sub is the difference.
func (left Expression) Sub(right any) Expression { return left.with("$sub", right) }

// Mul is the product.
func (left Expression) Mul(right any) Expression { return left.with("$mul", right) }

// Div is the quotient.
func (left Expression) Div(right any) Expression { return left.with("$div", right) }

// Mod is the remainder.
func (left Expression) Mod(right any) Expression { return left.with("$mod", right) }

// Neg is the negative.
func (left Expression) Neg() Expression { return operation("$neg", left) }

func (left Expression) with(operator string, right any) Expression {
	other, ok := right.(Expression)
	if !ok {
		literal, err := Marshal(right)
		other = operation("$literal", Expression{json: literal, err: err})
	}
	pair := append([]byte{'['}, left.json...)
	pair = append(append(append(pair, ','), other.json...), ']')
	err := left.err
	if err == nil {
		err = other.err
	}
	return operation(operator, Expression{json: pair, err: err})
}

func operation(operator string, operand Expression) Expression {
	out := make([]byte, 0, len(operator)+len(operand.json)+5)
	out = append(append(append(out, '{', '"'), operator...), '"', ':')
	return Expression{json: append(append(out, operand.json...), '}'), err: operand.err}
}
