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

/**
 * A range of an index by its name, for `Query.withIndexNamed`. Its bounds say which field they are on; the host says if
 * those are not the fields of the index, in its order. A null is a field that is missing.
 */
@final
export class IndexRange {
  /** The bounds as JSON, without the array's end. */
  readonly bounds: __WeirWriter = begin();

  eq<V>(field: string, value: V): this {
    addBoundOf<V>(this.bounds, '"eq"', field, value);
    return this;
  }
  gt<V>(field: string, value: V): this {
    addBoundOf<V>(this.bounds, '"gt"', field, value);
    return this;
  }
  gte<V>(field: string, value: V): this {
    addBoundOf<V>(this.bounds, '"gte"', field, value);
    return this;
  }
  lt<V>(field: string, value: V): this {
    addBoundOf<V>(this.bounds, '"lt"', field, value);
    return this;
  }
  lte<V>(field: string, value: V): this {
    addBoundOf<V>(this.bounds, '"lte"', field, value);
    return this;
  }
}

/** Adds a bound of a field of any name and value; null is `undefined`, a field that is missing. */
export function addBoundOf<V>(bounds: __WeirWriter, operator: string, field: string, value: V): void {
  bounds.comma();
  bounds.ascii('{"op":');
  bounds.ascii(operator);
  bounds.ascii(',"field":');
  bounds.text(field);
  bounds.ascii(',"value":');
  writeBound<V>(bounds, value);
  bounds.byte(0x7d);
}

function writeBound<V>(bounds: __WeirWriter, value: V): void {
  if (isNullable<V>()) {
    if (changetype<usize>(value) == 0) {
      bounds.ascii('{"$undefined":null}');
      return;
    }
  }
  __weir_write<V>(bounds, value);
}

export function begin(): __WeirWriter {
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
