import { useState } from "react";
import { flushSync } from "react-dom";
import { useQuery } from "convex/react";
import { api, COLUMNS } from "./api";
import { useActions } from "./actions";
import { Column } from "./Column";
import { ConnectionBanner } from "./Connection";
import { useDrag } from "./drag";
import { focusCard } from "./focus";
import { Header } from "./Header";
import type { Me } from "./join";
import { useNarrow } from "./media";
import type { Names } from "./names";
import { TaskPanel } from "./TaskPanel";
import { Toast } from "./Toast";

type Props = { names: Names; me: Me | undefined; onLeave: () => void };

/** A team's board: three live columns, and a panel for the task that is open. */
export function Board({ names, me, onLeave }: Props) {
  const team = me && { team: me.team };
  const counts = useQuery(api.tasks.counts, team ?? "skip");
  const members = useQuery(api.teams.members, team ?? "skip");
  const [open, setOpen] = useState<string | null>(null);
  const { actions, failure, dismiss, news } = useActions(me);
  const drag = useDrag(actions.move);
  const isCovered = useNarrow() && open !== null;

  function close() {
    // Before the focus goes back: what is covered cannot have it.
    flushSync(() => setOpen(null));
    if (open !== null) focusCard(open);
  }

  return (
    <div className="board">
      <Header names={names} members={members} onLeave={onLeave} />
      <ConnectionBanner />
      <div className="stage">
        <main
          className="columns"
          aria-label={`The board of ${names.team}`}
          inert={isCovered}
        >
          {COLUMNS.map(({ status, name }) => (
            <Column
              key={status}
              team={me?.team}
              status={status}
              name={name}
              counts={counts}
              open={open}
              onOpen={setOpen}
              actions={actions}
              drag={drag}
            />
          ))}
        </main>
        {open !== null && (
          <TaskPanel
            key={open}
            task={open}
            members={members ?? []}
            actions={actions}
            onClose={close}
          />
        )}
      </div>
      {failure && <Toast text={failure} onDismiss={dismiss} />}
      <p className="hidden" role="status">
        {news}
      </p>
    </div>
  );
}
