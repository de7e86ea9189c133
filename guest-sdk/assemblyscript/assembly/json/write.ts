// Any value to JSON, by its type.

import { __WeirWriter } from "./writer";

/** Writes a value; the compiler picks the branch of its type. */
// @ts-ignore: decorator
@global
export function __weir_write<T>(writer: __WeirWriter, value: T): void {
  if (isNullable<T>()) {
    if (changetype<usize>(value) == 0) return writer.nil();
    __weir_write<NonNullable<T>>(writer, changetype<NonNullable<T>>(value));
  } else if (isBoolean<T>()) {
    writer.bool(<bool>value);
  } else if (isInteger<T>()) {
    if (sizeof<T>() == 8) {
      if (!isSigned<T>() && <i64>value < 0) throw new Error("an integer is above the largest 64-bit integer");
      writer.integer(<i64>value);
    } else if (isSigned<T>()) writer.signed(<i32>value);
    else writer.unsigned(<u32>value);
  } else if (isFloat<T>()) {
    writer.float(<f64>value);
  } else if (isString<T>()) {
    writer.text(value);
  } else if (isArray<T>()) {
    writer.byte(0x5b);
    for (let i = 0, length = value.length; i < length; i++) {
      writer.comma();
      __weir_write<valueof<T>>(writer, unchecked(value[i]));
    }
    writer.byte(0x5d);
  } else if (value instanceof Map) {
    const keys = value.keys();
    writer.byte(0x7b);
    for (let i = 0, length = keys.length; i < length; i++) {
      writer.key(unchecked(keys[i]));
      __weir_write(writer, value.get(unchecked(keys[i])));
    }
    writer.byte(0x7d);
  } else if (value instanceof Uint8Array) {
    writer.bytes(value.dataStart, <usize>value.byteLength);
  } else if (value instanceof ArrayBuffer) {
    writer.bytes(changetype<usize>(value), <usize>value.byteLength);
  } else if (isDefined(value.__weirWrite)) {
    value.__weirWrite(writer);
  } else {
    ERROR("this type is no value of the database");
  }
}
