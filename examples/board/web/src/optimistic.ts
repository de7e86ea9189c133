// What a mutation will most likely do, shown until the host has answered.
import type { OptimisticLocalStore } from "convex/browser";
import { api, type Card, type Status, type Task } from "./api";

type Store = OptimisticLocalStore;

/** Sets fields of a task wherever it is shown. */
export function changeCards(
  store: Store,
  id: string,
  fields: Partial<Pick<Card, "status" | "title" | "assignee">>,
) {
  eachPage(store, (cards) =>
    cards.map((card) => (card._id === id ? { ...card, ...fields } : card)),
  );
  changeTask(store, id, (task) => ({ ...task, ...fields }));
}

/** Takes a task off the board, and off the counts. */
export function removeCard(store: Store, id: string) {
  const status = eachPage(store, (cards) =>
    cards.filter((card) => card._id !== id),
  );
  if (status !== undefined) {
    count(store, status, -1);
  }
  changeTask(store, id, () => null);
}

/** Puts a task right behind another one, or on top of a column. */
export function moveCard(
  store: Store,
  card: Card,
  status: Status,
  after?: string,
) {
  const moved = { ...card, status };
  eachPage(store, (cards, of, isFirst) => {
    const others = cards.filter(({ _id }) => _id !== card._id);
    if (of !== status) return others;
    if (after === undefined) return isFirst ? [moved, ...others] : others;
    const at = others.findIndex(({ _id }) => _id === after) + 1;
    return at === 0 ? others : others.toSpliced(at, 0, moved);
  });
  count(store, card.status, -1);
  count(store, status, 1);
  changeTask(store, card._id, (task) => ({ ...task, status }));
}

type Change = (cards: Card[], status: Status, isFirst: boolean) => Card[];

/** Changes every loaded page of every column; gives the column whose number of tasks it changed. */
function eachPage(store: Store, change: Change): Status | undefined {
  let changed: Status | undefined;
  for (const { args, value } of store.getAllQueries(api.tasks.list)) {
    if (value === undefined) continue;
    const isFirst = args.paginationOpts.cursor === null;
    const page = change(value.page, args.status, isFirst);
    if (page.length !== value.page.length) changed = args.status;
    store.setQuery(api.tasks.list, args, { ...value, page });
  }
  return changed;
}

function changeTask(
  store: Store,
  id: string,
  change: (task: Task) => Task | null,
) {
  const task = store.getQuery(api.tasks.get, { task: id });
  if (task) {
    store.setQuery(api.tasks.get, { task: id }, change(task));
  }
}

function count(store: Store, status: Status, by: number) {
  for (const { args, value } of store.getAllQueries(api.tasks.counts)) {
    if (value !== undefined) {
      const counts = { ...value, [status]: value[status] + by };
      store.setQuery(api.tasks.counts, args, counts);
    }
  }
}
