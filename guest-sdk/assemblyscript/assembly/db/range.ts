import { Id } from "../id";
import { __WeirWriter } from "../json/writer";

/** A range of creation times: `new TimeRange().gte(start).lt(end)`. All bounds hold. */
@final
export class TimeRange {
  /** The bounds as JSON, without the array's end. */
  readonly bounds: __WeirWriter = begin();

  eq(value: f64): this {
    return this.bound('"eq"', value);
  }
  gt(value: f64): this {
    return this.bound('"gt"', value);
  }
  gte(value: f64): this {
    return this.bound('"gte"', value);
  }
  lt(value: f64): this {
    return this.bound('"lt"', value);
  }
  lte(value: f64): this {
    return this.bound('"lte"', value);
  }

  private bound(operator: string, value: f64): this {
    addBound(this.bounds, operator, '"_creationTime"');
    this.bounds.float(value);
    this.bounds.byte(0x7d);
    return this;
  }
}

/** A range of ids, in the order of their texts: `new IdRange<Message>().gt(last)`. */
@final
export class IdRange<T> {
  /** The bounds as JSON, without the array's end. */
  readonly bounds: __WeirWriter = begin();

  eq(id: Id<T>): this {
    return this.bound('"eq"', id);
  }
  gt(id: Id<T>): this {
    return this.bound('"gt"', id);
  }
  gte(id: Id<T>): this {
    return this.bound('"gte"', id);
  }
  lt(id: Id<T>): this {
    return this.bound('"lt"', id);
  }
  lte(id: Id<T>): this {
    return this.bound('"lte"', id);
  }

  private bound(operator: string, id: Id<T>): this {
    addBound(this.bounds, operator, '"_id"');
    this.bounds.text(id.toString());
    this.bounds.byte(0x7d);
    return this;
  }
}

function begin(): __WeirWriter {
  const writer = new __WeirWriter();
  writer.byte(0x5b);
  return writer;
}

function addBound(bounds: __WeirWriter, operator: string, field: string): void {
  bounds.comma();
  bounds.ascii('{"op":');
  bounds.ascii(operator);
  bounds.ascii(',"field":');
  bounds.ascii(field);
  bounds.ascii(',"value":');
}
