// Any value from JSON, by its type.

import { __WeirReader } from "./reader";

/** Reads a value; the compiler picks the branch of its type. */
// @ts-ignore: decorator
@global
export function __weir_read<T>(reader: __WeirReader): T {
  if (isNullable<T>()) {
    if (reader.takeNull()) return changetype<T>(<usize>0);
    return changetype<T>(__weir_read<NonNullable<T>>(reader));
  } else if (isBoolean<T>()) {
    return <T>reader.bool();
  } else if (isInteger<T>()) {
    if (sizeof<T>() == 8) {
      const value = reader.integer();
      if (!isSigned<T>() && value < 0) reader.mismatch("a 64-bit integer of at least 0");
      return <T>value;
    }
    const bits = sizeof<T>() << 3;
    if (isSigned<T>()) return <T>reader.integerIn(-<f64>(<i64>1 << (bits - 1)), <f64>((<i64>1 << (bits - 1)) - 1));
    return <T>reader.integerIn(0, <f64>((<i64>1 << bits) - 1));
  } else if (isFloat<T>()) {
    return <T>reader.float();
  } else if (isString<T>()) {
    return changetype<T>(reader.text());
  } else {
    return readObject<T>(reader);
  }
}

function readObject<T>(reader: __WeirReader): T {
  const kind = changetype<T>(<usize>0);
  if (isArray<T>()) {
    if (!reader.beginArray()) reader.mismatch("a list");
    const items = instantiate<T>(0);
    for (let first = true; reader.nextItem(first); first = false) {
      items.push(__weir_read<valueof<T>>(reader));
    }
    return items;
  } else if (kind instanceof Map) {
    const map = instantiate<T>();
    readMap(reader, map);
    return map;
  } else if (kind instanceof Uint8Array) {
    return changetype<T>(Uint8Array.wrap(reader.buffer()));
  } else if (kind instanceof ArrayBuffer) {
    return changetype<T>(reader.buffer());
  } else if (isDefined(kind.__weirRead)) {
    const object = blank<T>();
    object.__weirRead(reader);
    return object;
  } else {
    ERROR("this type is no value of the database");
  }
}

/** An object whose fields are all zero: its constructor may want more than there is yet. */
export function blank<T>(): T {
  const start = __new(offsetof<T>(), idof<T>());
  // Memory that was used before comes as it was left.
  memory.fill(start, 0, offsetof<T>());
  return changetype<T>(start);
}

function readMap<K, V>(reader: __WeirReader, map: Map<K, V>): void {
  if (!reader.beginObject()) reader.mismatch("an object");
  for (let first = true; reader.nextKey(first); first = false) {
    map.set(changetype<K>(reader.key()), __weir_read<V>(reader));
  }
}
