import { usePaginatedQuery } from "convex/react";
import type { Actions } from "./actions";
import { AddTask } from "./AddTask";
import { api, type Counts, type Status } from "./api";
import { CardItem } from "./CardItem";
import type { Drag } from "./drag";
import { EmptyBoard } from "./EmptyBoard";
import { placesAround } from "./places";

/** How many tasks a column shows at first, and how many more each time. */
const PAGE_TASKS = 10;

type Props = {
  team: string | undefined;
  status: Status;
  name: string;
  counts: Counts | undefined;
  open: string | null;
  onOpen: (task: string) => void;
  actions: Actions;
  drag: Drag;
};

/** A column: how many tasks it has, where new ones are added, and its list, page by page. */
export function Column(props: Props) {
  const { team, status, name, counts, open, onOpen, actions, drag } = props;
  const tasks = usePaginatedQuery(
    api.tasks.list,
    team === undefined ? "skip" : { team, status },
    { initialNumItems: PAGE_TASKS },
  );
  const cards = tasks.results;
  const isNew = counts !== undefined && total(counts) === 0;

  return (
    <section
      className="column"
      aria-labelledby={`column-${status}`}
      aria-busy={tasks.isLoading}
      data-status={status}
      {...drag.column(status)}
    >
      <h2 id={`column-${status}`}>
        {name}
        {counts !== undefined && (
          <span className="count" aria-label={`${counts[status]} tasks`}>
            {counts[status]}
          </span>
        )}
      </h2>
      <AddTask
        column={name}
        onAdd={(title) => actions.add(status, title)}
        disabled={team === undefined}
      />
      <div className="scroll">
        {tasks.status === "LoadingFirstPage" && <Skeleton />}
        {isNew && status === "todo" && <EmptyBoard onAdd={actions.add} />}
        <ol className="cards" data-drop={drag.isOver(status) || undefined}>
          {cards.map((card, n) => (
            <CardItem
              key={card._id}
              card={card}
              isOpen={card._id === open}
              onOpen={onOpen}
              places={placesAround(cards, n)}
              onMove={actions.move}
              drag={drag}
            />
          ))}
        </ol>
        {(tasks.status === "CanLoadMore" || tasks.status === "LoadingMore") && (
          <button
            className="load-more"
            onClick={() => tasks.loadMore(PAGE_TASKS)}
            disabled={tasks.status === "LoadingMore"}
          >
            Load more<span className="hidden"> of {name}</span>
          </button>
        )}
      </div>
    </section>
  );
}

function total(counts: Counts): number {
  return counts.todo + counts.doing + counts.done;
}

function Skeleton() {
  return (
    <div className="skeleton" aria-hidden="true">
      {[4.5, 3.25, 4.5].map((height, n) => (
        <span key={n} style={{ height: `${height}rem` }} />
      ))}
    </div>
  );
}
