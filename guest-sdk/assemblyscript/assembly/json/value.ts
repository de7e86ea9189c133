import { __WeirReader } from "./reader";
import { __WeirWriter } from "./writer";

/** What a `Value` is. */
export enum ValueKind {
  Null,
  Int64,
  Float64,
  Boolean,
  String,
  Bytes,
  Array,
  Object,
}

/** Any value: for arguments and documents of any form. */
@final
export class Value {
  private _kind: ValueKind = ValueKind.Null;
  /** The number or boolean. */
  private bits: u64 = 0;
  /** The text, bytes, items or fields. */
  private content: Content | null = null;

  /** A value from one whose type is known. */
  static of<T>(value: T): Value {
    const made = new Value();
    if (isNullable<T>()) {
      if (changetype<usize>(value) == 0) return made;
      return Value.of<NonNullable<T>>(changetype<NonNullable<T>>(value));
    } else if (isBoolean<T>()) {
      made._kind = ValueKind.Boolean;
      made.bits = <u64>value;
    } else if (isInteger<T>() && sizeof<T>() == 8) {
      made._kind = ValueKind.Int64;
      made.bits = <u64>value;
    } else if (isInteger<T>() || isFloat<T>()) {
      made._kind = ValueKind.Float64;
      made.bits = reinterpret<u64>(<f64>value);
    } else if (idof<T>() == idof<Value>()) {
      return changetype<Value>(value);
    } else {
      made.content = Content.of<T>(value);
      made._kind = Content.kindOf<T>();
    }
    return made;
  }

  /** What it is. */
  get kind(): ValueKind {
    return this._kind;
  }

  get isNull(): bool {
    return this._kind == ValueKind.Null;
  }

  /** The number; a bug if it is none. */
  get number(): f64 {
    assert(this._kind == ValueKind.Float64, "the value is no number");
    return reinterpret<f64>(this.bits);
  }

  /** The 64-bit integer; a bug if it is none. */
  get integer(): i64 {
    assert(this._kind == ValueKind.Int64, "the value is no 64-bit integer");
    return <i64>this.bits;
  }

  /** The boolean; a bug if it is none. */
  get boolean(): bool {
    assert(this._kind == ValueKind.Boolean, "the value is no boolean");
    return this.bits != 0;
  }

  /** The text; a bug if it is none. */
  get text(): string {
    assert(this._kind == ValueKind.String, "the value is no text");
    return this.content!.text!;
  }

  /** The bytes; a bug if it is none. */
  get bytes(): Uint8Array {
    assert(this._kind == ValueKind.Bytes, "the value is no bytes");
    return this.content!.bytes!;
  }

  /** The items; a bug if it is no list. */
  get items(): Array<Value> {
    assert(this._kind == ValueKind.Array, "the value is no list");
    return this.content!.items!;
  }

  /** The fields; a bug if it is no object. */
  get fields(): Map<string, Value> {
    assert(this._kind == ValueKind.Object, "the value is no object");
    return this.content!.fields!;
  }

  /** A field of an object; null if there is none, or this is no object. */
  get(field: string): Value | null {
    if (this._kind != ValueKind.Object) return null;
    const fields = this.content!.fields!;
    return fields.has(field) ? fields.get(field) : null;
  }

  __weirWrite(writer: __WeirWriter): void {
    switch (this._kind) {
      case ValueKind.Null:
        return writer.nil();
      case ValueKind.Int64:
        return writer.integer(<i64>this.bits);
      case ValueKind.Float64:
        return writer.float(reinterpret<f64>(this.bits));
      case ValueKind.Boolean:
        return writer.bool(this.bits != 0);
      case ValueKind.String:
        return writer.text(this.content!.text!);
      case ValueKind.Bytes:
        return __weir_write(writer, this.content!.bytes!);
      case ValueKind.Array:
        return __weir_write(writer, this.content!.items!);
      case ValueKind.Object:
        return __weir_write(writer, this.content!.fields!);
    }
  }

  __weirRead(reader: __WeirReader): void {
    switch (reader.kind()) {
      case ValueKind.Null:
        reader.takeNull();
        this._kind = ValueKind.Null;
        break;
      case ValueKind.Int64:
        this.become(Value.of<i64>(reader.integer()));
        break;
      case ValueKind.Float64:
        this.become(Value.of<f64>(reader.float()));
        break;
      case ValueKind.Boolean:
        this.become(Value.of<bool>(reader.bool()));
        break;
      case ValueKind.String:
        this.become(Value.of<string>(reader.text()));
        break;
      case ValueKind.Bytes:
        this.become(Value.of<Uint8Array>(Uint8Array.wrap(reader.buffer())));
        break;
      case ValueKind.Array:
        this.become(Value.of<Array<Value>>(__weir_read<Array<Value>>(reader)));
        break;
      case ValueKind.Object:
        this.become(Value.of<Map<string, Value>>(__weir_read<Map<string, Value>>(reader)));
        break;
    }
  }

  private become(other: Value): void {
    this._kind = other._kind;
    this.bits = other.bits;
    this.content = other.content;
  }
}

/** What a value holds that is no number. */
@final
class Content {
  text: string | null = null;
  bytes: Uint8Array | null = null;
  items: Array<Value> | null = null;
  fields: Map<string, Value> | null = null;

  static of<T>(value: T): Content {
    const content = new Content();
    if (isString<T>()) content.text = value;
    else if (value instanceof Uint8Array) content.bytes = value;
    else if (value instanceof Array) content.items = value;
    else if (value instanceof Map) content.fields = value;
    else ERROR("a value is made of a boolean, a number, a string, Uint8Array, Array<Value> or Map<string, Value>");
    return content;
  }

  static kindOf<T>(): ValueKind {
    const kind = changetype<T>(<usize>0);
    if (isString<T>()) return ValueKind.String;
    if (kind instanceof Uint8Array) return ValueKind.Bytes;
    if (kind instanceof Array) return ValueKind.Array;
    return ValueKind.Object;
  }
}
