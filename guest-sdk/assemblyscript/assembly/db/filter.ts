// Filters: conditions on documents that the host checks them against, so that
// those which do not pass never reach the guest.

import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";

/**
 * The value of a field, for `Query.filter`: `field("user").eq("ada")`. `a.b` is
 * the field `b` of the object in `a`. A field that is missing is `undefined`,
 * which is lower than everything else.
 */
export function field(path: string): Expression {
  return new Expression("$field", path);
}

/** A value that is computed from a document's fields: a number, a condition. */
@final
export class Expression {
  private left: Expression | null = null;
  private right: Expression | null = null;
  /** JSON that is known already. */
  private literal: __WeirWriter | null = null;

  constructor(
    private operator: string,
    private path: string = "",
  ) {}

  /** Whether the two are equal. */
  eq<T>(other: T): Expression {
    return this.binary<T>("$eq", other);
  }
  /** Whether the two are not equal. */
  neq<T>(other: T): Expression {
    return this.binary<T>("$neq", other);
  }
  /** Whether this is less than the other. */
  lt<T>(other: T): Expression {
    return this.binary<T>("$lt", other);
  }
  /** Whether this is less than the other, or equal. */
  lte<T>(other: T): Expression {
    return this.binary<T>("$lte", other);
  }
  /** Whether this is greater than the other. */
  gt<T>(other: T): Expression {
    return this.binary<T>("$gt", other);
  }
  /** Whether this is greater than the other, or equal. */
  gte<T>(other: T): Expression {
    return this.binary<T>("$gte", other);
  }
  /** Whether both conditions hold. */
  and(other: Expression): Expression {
    return this.binary<Expression>("$and", other);
  }
  /** Whether one of the conditions holds. */
  or(other: Expression): Expression {
    return this.binary<Expression>("$or", other);
  }
  add<T>(other: T): Expression {
    return this.binary<T>("$add", other);
  }
  sub<T>(other: T): Expression {
    return this.binary<T>("$sub", other);
  }
  mul<T>(other: T): Expression {
    return this.binary<T>("$mul", other);
  }
  div<T>(other: T): Expression {
    return this.binary<T>("$div", other);
  }
  mod<T>(other: T): Expression {
    return this.binary<T>("$mod", other);
  }
  neg(): Expression {
    return this.unary("$neg");
  }
  /** Whether the condition does not hold. */
  not(): Expression {
    return this.unary("$not");
  }

  private unary(operator: string): Expression {
    const made = new Expression(operator);
    made.left = this;
    return made;
  }

  private binary<T>(operator: string, other: T): Expression {
    const made = this.unary(operator);
    made.right = operandOf<T>(other);
    return made;
  }

  setLiteral(literal: __WeirWriter): void {
    this.literal = literal;
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.byte(0x7b);
    writer.key(this.operator);
    const left = this.left;
    const right = this.right;
    const literal = this.literal;
    if (literal !== null) writer.raw(literal.data, literal.length);
    else if (left === null) writer.text(this.path);
    else if (right === null) left.__weirWrite(writer);
    else {
      writer.byte(0x5b);
      left.__weirWrite(writer);
      writer.byte(0x2c);
      right.__weirWrite(writer);
      writer.byte(0x5d);
    }
    writer.byte(0x7d);
  }

  /** Conditions are made, never read. */
  __weirRead(reader: __WeirReader): void {
    reader.mismatch("a value");
  }
}

/** An expression as it is, and a value as a literal. */
function operandOf<T>(value: T): Expression {
  if (isReference<T>()) {
    if (idof<T>() == idof<Expression>()) return changetype<Expression>(value);
  }
  const made = new Expression("$literal");
  const writer = new __WeirWriter();
  __weir_write<T>(writer, value);
  made.setLiteral(writer);
  return made;
}
