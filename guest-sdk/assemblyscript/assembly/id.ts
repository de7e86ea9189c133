import { __WeirReader } from "./json/reader";
import { __WeirWriter } from "./json/writer";

/** The text of an id, whatever it is the id of: operators cannot have a type parameter. */
export class AnyId {
  constructor(protected text: string) {}

  /** The id's text, as clients see it. */
  toString(): string {
    return this.text;
  }

  @operator("==")
  private static equals(left: AnyId | null, right: AnyId | null): bool {
    const isLeftNull = changetype<usize>(left) == 0;
    const isRightNull = changetype<usize>(right) == 0;
    if (isLeftNull || isRightNull) return isLeftNull == isRightNull;
    return left!.text == right!.text;
  }

  @operator("!=")
  private static differs(left: AnyId | null, right: AnyId | null): bool {
    return !AnyId.equals(left, right);
  }

  __weirRead(reader: __WeirReader): void {
    this.text = reader.text();
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.text(this.text);
  }
}

/** The id of a document that holds a `T`. */
// Global for generated code, wherever it stands.
// @ts-ignore: decorator
@final
@global
export class Id<T> extends AnyId {
  /** An id from its text. Whether it is one is found out when it is used. */
  constructor(text: string) {
    super(text);
  }

  /** The same id, as that of a document that holds a `U`. */
  cast<U>(): Id<U> {
    return changetype<Id<U>>(this);
  }
}
