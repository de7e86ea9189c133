/**
 * A number or boolean that may be absent: `Box<f64> | null`, because the
 * language has no `f64 | null`.
 */
@final
export class Box<T> {
  constructor(public value: T) {}

  __weirRead(reader: __WeirReader): void {
    this.value = __weir_read<T>(reader);
  }

  __weirWrite(writer: __WeirWriter): void {
    __weir_write<T>(writer, this.value);
  }
}
