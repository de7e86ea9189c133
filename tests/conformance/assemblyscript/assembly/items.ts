// Queries: each gives the labels of the documents that it finds, in their
// order. The documents may have more fields than a label.

import { Box, CommitTimestamp, Expression, field, Id, IdRange, MutationCtx, QueryCtx, TimeRange, Value } from "@weir/assemblyscript";

class Item {
  label: string;
}

class Filling {
  label: string;
  text: string;
}

function labels(items: Item[]): string[] {
  return items.map<string>((item) => item.label);
}

function orderNamed(name: string): string {
  return name == "desc" ? "desc" : "asc";
}

/** Adds items with the labels "0", "1", ... and a text of this length. */
@mutation
export function fill(ctx: MutationCtx, table: string, count: u32, bytes: u32): void {
  const text = "x".repeat(bytes);
  for (let number: u32 = 0; number < count; number++) {
    ctx.db.insert<Filling>(table, { label: number.toString(), text });
  }
}

/** In an order, and at most `limit` of them if it is given. */
@query
export function list(ctx: QueryCtx, table: string, order: string, limit: Box<u32> | null): string[] {
  const query = ctx.db.query<Item>(table).order(orderNamed(order));
  return labels(limit === null ? query.collect() : query.take(limit.value));
}

@query
export function first(ctx: QueryCtx, table: string, order: string): string | null {
  const first = ctx.db.query<Item>(table).order(orderNamed(order)).first();
  return first ? first.label : null;
}

/** The only one with this label. */
@query
export function unique(ctx: QueryCtx, table: string, label: string): string | null {
  const only = ctx.db.query<Item>(table).filter(field("label").eq(label)).unique();
  return only ? only.label : null;
}

class Stamped {
  label: string;
  at: CommitTimestamp;
}

/** Adds an item with the timestamp of the commit, finds it by that, and gives it as it was found. */
@mutation
export function stamp(ctx: MutationCtx, table: string): CommitTimestamp {
  const at = CommitTimestamp.pending();
  ctx.db.insert<Stamped>(table, { label: "stamped", at });
  const found = ctx.db.query<Stamped>(table).filter(field("at").eq(at)).unique();
  if (found === null || !found.at.isPending) throw new Error("it is not pending");
  return found.at;
}

/** Those that the commit with this timestamp, or a later one, has added. */
@query
export function stampedFrom(ctx: QueryCtx, table: string, at: i64): string[] {
  return labels(ctx.db.query<Item>(table).filter(field("at").gte(at)).collect());
}

/** Goes through the items one by one until the label is found; gives how many that took, -1 if there is none. */
@query
export function position(ctx: QueryCtx, table: string, label: string): i32 {
  const items = ctx.db.query<Item>(table).iter();
  let position = 1;
  for (let item = items.next(); item !== null; item = items.next()) {
    if (item.label == label) {
      items.close();
      return position;
    }
    position++;
  }
  return -1;
}

/** Those whose field compares so with a value. */
@query("compare")
export function compareWith(
  ctx: QueryCtx,
  table: string,
  operator: string,
  field: string,
  value: Value,
): string[] {
  return labels(ctx.db.query<Item>(table).filter(comparison(operator, field, value)).collect());
}

function comparison(operator: string, name: string, value: Value): Expression {
  const expression = field(name);
  if (operator == "eq") return expression.eq(value);
  if (operator == "neq") return expression.neq(value);
  if (operator == "lt") return expression.lt(value);
  if (operator == "lte") return expression.lte(value);
  if (operator == "gt") return expression.gt(value);
  return expression.gte(value);
}

/** Those for which the condition of this name holds. */
@query
export function matching(ctx: QueryCtx, table: string, condition: string): string[] {
  return labels(ctx.db.query<Item>(table).filter(conditionNamed(condition)).collect());
}

function conditionNamed(name: string): Expression {
  const a = field("a");
  const b = field("b");
  if (name == "and") return a.gt(1).and(b.lt(5));
  if (name == "or") return a.gt(3).or(b.gt(5));
  if (name == "not") return a.gt(1).not();
  if (name == "add") return a.add(b).eq(7);
  if (name == "sub") return a.sub(b).eq(-3);
  if (name == "mul") return a.mul(b).eq(10);
  if (name == "div") return a.div(b).eq(0.5);
  if (name == "mod") return a.mod(2).eq(1);
  if (name == "neg") return a.neg().lt(-2);
  if (name == "fields") return a.eq(b);
  if (name == "inner") return field("inner.deep").eq("yes");
  if (name == "constant") return a.eq(field("a"));
  return a;
}

/** Those made in a time: from `from` on, and before `to`; `to` too if `closed`, and not `from` itself. */
@query
export function madeBetween(ctx: QueryCtx, table: string, from: f64, to: f64, closed: bool): string[] {
  const range = new TimeRange();
  if (closed) range.gt(from).lte(to);
  else range.gte(from).lt(to);
  return labels(ctx.db.query<Item>(table).byCreationTime(range).collect());
}

/** Those whose id compares so with this one, in descending order. */
@query
export function byId(ctx: QueryCtx, table: string, operator: string, id: string): string[] {
  const range = idRange(operator, new Id<Item>(id));
  return labels(ctx.db.query<Item>(table).byId(range).order("desc").collect());
}

function idRange(operator: string, bound: Id<Item>): IdRange<Item> {
  const range = new IdRange<Item>();
  if (operator == "eq") return range.eq(bound);
  if (operator == "lt") return range.lt(bound);
  if (operator == "lte") return range.lte(bound);
  if (operator == "gt") return range.gt(bound);
  return range.gte(bound);
}
