import { __WeirReader } from "./reader";
import { __WeirWriter } from "./writer";

/**
 * An object made on the spot. Where a function takes one, an object literal is
 * turned into this: `ctx.db.patch(id, { done: true, note: undefined })`.
 */
// Global, because a default type argument is looked for where a call stands.
// @ts-ignore: decorator
@final
@global
export class Fields {
  private writer: __WeirWriter = new __WeirWriter();

  constructor() {
    this.writer.byte(0x7b);
  }

  /** Adds a field. */
  set<T>(name: string, value: T): this {
    this.writer.key(name);
    __weir_write<T>(this.writer, value);
    return this;
  }

  /** Adds a field whose value is `null`. */
  setNull(name: string): this {
    this.writer.key(name);
    this.writer.nil();
    return this;
  }

  /** Makes a patch remove the field. */
  remove(name: string): this {
    this.writer.key(name);
    this.writer.ascii('{"$undefined":null}');
    return this;
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.takesSystemFields();
    writer.raw(this.writer.data, this.writer.length);
    writer.byte(0x7d);
  }
}

/** What an object literal begins with when it becomes `Fields`. */
// @ts-ignore: decorator
@global
function __weir_fields(): Fields {
  return new Fields();
}

/** What such a literal ends with: a type that is known without looking into it. */
// @ts-ignore: decorator
@global
function __weir_object(fields: Fields): Fields {
  return fields;
}
