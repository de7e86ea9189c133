import { COLUMNS, type Card, type Status } from "./api";

/** Where a task can go: into which column, behind which task of it; on top without one. */
export type Place = { status: Status; after?: string };

/** The ways that lead from a task's place, as far as there are any. */
export type Places = Record<"left" | "up" | "down" | "right", Place | null>;

/** The places next to the one of `cards[n]`; `cards` is its column as far as it is loaded. */
export function placesAround(cards: Card[], n: number): Places {
  const { status } = cards[n]!;
  const column = COLUMNS.findIndex((column) => column.status === status);
  const beside = (by: number): Place | null => {
    const next = COLUMNS[column + by];
    return next ? { status: next.status } : null;
  };
  return {
    left: beside(-1),
    up: n > 0 ? { status, after: cards[n - 2]?._id } : null,
    down: n + 1 < cards.length ? { status, after: cards[n + 1]!._id } : null,
    right: beside(1),
  };
}
