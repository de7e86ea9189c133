// Payments, in AssemblyScript.

import { Doc, failWith, field, MutationCtx, QueryCtx, Value } from "@weir/assemblyscript";

@document("purses")
class Purse {
  customer: string;
  balance: f64;
}

function purseOf(ctx: QueryCtx, customer: string): Doc<Purse> | null {
  return ctx.db.query<Purse>("purses").filter(field("customer").eq(customer)).unique();
}

/** Gives a customer a purse with money in it. */
@mutation
export function deposit(ctx: MutationCtx, customer: string, amount: f64): void {
  ctx.db.insert<Purse>("purses", { customer, balance: amount });
}

/** Takes money from a customer, and has it written down. */
@mutation
export function charge(ctx: MutationCtx, customer: string, amount: f64, note: string): void {
  const purse = purseOf(ctx, customer);
  if (!purse) throw new Error("nobody is called " + customer);
  if (purse.balance < amount) failWith({ code: "TooLittle", balance: purse.balance });
  ctx.db.patch(purse._id, { balance: purse.balance - amount });
  // In Rust.
  ctx.runMutation<Value>("journal:record", { text: note });
}

/** What a customer has. */
@query
export function balance(ctx: QueryCtx, customer: string): f64 {
  const purse = purseOf(ctx, customer);
  return purse ? purse.balance : 0;
}
