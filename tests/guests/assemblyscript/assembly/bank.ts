// Accounts, and transfers between them.

import { Box, Doc, failWith, Id, MutationCtx, QueryCtx, TimeRange } from "@weir/assemblyscript";

@document("accounts")
class Account {
  number: u32;
  balance: f64;
}

/** One transfer, written in the same transaction as the balances it changed. */
@document("ledger")
class Entry {
  client: u32;
  seq: u32;
  from: Id<Account>;
  to: Id<Account>;
  amount: f64;
}

/** A row of a table that nothing else reads. */
@document("notes")
class Note {
  text: string;
}

/** A part of the ledger, the oldest first. */
class LedgerPage {
  rows: Doc<Entry>[];
  /** Where the next page begins; absent at the end. */
  next: Box<f64> | null;
}

/** A part of the accounts, the oldest first. */
class Page {
  ids: Id<Account>[];
  balance: f64;
  /** Where the next page begins; absent at the end. */
  next: Box<f64> | null;
}

/** Opens accounts, numbered on from `from`, and gives their ids. */
@mutation
export function seed(ctx: MutationCtx, from: u32, count: u32, balance: f64): Id<Account>[] {
  const ids: Id<Account>[] = [];
  for (let number = from; number < from + count; number++) {
    ids.push(ctx.db.insert<Account>("accounts", { number, balance }));
  }
  return ids;
}

/** Moves money from one account to another, if it is there. */
@mutation
export function transfer(ctx: MutationCtx, from: Id<Account>, to: Id<Account>, amount: f64): void {
  if (amount <= 0 || from == to) throw new Error("move an amount above 0 between two accounts");
  const source = ctx.db.get(from);
  if (!source) throw new Error("there is no account to debit");
  const target = ctx.db.get(to);
  if (!target) throw new Error("there is no account to credit");
  if (source.balance < amount) failWith({ code: "InsufficientFunds", balance: source.balance });
  ctx.db.patch(from, { balance: source.balance - amount });
  ctx.db.patch(to, { balance: target.balance + amount });
}

/** The account with this id. */
@query
export function get(ctx: QueryCtx, id: Id<Account>): Doc<Account> | null {
  return ctx.db.get(id);
}

/** The sum of all balances, as long as one call can read all accounts. */
@query
export function total(ctx: QueryCtx): f64 {
  let total = 0.0;
  const accounts = ctx.db.query<Account>("accounts").iter();
  for (let account = accounts.next(); account !== null; account = accounts.next()) {
    total += account.balance;
  }
  return total;
}

/** The accounts that were opened after `after`, `limit` at most. */
@query
export function page(ctx: QueryCtx, limit: u32, after: f64 = -Infinity): Page {
  const accounts = ctx.db.query<Account>("accounts").byCreationTime(new TimeRange().gt(after)).take(limit);
  const page: Page = { ids: [], balance: 0, next: null };
  for (let i = 0; i < accounts.length; i++) {
    page.ids.push(accounts[i]._id);
    page.balance += accounts[i].balance;
  }
  if (accounts.length == limit && limit > 0) page.next = new Box(accounts[limit - 1]._creationTime);
  return page;
}

/** A transfer that leaves a row which tells who asked for it, and which may overdraw. */
@mutation
export function transferLogged(
  ctx: MutationCtx,
  from: Id<Account>,
  to: Id<Account>,
  amount: f64,
  client: u32,
  seq: u32,
): void {
  const source = ctx.db.get(from);
  if (!source) throw new Error("there is no account to debit");
  ctx.db.patch(from, { balance: source.balance - amount });
  const target = ctx.db.get(to);
  if (!target) throw new Error("there is no account to credit");
  ctx.db.patch(to, { balance: target.balance + amount });
  ctx.db.insert<Entry>("ledger", { client, seq, from, to, amount });
}

/** The ledger after `after`, `limit` rows at most. */
@query
export function ledger(ctx: QueryCtx, after: f64, limit: u32): LedgerPage {
  const rows = ctx.db.query<Entry>("ledger").byCreationTime(new TimeRange().gt(after)).take(limit);
  const page: LedgerPage = { rows, next: null };
  if (rows.length == limit && limit > 0) page.next = new Box(rows[limit - 1]._creationTime);
  return page;
}

/** What these accounts hold, in the order of their ids here. */
@query
export function balances(ctx: QueryCtx, ids: Id<Account>[]): f64[] {
  const balances: f64[] = [];
  for (let i = 0; i < ids.length; i++) {
    const account = ctx.db.get(ids[i]);
    if (!account) throw new Error("there is no such account");
    balances.push(account.balance);
  }
  return balances;
}

/** The accounts that were opened last. */
@query
export function newest(ctx: QueryCtx, count: u32): Doc<Account>[] {
  return ctx.db.query<Account>("accounts").order("desc").take(count);
}

/** Writes into a table of its own. */
@mutation
export function note(ctx: MutationCtx, text: string): void {
  ctx.db.insert<Note>("notes", { text });
}
