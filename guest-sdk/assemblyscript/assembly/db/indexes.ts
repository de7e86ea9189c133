// Indexes as a module declares them, and ranges of them.

import { fail } from "../failure";
import { __WeirWriter } from "../json/writer";
import { addBoundOf, begin } from "./range";

/** What every index ends with. */
const CREATION_TIME = "_creationTime";

/**
 * Declares an index of the table that a class names with `@document`, on fields of the class, or fields within them,
 * such as `meta.owner`; the creation time follows by itself. It stands at the top level of a file:
 * `export const byTeam = index<Task>("by_team", ["team", "rank"]);`
 */
export function index<T>(name: string, fields: string[]): Index<T> {
  return new Index<T>(name, fields.concat([CREATION_TIME]));
}

/** Declares an index that is built and cannot be read yet: make an `index` of it when it is to be. */
export function stagedIndex<T>(name: string, fields: string[]): void {}

/**
 * An index, or a range of it: first any of its fields equal to a value, in their order, with `eq`, then the next one
 * bounded from below and from above. A null is a field that is missing. Each method gives a new range.
 */
@final
export class Index<T> {
  /** The bounds as JSON, without the array's end. */
  bounds: __WeirWriter = begin();
  /** How many fields are equal to something. */
  private compared: i32 = 0;

  constructor(
    readonly name: string,
    private fields: string[],
  ) {}

  eq<V>(value: V): Index<T> {
    const made = this.with<V>('"eq"', value);
    made.compared++;
    return made;
  }
  gt<V>(value: V): Index<T> {
    return this.with<V>('"gt"', value);
  }
  gte<V>(value: V): Index<T> {
    return this.with<V>('"gte"', value);
  }
  lt<V>(value: V): Index<T> {
    return this.with<V>('"lt"', value);
  }
  lte<V>(value: V): Index<T> {
    return this.with<V>('"lte"', value);
  }

  private with<V>(operator: string, value: V): Index<T> {
    if (this.compared == this.fields.length) {
      fail(`the index ${this.name} has no field left to compare: it is on ${this.fields.join(", ")}`);
    }
    const made = new Index<T>(this.name, this.fields);
    made.compared = this.compared;
    const bounds = new __WeirWriter();
    bounds.raw(this.bounds.data, this.bounds.length);
    addBoundOf<V>(bounds, operator, this.fields[this.compared], value);
    made.bounds.free();
    made.bounds = bounds;
    return made;
  }
}
